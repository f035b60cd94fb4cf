"""A subscription: who asked to be told, of what, and whether it is told just now."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from app.domain.instant import DAY, Instant
from app.domain.message import Message, MessageType

FAILING_MAX = 5 * DAY
"""A subscription that has known nothing but failures for so long is disabled."""

GONE = "gone"
FAILING = "failing"
"""Why a subscription is disabled: it answered 410 Gone, or failed for FAILING_MAX."""

NAMED_ONLY = frozenset({MessageType.ACCOUNT_ABOUT_TO_BE_DELIGHTED, MessageType.CHECKPOINT_SIGNED})
"""A worklist rather than an alarm, and what is for programs to keep: no wildcard means them."""

WILDCARDS = ("*", *sorted({f"{each.partition('.')[0]}.*" for each in set(MessageType) - NAMED_ONLY if "." in each}))


class SubscriptionState(StrEnum):
    """Whether a subscription's deliveries are sent, or held until it is active again."""

    ACTIVE = "active"
    PAUSED = "paused"
    DISABLED = "disabled"
    DELETED = "deleted"


class BodyForm(StrEnum):
    """What is sent: the message itself, or what a chat's incoming webhook wants."""

    STANDARD = "standard"
    SLACK = "slack"
    TEAMS = "teams"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Who asked. `sealed_url` and `sealed_secrets` are sealed with the book's key.

    `failing_since` is when the first of an unbroken row of failures began.
    """

    subscription_id: UUID
    created_at: Instant
    description: str
    sealed_url: bytes
    message_types: tuple[str, ...]
    segments: tuple[str, ...] | None
    least_magnitude: int | None
    ordered: bool
    body: BodyForm
    state: SubscriptionState
    state_reason: str | None
    state_at: Instant
    sealed_secrets: bytes
    failing_since: Instant | None
    max_in_flight: int

    @property
    def may_send(self) -> int:
        """How many deliveries may be in flight: one, to see whether it is back, while it fails."""
        return 1 if self.failing_since is not None else self.max_in_flight


def matches(subscription: Subscription, message: Message) -> bool:
    """Whether the message is for the subscription: by any of its types, and by the filters if it is of an account."""
    return covers(subscription.message_types, message.types) and (
        message.account_id is None
        or (_is_in_segment(subscription, message) and _is_large_enough(subscription, message))
    )


def covers(wanted: tuple[str, ...], types: tuple[MessageType, ...]) -> bool:
    """Whether any of the types is wanted, by its name or by a wildcard."""
    return any(_means(pattern, each) for pattern in wanted for each in types)


def is_known_pattern(pattern: str) -> bool:
    """Whether it is a type of message or a wildcard that means some."""
    return pattern in WILDCARDS or pattern in set(MessageType)


def _means(pattern: str, each: MessageType) -> bool:
    if pattern == each:
        return True
    return each not in NAMED_ONLY and (pattern == "*" or (pattern[-1] == "*" and each.startswith(pattern[:-1])))


def _is_in_segment(subscription: Subscription, message: Message) -> bool:
    return subscription.segments is None or message.segment in subscription.segments


def _is_large_enough(subscription: Subscription, message: Message) -> bool:
    """What time alone did has no magnitude, and passes."""
    least = subscription.least_magnitude
    return least is None or message.position is None or message.magnitude >= least
