"""Sandboxes in the tests: one to open, its clock, and what is stored in a book whatever its accounts are called."""

import itertools
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from app.domain.api_key import Scope
from app.domain.entry import Head
from app.domain.instant import DAY
from app.operations.manage_keys import create_key
from app.operations.sandbox import Passage, advance_clock
from app.queries.books import head
from app.tables import accounts, crossings, entries, messages, promises
from tests.conftest import Bench
from tests.operations.posting import account_of
from tests.operations.stories import stored

_numbers = itertools.count(1)
_ITS_OWN = {"book", "account_id", "entry_id", "made_by", "moved_by", "settled_by", "reverses", "heaviest"}
_ITS_OWN |= {"sealed", "content_hash", "hash", "touched_at", "message_id", "number", "body", "created_at"}


async def new_sandbox(bench: Bench) -> str:
    """One more sandbox on the same database."""
    book = f"test_box-{next(_numbers)}"
    await create_key(bench.ledger, book, name="tests", scopes=[Scope.ADMIN])
    return book


async def days_pass(bench: Bench, book: str, days: float, *, limit: int = 200) -> Passage:
    """Move a sandbox's clock ahead."""
    return await advance_clock(bench.ledger, book, by=int(days * DAY), limit=limit)


async def head_of(bench: Bench, book: str) -> Head:
    """A book's head."""
    async with bench.ledger.database.read(book) as tx:
        found = await head(tx, book)
    assert found is not None
    return found


async def told(bench: Bench, book: str, customers: Iterable[str]) -> list[str]:
    """What is stored in a book, a line for each fact, but for what differs between any two: ids, keys and hashes."""
    whose = {(await account_of(bench, customer, book)).account_id: customer for customer in customers}
    tables = await stored(bench, entries, accounts, crossings, messages, promises, book=book)
    return [
        f"{name} {number} of {whose[row['account_id']]}: {column} {value}"
        for name, rows in tables.items()
        for number, row in enumerate(sorted(rows, key=partial(_place, name, whose)))
        for column, value in row.items()
        if column not in _ITS_OWN
    ]


def _place(table: str, whose: Mapping[UUID, str], row: dict[str, Any]) -> tuple[Any, ...]:
    keys = {"entries": "position", "crossings": "ordinal", "messages": "number", "promises": "id"}
    return row["position"] if table == "entries" else whose[row["account_id"]], row.get(keys.get(table, ""))
