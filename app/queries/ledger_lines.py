"""The ledger's lines in order: the feed, a statement, and everything of one account or of all."""

from collections.abc import AsyncGenerator, Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.entry import Entry
from app.domain.instant import Instant
from app.queries.chunks import chunks
from app.records import entry_of_record
from app.rows import Row, entry_of
from app.tables import account_keys, entries

_ACCOUNT_ID = list(entries.c).index(entries.c.account_id)
_STREAM_ROWS = 1_000  # rows held at once while streaming


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An entry and the entry that reversed it, if one did."""

    entry: Entry
    reversed_by: UUID | None


async def feed(tx: AsyncConnection, book: str, *, after: int, limit: int) -> list[Line]:
    """The lines after a position, in order: gapless, for ever."""
    query = _lines().where(entries.c.book == book, entries.c.position > after).order_by(entries.c.position)
    return await _fetched(tx, query.limit(limit))


async def lines_of_account(
    tx: AsyncConnection,
    book: str,
    account_id: UUID,
    *,
    after: int = 0,
    start: Instant | None = None,
    end: Instant | None = None,
    limit: int | None = None,
) -> list[Line]:
    """An account's lines after a sequence, booked in [start, end), in order."""
    query = _lines().where(
        entries.c.book == book,
        entries.c.account_id == account_id,
        entries.c.sequence > after,
        *([] if start is None else [entries.c.booked_at >= start]),
        *([] if end is None else [entries.c.booked_at < end]),
    )
    return await _fetched(tx, query.order_by(entries.c.sequence).limit(limit))


async def entries_of_accounts(
    tx: AsyncConnection, book: str, account_ids: Collection[UUID], *, after: int, limit: int
) -> list[Entry]:
    """The first entries of these accounts after a position, in order."""
    found: list[Entry] = []
    for account_id in account_ids:
        query = select(entries).where(entries.c.book == book, entries.c.account_id == account_id)
        # In the order of its sequences, which is that of its positions too, and has an index.
        query = query.where(entries.c.position > after).order_by(entries.c.sequence).limit(limit)
        found += [entry_of(row) for row in (await tx.execute(query)).mappings()]
    return sorted(found, key=lambda entry: entry.position)[:limit]


_IS_REMEMBERED = exists().where(
    account_keys.c.book == entries.c.book, account_keys.c.account_id == entries.c.account_id
)


async def entries_in_order(tx: AsyncConnection, book: str, *, after: int = 0) -> AsyncGenerator[Entry]:
    """Every entry of a book by position, streamed in bounded memory."""
    query = select(entries).where(entries.c.book == book, entries.c.position > after).order_by(entries.c.position)
    async for records in chunks(tx, query):
        for record in records:
            yield entry_of_record(record)


async def entries_by_account(
    tx: AsyncConnection,
    book: str,
    *,
    up_to: int | None = None,
    account_ids: Collection[UUID] | None = None,
    is_remembered: bool = False,
) -> AsyncGenerator[list[Entry]]:
    """Each account's entries, by sequence, up to a position; a few accounts in memory at a time, ordered by id.

    If it `is_remembered`: of customers who were not forgotten since.
    """
    query = _by_account(book).where(
        *([] if up_to is None else [entries.c.position <= up_to]),
        *([] if account_ids is None else [entries.c.account_id.in_(account_ids)]),
        *([_IS_REMEMBERED] if is_remembered else []),
    )
    own: list[Entry] = []
    own_id: object = None
    async for records in chunks(tx, query):
        for record in records:
            account_id = record[_ACCOUNT_ID]
            if account_id != own_id:
                if own:
                    yield own
                own, own_id = [], account_id
            own.append(entry_of_record(record))
    if own:
        yield own


async def entries_in_chunks(tx: AsyncConnection, book: str) -> AsyncGenerator[list[Entry]]:
    """Every entry of a book by account id and sequence, in chunks that begin and end wherever it may be."""
    async for records in chunks(tx, _by_account(book)):
        yield [entry_of_record(record) for record in records]


def _by_account(book: str) -> Select[Any]:
    return select(entries).where(entries.c.book == book).order_by(entries.c.account_id, entries.c.sequence)


async def count_entries(tx: AsyncConnection, book: str) -> int:
    """How many entries a book holds."""
    query = select(func.count()).select_from(entries).where(entries.c.book == book)
    return int((await tx.execute(query)).scalar_one())


async def streamed(tx: AsyncConnection, query: Select[Any]) -> AsyncGenerator[Row]:
    """The rows that a query gives, in bounded memory."""
    result = await tx.stream(query.execution_options(yield_per=_STREAM_ROWS))
    async for rows in result.mappings().partitions():
        for row in rows:
            yield row


def _lines() -> Select[tuple[object, ...]]:
    reversal = entries.alias("reversal")
    joined = entries.outerjoin(
        reversal, and_(reversal.c.book == entries.c.book, reversal.c.reverses == entries.c.entry_id)
    )
    return select(entries, reversal.c.entry_id.label("reversed_by")).select_from(joined)


async def _fetched(tx: AsyncConnection, query: Select[tuple[object, ...]]) -> list[Line]:
    rows = (await tx.execute(query)).mappings()
    return [Line(entry=entry_of(row), reversed_by=row["reversed_by"]) for row in rows]
