"""Pages and looks back, on the wire."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from app.api.wire import AccountOut, BecauseOut, CrossingOut, EntryOut, LineOut, WireOut, shown
from app.domain.instant import moment_of
from app.domain.standing import Depth, Standing
from app.domain.tariff import Tariff
from app.operations.look_back import Seen


class CrossingsOut(WireOut):
    """A page of crossings."""

    crossings: list[CrossingOut]
    next_cursor: str | None


class UnknownOut(WireOut):
    """A customer of whom no interaction is on the ledger."""

    customer: str
    found: Literal[False] = False
    standing: Literal["no_evidence"] = "no_evidence"


class LookupOut(WireOut):
    """Accounts, in the order in which they were asked for."""

    customers: list[AccountOut | UnknownOut]


class EntriesOut(WireOut):
    """A page of the feed; `next_after` is where the next page begins."""

    entries: list[LineOut]
    next_after: int


class StatementOut(WireOut):
    """An account's entries booked in a period, with the balances around them."""

    customer: str
    opening_balance: int
    closing_balance: int
    entries: list[EntryOut]
    next_cursor: str | None


class HindsightOut(WireOut):
    """An account as it was: no crossing lies ahead of a look back."""

    customer: str
    balance: int
    felt: float
    standing: Standing
    depth: Depth | None
    segment: str | None
    value: float | None
    last_entry_at: datetime
    because: list[BecauseOut]

    @classmethod
    def of(cls, seen: Seen, customer: str, tariff: Tariff) -> "HindsightOut":
        """An account in hindsight, as the wire shows it."""
        then = seen.hindsight
        return cls(
            customer=customer,
            balance=then.balance,
            felt=shown(then.felt.balance),
            standing=then.place.standing,
            depth=then.place.depth,
            segment=seen.segment,
            value=seen.value,
            last_entry_at=moment_of(then.last_entry_at),
            because=[BecauseOut.of(share, tariff) for share in seen.because],
        )


class WorklistOut(WireOut):
    """A page of accounts, exact at the instant `at` over all its pages."""

    at: datetime
    customers: Sequence[AccountOut | HindsightOut]
    next_cursor: str | None
