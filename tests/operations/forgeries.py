"""The ledger forged by hand, many ways; each names the law that it breaks and where that shows."""

from typing import Any
from uuid import UUID

from sqlalchemy import Executable, Table, delete, insert, literal, select, update

from app.domain.instant import DAY
from app.tables import account_keys, aliases, books, customer_changes, entries
from tests.conftest import NOON
from tests.operations.corruptions import BOOK, STRANGER, Corruption, at_account


def of_entry(name: str, law: int, position: int, **values: object) -> Corruption:
    """An entry with other values."""
    changed = update(entries).where(entries.c.book == BOOK, entries.c.position == position).values(**values)
    return Corruption(name=name, law=law, where=f"position {position}", spoil=lambda _: [changed])


def of_head(name: str, law: int, **values: object) -> Corruption:
    """A head with other values."""
    changed = update(books).where(books.c.book == BOOK).values(**values)
    return Corruption(name=name, law=law, where="head", spoil=lambda _: [changed])


def of_ada(name: str, law: int, table: Table, **values: object) -> Corruption:
    """What is stored of her in a table with other values; gone without any."""

    def spoil(ada: UUID) -> list[Executable]:
        return [at_account(update(table).values(**values) if values else delete(table), table, ada)]

    return Corruption(name=name, law=law, where="account {ada}", spoil=spoil)


def _moved(position: int, to: int) -> Executable:
    return update(entries).where(entries.c.book == BOOK, entries.c.position == position).values(position=to)


def _silenced(position: int) -> Executable:
    return update(entries).where(entries.c.book == BOOK, entries.c.position == position).values(silent=True)


def _deleted(position: int) -> list[Executable]:
    return [delete(entries).where(entries.c.book == BOOK, entries.c.position == position)]


def _with_account(position: int, account_id: Any) -> Executable:
    named = entries.c.book == BOOK, entries.c.position == position
    return update(entries).where(*named).values(account_id=account_id)


def _owner(position: int) -> Any:
    return select(entries.c.account_id).where(entries.c.book == BOOK, entries.c.position == position).scalar_subquery()


def _doubled(position: int, to: int) -> Executable:
    """The same line again at another position, with names of its own."""
    own = {"position": to, "sequence": 9, "entry_id": STRANGER, "external_id": "forged"}
    columns = [literal(own[c.name], c.type) if c.name in own else c for c in entries.c]
    row = select(*columns).where(entries.c.book == BOOK, entries.c.position == position)
    return insert(entries).from_select([c.name for c in entries.c], row)


def _with_name(whose: Any, account_id: Any) -> Executable:
    named = aliases.c.book == BOOK, aliases.c.account_id == whose
    return update(aliases).where(*named).values(account_id=account_id)


LEDGER = [
    of_entry("points changed", 2, 2, points=-5),
    of_entry("points changed, seen in the chain", 3, 2, points=-5),
    of_entry("balance_after changed", 2, 2, balance_after=0),
    of_entry("kind changed", 3, 2, kind="apology.first"),
    of_entry("value_at changed", 3, 2, value_at=NOON - DAY),
    of_entry("entry_id changed", 3, 4, entry_id=STRANGER),
    of_entry("source changed", 3, 4, source="shop"),
    of_entry("external id changed", 3, 4, external_id="another"),
    of_entry("api key changed", 3, 4, api_key_id="another"),
    of_entry("memory changed", 3, 4, memory="deep"),
    of_entry("booked_at changed by a microsecond", 3, 4, booked_at=entries.c.booked_at + 1),
    Corruption(name="said to be silent", law=6, where="account {ada} crossing 1", spoil=lambda _: [_silenced(1)]),
    of_entry("sealed content changed", 3, 4, sealed=b"\0" * 60),
    of_entry("sealed content cut short", 3, 4, sealed=b"\0"),
    of_entry("context changed", 3, 4, context="{}"),
    of_entry("hash changed", 3, 4, hash=b"\0" * 32),
    of_entry("content hash changed", 3, 4, content_hash=b"\0" * 32),
    of_entry("booked_at falling", 1, 3, booked_at=NOON - DAY),
    of_entry("a gap in the sequences", 1, 10, sequence=9),
    of_entry("a tariff that never was", 3, 4, tariff_version=9),
    of_entry("another account", 1, 10, account_id=STRANGER),
    of_entry("a reversal of nothing", 4, 7, reverses=STRANGER),
    of_entry("a reversal of other points", 4, 7, points=79),
    of_entry("a memory that is none", 3, 4, memory="golden"),
    of_head("head at another position", 3, position=9),
    of_head("head with another hash", 3, hash=b"\0" * 32),
    of_head("head behind its entries", 1, booked_at=NOON),
    of_head("replayed beyond the end", 1, replayed_to=11),
    of_head("a clock ahead in a live book", 1, clock_ahead=1),
    of_head("no such tariff", 3, tariff_version=9),
    Corruption(name="last entry deleted", law=3, where="head", spoil=lambda _: _deleted(10)),
    Corruption(name="an entry deleted", law=1, where="position 5", spoil=lambda _: _deleted(4)),
    Corruption(
        name="positions swapped",
        law=1,
        where="position 2",
        spoil=lambda _: [_moved(2, 99), _moved(4, 2), _moved(99, 4)],
    ),
    Corruption(name="an entry inserted at the end", law=3, where="position 11", spoil=lambda _: [_doubled(10, 11)]),
    Corruption(
        name="an entry inserted before another",
        law=3,
        where="position 10",
        spoil=lambda _: [_moved(10, 11), _doubled(9, 10)],
    ),
    Corruption(
        name="two entries' accounts swapped",
        law=3,
        where="position 5",
        spoil=lambda _: [_with_account(3, STRANGER), _with_account(5, _owner(6)), _with_account(3, _owner(7))],
    ),
    Corruption(
        name="two customers' names swapped",
        law=3,
        where="account {ada}",
        spoil=lambda ada: [_with_name(_owner(3), STRANGER), _with_name(ada, _owner(3)), _with_name(STRANGER, ada)],
    ),
    of_ada("a customer's name given to another hash", 3, aliases, alias_hash=b"\0" * 32),
    of_ada("a customer's name gone", 3, aliases),
    of_head("the book's key damaged", 3, wrapped_key=b"\0" * 92),
    of_ada("key gone", 3, account_keys),
    of_ada("key damaged", 3, account_keys, wrapped_key=b"\0" * 92),
    of_ada("another value in what was known of the customer", 5, customer_changes, value=1.0),
    of_ada("what was known of the customer is gone", 5, customer_changes),
    Corruption(name="all gone but the head", law=3, where="head", spoil=lambda _: [delete(entries)]),
]
"""What no rebuild can mend."""
