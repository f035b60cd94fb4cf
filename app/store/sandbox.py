"""Emptying a sandbox. Of any other book the triggers let nothing go."""

from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.entry import Head
from app.domain.instant import Instant
from app.tables import api_keys, books, metadata, policy_adoptions, policy_versions, tariff_versions

_KEPT = {books, api_keys, tariff_versions, policy_versions}


async def empty_book(tx: AsyncConnection, head: Head, *, wrapped_key: bytes, now: Instant) -> None:
    """Delete what is in the book but its API keys; the rules in force are as if adopted now, before the first entry.

    Requires the locked head. Caches know rules by their version, so that stays; what told of it goes with the rest.
    """
    # First, so that nobody prepares accounts for it any more.
    await tx.execute(delete(policy_adoptions).where(policy_adoptions.c.book == head.book))
    for table in metadata.tables.values():
        if table not in _KEPT:
            await tx.execute(delete(table).where(table.c.book == head.book))
    await tx.execute(update(books).where(books.c.book == head.book).values(wrapped_key=wrapped_key))
    await _begin_anew(tx, tariff_versions, head.book, head.tariff_version, now)
    await _begin_anew(tx, policy_versions, head.book, head.policy_version, now, announced=False)


async def _begin_anew(tx: AsyncConnection, table: Table, book: str, version: int, now: Instant, **others: bool) -> None:
    in_force = select(table).where(table.c.book == book, table.c.version == version)
    row = dict((await tx.execute(in_force)).mappings().one())
    await tx.execute(delete(table).where(table.c.book == book))
    await tx.execute(insert(table).values({**row, "from_position": 0, "adopted_at": now, **others}))
