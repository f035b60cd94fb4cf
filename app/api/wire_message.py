"""What a message says, described: `domain/message_body.py` makes the very bytes, and a test holds the two together."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

from pydantic import Field

from app.api.wire import BecauseOut, EntryOut, PlaceOut, WireOut
from app.api.wire_checkpoint import CheckpointOut
from app.domain.message import MessageType

AccountMessageType = Literal[
    MessageType.DEBIT_DEEP,
    MessageType.ACCOUNT_OVERDRAWN,
    MessageType.PROMISE_BROKEN,
    MessageType.BALANCE_DROPPED,
    MessageType.ACCOUNT_RECOVERED,
    MessageType.ACCOUNT_DELIGHTED,
    MessageType.ACCOUNT_ABOUT_TO_BE_DELIGHTED,
    MessageType.ACCOUNT_STANDING_CHANGED,
    MessageType.ACCOUNT_MERGED,
    MessageType.ACCOUNT_UNMERGED,
]


class MessageOut(WireOut):
    """One message: the gravest `type`, all `types` that hold, and the instant of its cause."""

    timestamp: datetime = Field(description="when its cause was booked, or when time changed the standing")


class BalancesOut(WireOut):
    """The balance just before and just after the cause, in points."""

    before: int
    after: int


class FeltOut(WireOut):
    """The felt balance just before and just after the cause, in points."""

    before: float
    after: float


class NewsOut(WireOut):
    """What happened to one customer's account."""

    customer: str
    sequence: int = Field(description="of the account's last entry then")
    position: int | None = Field(description="of the last causing entry; null if time or a segment is the cause")
    from_: PlaceOut = Field(alias="from")
    to: PlaceOut
    balance: BalancesOut
    felt: FeltOut
    entries: list[EntryOut] = Field(description="the causing entries, the ten heaviest of them if there are more")
    because: list[BecauseOut] = Field(description="the three entries that weighed most just after")
    segment: str | None
    cause: str | None = Field(description="what the causing entries' context names as their `cause`")


class AccountMessageOut(MessageOut):
    """A message about one customer."""

    type: AccountMessageType
    types: list[AccountMessageType] = Field(description="gravest first")
    data: NewsOut


class AdoptedOut(WireOut):
    """The policy that is in force since then."""

    version: int
    api_key: str = Field(description="the id of the API key that adopted it")


class PolicyAdoptedOut(MessageOut):
    """Another policy is in force; what it changes of standings is not told account by account."""

    type: Literal[MessageType.POLICY_ADOPTED]
    types: list[Literal[MessageType.POLICY_ADOPTED]]
    data: AdoptedOut


class RowsOut(WireOut):
    """Rows by what became of them; `read` is the sum of the others."""

    read: int
    created: int
    replayed: int
    conflict: int
    refused: int
    skipped: int


class ImportedOut(WireOut):
    """What an import came to."""

    source: str | None = Field(description="of rows that named none")
    announced: bool = Field(description="whether messages were written of what it posted")
    rows: RowsOut


class ImportFinishedOut(MessageOut):
    """An import is done."""

    type: Literal[MessageType.IMPORT_FINISHED]
    types: list[Literal[MessageType.IMPORT_FINISHED]]
    data: ImportedOut


class CheckpointSignedOut(MessageOut):
    """A checkpoint of the ledger was signed."""

    type: Literal[MessageType.CHECKPOINT_SIGNED]
    types: list[Literal[MessageType.CHECKPOINT_SIGNED]]
    data: CheckpointOut


class DisabledOut(WireOut):
    """The subscription to which nothing is sent any more; its deliveries are held."""

    subscription: UUID
    description: str
    reason: str
    failing_since: datetime | None


class SubscriptionDisabledOut(MessageOut):
    """A subscription was disabled, since nothing arrives there."""

    type: Literal[MessageType.SUBSCRIPTION_DISABLED]
    types: list[Literal[MessageType.SUBSCRIPTION_DISABLED]]
    data: DisabledOut


class WorstOut(WireOut):
    """One message of many, without its entries."""

    message: str = Field(description="its id, as it would stand in webhook-id")
    type: AccountMessageType
    types: list[AccountMessageType]
    timestamp: datetime
    customer: str
    position: int | None
    to: PlaceOut
    felt: FeltOut
    balance: BalancesOut


class SummedUpOut(WireOut):
    """Many messages of one cause in short order, that were not sent one by one."""

    cause: str
    since: datetime
    count: int
    worst: list[WorstOut] = Field(description="the ten gravest")
    look: str = Field(description="where all of them are listed")


class CauseSummaryOut(MessageOut):
    """So many customers were struck by one cause that they are told of at once."""

    type: Literal[MessageType.CAUSE_SUMMARY]
    types: list[Literal[MessageType.CAUSE_SUMMARY]]
    data: SummedUpOut


class TriedOut(WireOut):
    """The subscription that is tried."""

    subscription: UUID


class TestOut(MessageOut):
    """Somebody tries whether messages arrive."""

    type: Literal[MessageType.TEST]
    types: list[Literal[MessageType.TEST]]
    data: TriedOut


MODELS: Mapping[MessageType, type[MessageOut]] = {
    **dict.fromkeys(get_args(AccountMessageType), AccountMessageOut),
    MessageType.POLICY_ADOPTED: PolicyAdoptedOut,
    MessageType.IMPORT_FINISHED: ImportFinishedOut,
    MessageType.CHECKPOINT_SIGNED: CheckpointSignedOut,
    MessageType.SUBSCRIPTION_DISABLED: SubscriptionDisabledOut,
    MessageType.CAUSE_SUMMARY: CauseSummaryOut,
    MessageType.TEST: TestOut,
}
"""What a message of each type is; a test compares it with the types."""


class MessageTypeOut(WireOut):
    """A type of message; `gravity` 1 is the gravest."""

    type: MessageType
    gravity: int
    description: str
    json_schema: Annotated[dict[str, Any], Field(serialization_alias="schema")]
    example: dict[str, Any]


class MessageTypesOut(WireOut):
    """The types of messages, gravest first."""

    message_types: list[MessageTypeOut]
