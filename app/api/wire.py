"""What callers get: points are signed integers, what is felt has two decimals, times are RFC 3339 in UTC."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

# `as`: the other rooms of the wire find the base here too.
from app.api.wire_base import InteractionNameOut as InteractionNameOut
from app.api.wire_base import LabelOut as LabelOut
from app.api.wire_base import PlaceOut as PlaceOut
from app.api.wire_base import WireOut as WireOut
from app.api.wire_base import shown as shown
from app.api.wire_explanation import ExplanationOut, GesturesOut
from app.api.wire_promise import PromiseOut
from app.domain.crossing import Cause, Crossing
from app.domain.entry import Entry
from app.domain.instant import moment_of
from app.domain.policy import Memory
from app.domain.share import Share
from app.domain.standing import Depth, Direction, Standing, direction_of
from app.domain.tariff import Tariff


class _EntryOut(WireOut):
    id: UUID
    position: int
    sequence: int
    interaction: InteractionNameOut
    kind: str
    direction: Direction
    magnitude: int
    points: int
    balance_after: int
    value_at: datetime
    booked_at: datetime
    memory: Memory
    tariff_version: int
    channel: str | None = None
    touchpoint: str | None = None
    journey: str | None = None
    case: str | None = None
    motive: str | None = None
    actor: str | None = None
    declared_by: str | None = None
    cause: str | None = None
    settles: str | None = None
    promise: str | None = None
    cost: float | None = None
    api_key: str = Field(description="the id of the API key that posted it")
    reverses: UUID | None
    reversed_by: UUID | None
    hash: str


class LineOut(_EntryOut):
    """One line of the ledger, whoever it is about."""

    customer: str | None = Field(description="null where the customer was forgotten")
    erased: bool


class EntryOut(_EntryOut):
    """One line of the ledger."""

    customer: str

    @classmethod
    def of(cls, entry: Entry, customer: str, reversed_by: UUID | None = None) -> "EntryOut":
        """The entry as the wire shows it."""
        context: dict[str, Any] = json.loads(entry.context)
        return cls(
            id=entry.entry_id,
            position=entry.position,
            customer=customer,
            sequence=entry.sequence,
            interaction=InteractionNameOut(source=entry.source, id=entry.external_id),
            kind=entry.kind,
            direction=direction_of(entry.points),
            magnitude=abs(entry.points),
            points=entry.points,
            balance_after=entry.balance_after,
            value_at=moment_of(entry.value_at),
            booked_at=moment_of(entry.booked_at),
            memory=entry.memory,
            tariff_version=entry.tariff_version,
            **context,
            api_key=entry.api_key_id,
            reverses=entry.reverses,
            reversed_by=reversed_by,
            hash=entry.hash.hex(),
        )


class BecauseOut(WireOut):
    """One of the entries that weigh most: its points, and what is still felt of them."""

    entry: UUID
    kind: str
    label: LabelOut | None
    points: int
    felt: float
    value_at: datetime

    @classmethod
    def of(cls, share: Share, tariff: Tariff) -> "BecauseOut":
        """The share, in the words of the tariff in force."""
        return cls(
            entry=UUID(share.entry.entry_id),
            kind=share.entry.kind,
            label=LabelOut.of(tariff.kinds.get(share.entry.kind)),
            points=share.entry.points,
            felt=shown(share.felt),
            value_at=moment_of(share.entry.value_at),
        )


class AccountOut(WireOut):
    """A customer's emotional bank account."""

    customer: str
    merged_into: str | None = Field(None, description="whose account it is, if the customer was merged")
    balance: int
    felt: float
    standing: Standing
    standing_since: datetime | None
    depth: Depth | None
    next_crossing_at: datetime | None
    sequence: int
    position: int
    segment: str | None
    value: float | None
    last_entry_at: datetime
    because: list[BecauseOut]
    recent: list[EntryOut] | None = Field(None, description="only with include=recent")
    explanation: ExplanationOut | None = Field(default=None, description="only with include=explanation")
    gestures: GesturesOut | None = Field(default=None, description="only with include=gestures")
    promises: list[PromiseOut] | None = Field(default=None, description="those not settled; only with include=promises")


class PostedOut(WireOut):
    """An interaction or a reversal on the ledger, and the account just after it."""

    entry: EntryOut
    account: AccountOut
    replayed: bool
    replacement: EntryOut | None = Field(None, description="the entry of a reversal's replacement")


class BalanceOut(WireOut):
    """An account's balance in four words."""

    balance: int
    felt: float
    standing: Standing
    depth: Depth | None


class CrossingOut(WireOut):
    """A change of standing or depth. `position` is that of the entry that caused it."""

    ordinal: int
    at: datetime
    cause: Cause
    from_: PlaceOut = Field(alias="from")
    to: PlaceOut
    position: int | None
    announced: bool

    @classmethod
    def of(cls, ordinal: int, crossing: Crossing, *, announced: bool) -> "CrossingOut":
        """The crossing as the wire shows it."""
        before, after = crossing.before, crossing.after
        return cls.model_validate(
            {
                "ordinal": ordinal,
                "at": moment_of(crossing.at),
                "cause": crossing.cause,
                "from": {"standing": before.standing, "depth": before.depth},
                "to": {"standing": after.standing, "depth": after.depth},
                "position": crossing.position,
                "announced": announced,
            }
        )
