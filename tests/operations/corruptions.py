"""One row spoiled by hand, many ways; each names the law that it breaks and where that shows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Executable, Table, Text, delete, func, insert, literal, select, update

from app.domain.instant import YEAR
from app.tables import accounts, crossings
from tests.conftest import NOON

BOOK = "acme"
STRANGER = UUID(int=7)

Spoil = Callable[[UUID], list[Executable]]
"""What to execute, given ada's account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Corruption:
    """How to spoil a told book, and what verify must then say; `{ada}` in `where` is her account's id."""

    name: str
    law: int
    where: str
    spoil: Spoil


def of_account(name: str, law: int = 5, **values: object) -> Corruption:
    """Ada's account with other values."""
    return Corruption(
        name=name,
        law=law,
        where="account {ada}",
        spoil=lambda ada: [at_account(update(accounts), accounts, ada).values(**values)],
    )


def of_crossing(name: str, where: str, change: Callable[[Any], Executable], ordinal: int = 2) -> Corruption:
    """Something done to one of ada's crossings; `change` gets the condition that names it."""

    def spoil(ada: UUID) -> list[Executable]:
        return [change((crossings.c.book == BOOK) & (crossings.c.account_id == ada) & (crossings.c.ordinal == ordinal))]

    return Corruption(name=name, law=5, where=where, spoil=spoil)


def at_account(statement: Any, table: Table, account_id: UUID) -> Any:
    return statement.where(table.c.book == BOOK, table.c.account_id == account_id)


def _copied(table: Table, of: UUID, **values: object) -> list[Executable]:
    """A row for another account or ordinal: the same in all else."""
    columns = [literal(values[c.name], c.type) if c.name in values else c for c in table.c]
    row = at_account(select(*columns), table, of).limit(1)
    return [insert(table).from_select([c.name for c in table.c], row)]


def _heaviest(text: str) -> Any:
    """As if that were so at the account's last entry."""
    return accounts.c.sequence.cast(Text) + literal(f" {text}")


PROJECTIONS = [
    of_account("balance changed", 2, balance=1),
    of_account("a mass changed", 4, credits_lasting=accounts.c.credits_lasting + 1e-6),
    of_account("fresh changed", 4, fresh=0.0),
    of_account("masses of another instant", 4, masses_at=accounts.c.masses_at + 1),
    of_account("heaviest entries forgotten", 4, heaviest=_heaviest("[]")),
    of_account("heaviest entries that are none", 4, heaviest=_heaviest("many")),
    of_account("points of a heavy entry changed", 4, heaviest=func.replace(accounts.c.heaviest, ",-20,", ",-21,")),
    of_account("standing changed", standing="overdrawn", depth="slight"),
    of_account("a standing that is none", standing="sad"),
    of_account("depth changed", depth="deep"),
    of_account("standing_since changed", standing_since=NOON),
    of_account("count of crossings changed", crossings=1),
    of_account("look_again_at moved later", look_again_at=accounts.c.look_again_at + 9 * YEAR),
    of_account("look_again_at before a crossing", look_again_at=NOON),
    of_account("last effective entry changed", last_sequence=1),
    of_account("last direction changed", last_direction="debit"),
    of_account("last effective entry forgotten", last_value_at=None, last_sequence=None, last_direction=None),
    of_account("last_entry_at changed", last_entry_at=NOON),
    of_account("opened_at changed", opened_at=NOON - 1),
    of_account("touched_at changed", touched_at=NOON),
    of_account("crossed_at changed", crossed_at=NOON),
    of_account("crossed_at lost", crossed_at=None),
    of_account("sequence changed", sequence=3),
    of_account("position changed", position=9),
    of_account("segment changed", segment="vip"),
    of_account("value changed", value=1.0),
    of_account("value lost", value=None),
    of_crossing("crossing deleted", "account {ada} crossing 2", lambda it: delete(crossings).where(it)),
    of_crossing(
        "crossing at another instant",
        "account {ada} crossing 2",
        lambda it: update(crossings).where(it).values(at=crossings.c.at + 1),
    ),
    of_crossing(
        "crossing of another cause",
        "account {ada} crossing 2",
        lambda it: update(crossings).where(it).values(cause="policy"),
    ),
    of_crossing(
        "crossing to elsewhere",
        "account {ada} crossing 2",
        lambda it: update(crossings).where(it).values(to_standing="steady", to_depth=None),
    ),
    of_crossing(
        "crossing from elsewhere",
        "account {ada} crossing 2",
        lambda it: update(crossings).where(it).values(from_depth="deep"),
    ),
    of_crossing(
        "crossing of another position",
        "account {ada} crossing 2",
        lambda it: update(crossings).where(it).values(position=9),
    ),
    of_crossing(
        "crossing with another ordinal", "account {ada}", lambda it: update(crossings).where(it).values(ordinal=77)
    ),
    of_crossing("crossing that is none", "account {ada}", lambda it: update(crossings).where(it).values(cause="whim")),
    Corruption(
        name="crossing added",
        law=5,
        where="account {ada} crossing 4",
        spoil=lambda ada: _copied(crossings, ada, ordinal=4),
    ),
    Corruption(
        name="crossing of nobody",
        law=5,
        where=f"account {STRANGER}",
        spoil=lambda ada: _copied(crossings, ada, account_id=STRANGER),
    ),
    Corruption(
        name="account of nobody",
        law=2,
        where=f"account {STRANGER}",
        spoil=lambda ada: _copied(accounts, ada, account_id=STRANGER),
    ),
]
"""What a rebuild mends."""
