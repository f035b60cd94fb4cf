"""A book's head row: the first thing every writer locks, and the last it writes."""

from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.entry import Head
from app.rows import head_of
from app.tables import books, policy_versions, tariff_versions


async def lock_head(tx: AsyncConnection, book: str) -> Head:
    """The book's head, locked until the transaction ends. Requires an existing book.

    On SQLite the write transaction itself is the lock (BEGIN IMMEDIATE).
    """
    row = (await tx.execute(select(books).where(books.c.book == book).with_for_update())).mappings().one()
    return head_of(row)


async def save_head(tx: AsyncConnection, head: Head) -> None:
    """Write the head; once in an append."""
    query = (
        update(books)
        .where(books.c.book == head.book)
        .values(
            position=head.position,
            hash=head.hash,
            booked_at=head.booked_at,
            tariff_version=head.tariff_version,
            policy_version=head.policy_version,
            replaying=head.replaying,
            replayed_to=head.replayed_to,
            messages=head.messages,
        )
    )
    await tx.execute(query)


async def insert_book(tx: AsyncConnection, row: dict[str, Any]) -> None:
    """Open a book."""
    await tx.execute(insert(books).values(row))


async def insert_tariff_version(tx: AsyncConnection, row: dict[str, Any]) -> None:
    """Keep one version of the tariff for ever."""
    await tx.execute(insert(tariff_versions).values(row))


async def insert_policy_version(tx: AsyncConnection, row: dict[str, Any]) -> None:
    """Keep one version of the policy for ever."""
    await tx.execute(insert(policy_versions).values(row))
