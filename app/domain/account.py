"""An account: what is stored of a customer's emotional bank account between two entries."""

from typing import NamedTuple
from uuid import UUID

from app.domain.immutable import immutable
from app.domain.instant import Instant
from app.domain.memory import Masses
from app.domain.standing import NOWHERE_YET, Direction, Place


class LastEffective(NamedTuple):
    """The last credit or debit that is neither a reversal, nor reversed, nor of a system kind.

    Last is by (`value_at`, `sequence`).
    """

    value_at: Instant
    sequence: int
    direction: Direction


@immutable
class Account:
    """One customer's account in one book. `balance` in points; `masses` true at `masses.at`.

    `crossed_at` is the instant of the last recorded crossing, None before the first. `heaviest` holds the entries that
    may weigh most (`domain/share.py` reads it), None where only the lines can tell, as a fold leaves it.
    """

    account_id: UUID
    opened_at: Instant
    sequence: int = 0
    position: int = 0
    balance: int = 0
    masses: Masses
    last: LastEffective | None = None
    last_entry_at: Instant
    place: Place = NOWHERE_YET
    standing_since: Instant
    crossings: int = 0
    crossed_at: Instant | None = None
    look_again_at: Instant
    touched_at: Instant
    segment: str | None = None
    value: float | None = None
    heaviest: str | None = None


def opened(account_id: UUID, at: Instant) -> Account:
    """An account as its first interaction finds it: empty, without evidence."""
    return Account(
        account_id=account_id,
        opened_at=at,
        masses=Masses(at=at),
        last_entry_at=at,
        standing_since=at,
        look_again_at=at,
        touched_at=at,
    )
