"""A delivery: one message owed to one subscription, tried until it is taken or given up."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from app.domain.instant import HOUR, MINUTE, SECOND, Instant
from app.domain.message import MessageType
from app.domain.subscription import SubscriptionState

DELAYS: tuple[Instant, ...] = (
    *(5 * SECOND, 5 * MINUTE, 30 * MINUTE),
    *(2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR),
)
"""After the first try, the second, and so on; after the last there is none."""

JITTER = 0.1  # of a delay, at most; it only adds, so that no receiver is asked sooner than is written down
RETRY_AFTER_MAX = 10 * HOUR

EXPIRED = "expired"
ERASED = "erased"
EXHAUSTED = "attempts_exhausted"
SUBSCRIPTION_DELETED = "subscription_deleted"


class DeliveryState(StrEnum):
    """What became of a delivery. `held` is a pending one whose subscription is not active; it is shown, not stored."""

    PENDING = "pending"
    HELD = "held"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class Queue:
    """The deliveries of one subscription."""

    book: str
    subscription_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """As it is kept. `attempts` counts all tries, `tries` those since it was last offered anew; `due_at` is null unless
    it is pending, and then if it waits for an earlier one of its customer."""

    number: int
    message_id: UUID
    type: MessageType
    account_id: UUID | None
    state: DeliveryState
    created_at: Instant
    due_at: Instant | None
    is_under_way: bool
    attempts: int
    settled_at: Instant | None
    reason: str | None
    has_body: bool

    def shown_state(self, subscription: SubscriptionState) -> DeliveryState:
        """The state, given its subscription's."""
        return shown_state(self.state, subscription)


def shown_state(stored: DeliveryState, subscription: SubscriptionState) -> DeliveryState:
    """What a pending delivery is depends on its subscription: held unless that is active, given up once deleted."""
    if stored is not DeliveryState.PENDING or subscription is SubscriptionState.ACTIVE:
        return stored
    return DeliveryState.GIVEN_UP if subscription is SubscriptionState.DELETED else DeliveryState.HELD


def stored_states(shown: Iterable[DeliveryState], subscription: SubscriptionState) -> list[DeliveryState]:
    """The states in which those that are shown as any of these are stored."""
    stored = (DeliveryState.PENDING, DeliveryState.DELIVERED, DeliveryState.GIVEN_UP)
    return [each for each in stored if shown_state(each, subscription) in set(shown)]


def next_due_at(tries: int, at: Instant, *, chance: float, retry_after_seconds: int | None) -> Instant | None:
    """When to try again after so many tries, the last of which failed at `at`; None if it was the last.

    `chance` in [0, 1) spreads what failed together. What the receiver asks for can only delay, and not for ever.
    """
    if tries > len(DELAYS):
        return None
    delay = int(DELAYS[tries - 1] * (1 + JITTER * chance))
    return at + max(delay, min((retry_after_seconds or 0) * SECOND, RETRY_AFTER_MAX))
