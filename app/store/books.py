"""A book's head row: the first thing every writer locks, and the last it writes."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.entry import Head
from app.records import head_of_record, wrapped_key_of_record
from app.sql import Sql, Step, columns_of, rows_of, run
from app.tables import books, policy_versions, tariff_versions

_WRITTEN = tuple(name for name in Head.__dataclass_fields__ if name != "book")
_LOCK = Sql(f"SELECT {columns_of(books, 'b')} FROM books b WHERE b.book = :book", lock=True)  # noqa: S608 - our own columns
_SAVE = Sql(f"UPDATE books SET {', '.join(f'{name} = :{name}' for name in _WRITTEN)} WHERE book = :book")  # noqa: S608 - of our own names


@dataclass(frozen=True, slots=True)
class Locked:
    """A book's head, which nobody else can move now, and its wrapped key."""

    head: Head
    wrapped_key: bytes = field(repr=False)


async def lock_book(tx: AsyncConnection, book: str) -> Locked:
    """The book, locked until the transaction ends. Requires an existing book.

    On SQLite the write transaction itself is the lock (BEGIN IMMEDIATE).
    """
    (row,) = await rows_of(tx, _LOCK, book=book)
    return Locked(head_of_record(row), wrapped_key_of_record(row))


async def lock_head(tx: AsyncConnection, book: str) -> Head:
    """The book's head, locked until the transaction ends. Requires an existing book."""
    return (await lock_book(tx, book)).head


def saving_head(head: Head) -> Step:
    """The step that writes the head; once in an append."""
    return _SAVE, {name: getattr(head, name) for name in Head.__dataclass_fields__}


async def save_head(tx: AsyncConnection, head: Head) -> None:
    """Write the head."""
    await run(tx, saving_head(head))


async def insert_book(tx: AsyncConnection, row: dict[str, Any]) -> None:
    """Open a book."""
    await tx.execute(insert(books).values(row))


async def insert_tariff_version(tx: AsyncConnection, row: dict[str, Any]) -> None:
    """Keep one version of the tariff for ever."""
    await tx.execute(insert(tariff_versions).values(row))


async def insert_policy_version(tx: AsyncConnection, row: dict[str, Any]) -> None:
    """Keep one version of the policy for ever."""
    await tx.execute(insert(policy_versions).values(row))
