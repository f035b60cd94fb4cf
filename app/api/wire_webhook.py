"""Subscriptions and deliveries on the wire, as callers get them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from app.api.wire_base import WireOut
from app.domain.delivery import Delivery, DeliveryState
from app.domain.instant import Instant, moment_of
from app.domain.message import MessageType
from app.domain.subscription import BodyForm, Subscription, SubscriptionState
from app.operations.address import Address
from app.operations.book_message import wire_id
from app.operations.deliver import Tried
from app.queries.deliveries import PastAttempt

MILLISECOND = 1_000


class SubscriptionOut(WireOut):
    """A subscription; never its secret."""

    id: UUID
    created_at: datetime
    url: str
    description: str
    message_types: list[str]
    segments: list[str] | None
    least_magnitude: int | None
    ordered: bool
    body: BodyForm
    max_in_flight: int
    state: SubscriptionState
    state_reason: str | None = Field(description="why it is disabled: gone (410), or failing for 5 days")
    state_since: datetime
    failing_since: datetime | None = Field(description="when the first of an unbroken row of failures began")
    old_secret_expires_at: datetime | None = Field(description="until when a secret before signs too")

    @classmethod
    def of(cls, subscription: Subscription, address: Address, now: Instant) -> "SubscriptionOut":
        """The subscription as it is shown at `now`."""
        untils = [each.until for each in address.secrets if each.until is not None and now < each.until]
        return cls(
            id=subscription.subscription_id,
            created_at=moment_of(subscription.created_at),
            url=address.url,
            description=subscription.description,
            message_types=list(subscription.message_types),
            segments=None if subscription.segments is None else list(subscription.segments),
            least_magnitude=subscription.least_magnitude,
            ordered=subscription.ordered,
            body=subscription.body,
            max_in_flight=subscription.max_in_flight,
            state=subscription.state,
            state_reason=subscription.state_reason,
            state_since=moment_of(subscription.state_at),
            failing_since=_moment(subscription.failing_since),
            old_secret_expires_at=_moment(max(untils, default=None)),
        )


class SubscribedOut(SubscriptionOut):
    """A new subscription and, this once, its secret."""

    secret: str


class SubscriptionsOut(WireOut):
    """A page of subscriptions, in the order in which they were made."""

    webhooks: list[SubscriptionOut]
    next_cursor: str | None


class SecretOut(WireOut):
    """The new secret, this once."""

    secret: str
    old_expires_at: datetime | None = Field(description="until when the one before signs too; null: it does no more")


class DeliveryOut(WireOut):
    """A message owed to a subscription."""

    message_id: str
    type: MessageType
    state: DeliveryState
    reason: str | None = Field(
        description="why it was given up: attempts_exhausted, expired, erased, subscription_deleted"
    )
    created_at: datetime
    attempts: int = Field(description="how often it was tried")
    next_attempt_at: datetime | None = Field(description="null unless pending, or while an earlier one is waited for")
    settled_at: datetime | None = Field(description="when it was delivered or given up")

    @classmethod
    def of(cls, delivery: Delivery, subscription: Subscription) -> "DeliveryOut":
        """The delivery as it is shown, given its subscription."""
        return cls(**_delivery_fields(delivery, subscription))


class AttemptOut(WireOut):
    """One try to deliver."""

    at: datetime
    milliseconds: float
    status: int | None = Field(description="of the answer, if there was one")
    error: str | None = Field(description="in words why it failed; null: the receiver took it")
    excerpt: str | None = Field(description="the beginning of the answer's body, at most 1,000 characters")

    @classmethod
    def of(cls, attempt: PastAttempt) -> "AttemptOut":
        """A try as it is kept."""
        return cls(
            at=moment_of(attempt.begun_at),
            milliseconds=attempt.duration / MILLISECOND,
            status=attempt.status,
            error=attempt.error,
            excerpt=attempt.excerpt,
        )

    @classmethod
    def just_made(cls, tried: Tried) -> "AttemptOut":
        """A try of which nothing is kept."""
        return cls(
            at=moment_of(tried.begun_at),
            milliseconds=tried.attempt.duration / MILLISECOND,
            status=tried.attempt.status,
            error=tried.attempt.error,
            excerpt=tried.attempt.excerpt,
        )


class DeliveryTriesOut(DeliveryOut):
    """A delivery and its tries, in order; those of a message that is kept no longer are gone with it."""

    tries: list[AttemptOut]

    @classmethod
    def with_tries(cls, delivery: Delivery, subscription: Subscription, tries: list[PastAttempt]) -> "DeliveryTriesOut":
        """The delivery, its subscription given, with its tries."""
        return cls(**_delivery_fields(delivery, subscription), tries=[AttemptOut.of(each) for each in tries])


class DeliveriesOut(WireOut):
    """A page of deliveries, newest first."""

    deliveries: list[DeliveryOut]
    next_cursor: str | None


class TestedOut(WireOut):
    """What became of a signed test message; nothing of it is kept."""

    message_id: str
    attempt: AttemptOut


class RecoveredOut(WireOut):
    """How many were offered anew by this call; with `next_cursor` there may be more."""

    recovered: int
    next_cursor: str | None


def _delivery_fields(delivery: Delivery, subscription: Subscription) -> dict[str, Any]:
    state = delivery.shown_state(subscription.state)
    is_waiting = state is DeliveryState.PENDING and not delivery.is_under_way
    return {
        "message_id": wire_id(delivery.message_id),
        "type": delivery.type,
        "state": state,
        "reason": delivery.reason,
        "created_at": moment_of(delivery.created_at),
        "attempts": delivery.attempts,
        "next_attempt_at": _moment(delivery.due_at) if is_waiting else None,
        "settled_at": _moment(delivery.settled_at),
    }


def _moment(instant: Instant | None) -> datetime | None:
    return None if instant is None else moment_of(instant)
