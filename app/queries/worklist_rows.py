"""The accounts of a worklist that no single statement gives: all of them, in chunks, in no particular order."""

from collections.abc import AsyncGenerator, Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.account import Account
from app.domain.instant import Instant
from app.domain.worklist import Filter, Moment
from app.queries.worklist_words import (
    COLUMNS,
    CURRENT,
    GIVEN,
    Shape,
    filtered,
    lists_of,
    settled,
    shape_of,
    unsettled,
    values_of,
)
from app.records import account_of_record
from app.sql import Sql, rows_of

CHUNK_ROWS = 1_000  # accounts held at once while all are looked at
FIRST = UUID(int=0)  # no account has it

_BY_ID = "a.account_id > :last ORDER BY a.account_id LIMIT :chunk"
_ALL = Sql(f"SELECT {COLUMNS} FROM accounts a WHERE {CURRENT} AND a.opened_at <= :at AND {_BY_ID}")  # noqa: S608 - of our own names
_UNSETTLED = unsettled(GIVEN)


async def settled_accounts(
    tx: AsyncConnection, book: str, *, moment: Moment, wanted: Filter
) -> AsyncGenerator[Account]:
    """The accounts that are settled at the moment and that the filter lets through."""
    values = values_of(book, moment) | lists_of(wanted)
    async for account in _by_id(tx, matching_statement(wanted), values):
        yield account


async def unsettled_accounts(tx: AsyncConnection, book: str, *, moment: Moment, after: UUID) -> AsyncGenerator[Account]:
    """The accounts after an id that are not settled, as they are stored."""
    async for account in _by_id(tx, _UNSETTLED, values_of(book, moment), after):
        yield account


async def opened_accounts(tx: AsyncConnection, book: str, *, at: Instant) -> AsyncGenerator[Account]:
    """The accounts that were open at an instant, as they are stored."""
    async for account in _by_id(tx, _ALL, {"book": book, "at": at}):
        yield account


def matching_statement(wanted: Filter) -> Sql:
    """The statement that reads the settled accounts that match."""
    return _matching(shape_of(wanted))


@lru_cache(maxsize=64)
def _matching(shape: Shape) -> Sql:
    kept = f"{CURRENT} AND {settled(GIVEN)}{filtered(shape)}"
    return Sql(f"SELECT {COLUMNS} FROM accounts a WHERE {kept} AND {_BY_ID}")  # noqa: S608 - of our own names


async def _by_id(
    tx: AsyncConnection, statement: Sql, values: Mapping[str, Any], last: UUID = FIRST
) -> AsyncGenerator[Account]:
    count = CHUNK_ROWS
    while count == CHUNK_ROWS:
        rows = await rows_of(tx, statement, **values, last=last, chunk=CHUNK_ROWS)
        for account in map(account_of_record, rows):
            yield account
            last = account.account_id
        count = len(rows)
