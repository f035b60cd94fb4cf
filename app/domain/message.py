"""A message: what we tell others of one cause, once. `announcing` says which there are, `message_body` what it says."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from app.domain.instant import Instant
from app.domain.standing import Depth, Standing


class MessageType(StrEnum):
    """What a message is about, gravest first."""

    DEBIT_DEEP = "debit.deep"
    ACCOUNT_OVERDRAWN = "account.overdrawn"
    PROMISE_BROKEN = "promise.broken"
    BALANCE_DROPPED = "balance.dropped"
    ACCOUNT_RECOVERED = "account.recovered"
    ACCOUNT_DELIGHTED = "account.delighted"
    ACCOUNT_ABOUT_TO_BE_DELIGHTED = "account.about_to_be_delighted"
    ACCOUNT_STANDING_CHANGED = "account.standing_changed"
    ACCOUNT_MERGED = "account.merged"
    ACCOUNT_UNMERGED = "account.unmerged"
    POLICY_ADOPTED = "policy.adopted"
    IMPORT_FINISHED = "import.finished"
    CHECKPOINT_SIGNED = "checkpoint.signed"
    SUBSCRIPTION_DISABLED = "subscription.disabled"
    CAUSE_SUMMARY = "cause.summary"
    TEST = "test"


GRAVITY = tuple(MessageType)
ACCOUNT_PREFIX = "account."
OF_MERGES = frozenset({MessageType.ACCOUNT_MERGED, MessageType.ACCOUNT_UNMERGED})
ACCOUNT_TYPES = frozenset(each for each in MessageType if each.startswith(ACCOUNT_PREFIX)) - OF_MERGES
"""What a change of place may be told as; only these are ever quiet."""
OF_BOOK = frozenset(
    {
        MessageType.POLICY_ADOPTED,
        MessageType.IMPORT_FINISHED,
        MessageType.CHECKPOINT_SIGNED,
        MessageType.SUBSCRIPTION_DISABLED,
        MessageType.CAUSE_SUMMARY,
        MessageType.TEST,
    }
)
"""What is about no account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFacts:
    """One message of a book, but for its body. `type` is the gravest of `types`; `at` is its cause's instant,
    `created_at` its own.

    `number` is gapless from 1 in the book. `position` and `cause` are those of the last causing entry, `magnitude` that
    of the largest, 0 without one.
    """

    number: int
    message_id: UUID
    type: MessageType
    types: tuple[MessageType, ...]
    at: Instant
    created_at: Instant
    account_id: UUID | None
    position: int | None
    cause: str | None
    segment: str | None
    magnitude: int
    to_standing: Standing | None
    to_depth: Depth | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(MessageFacts):
    """A message to be kept and sent. `body` is JSON in UTF-8: the very bytes that are sealed, signed and sent."""

    body: bytes


def by_gravity(types: Iterable[MessageType]) -> tuple[MessageType, ...]:
    """The types, gravest first, each once."""
    return tuple(sorted(set(types), key=GRAVITY.index))
