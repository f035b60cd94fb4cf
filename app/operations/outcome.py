"""What became of one item of an append."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.account import Account
from app.domain.entry import Entry
from app.domain.errors import Refusal
from app.domain.immutable import immutable
from app.domain.promise import Promise


@immutable
class Posted:
    """The item is on the ledger: just now, or (`replayed`) since an earlier time.

    `account` is the account just after the entry, or as it is now if replayed. `replacement` is the entry
    that a reversal's replacement became, `promise` the promise as a request about it left it.
    """

    entry: Entry
    account: Account
    customer: str
    replayed: bool
    replacement: Entry | None = None
    promise: Promise | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The item left no trace but this answer."""

    refusal: Refusal


Outcome = Posted | Refused


def last_position(outcomes: Sequence[Outcome]) -> int | None:
    """The last position that these outcomes are newly on; None if they are on none."""
    posted = (each.entry.position for each in outcomes if isinstance(each, Posted) and not each.replayed)
    return max(posted, default=None)
