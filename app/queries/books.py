"""A book's head, its key and the rules in force."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.entry import Head
from app.rows import head_of
from app.sealing.keys import Key, MasterKey, book_place
from app.sql import Record, Sql, rows_of
from app.tables import books, policy_versions

_TARIFF = Sql("SELECT document FROM tariff_versions WHERE book = :book AND version = :version")
_POLICY = Sql("SELECT document FROM policy_versions WHERE book = :book AND version = :version")
_KEY = Sql("SELECT b.wrapped_key FROM books b WHERE b.book = :book")
_SWITCHES = Sql(
    "SELECT version, from_position, adopted_at FROM policy_versions"
    " WHERE book = :book AND version <= :up_to ORDER BY version"
)


async def head(tx: AsyncConnection, book: str) -> Head | None:
    """The book's head, None if there is no such book."""
    row = (await tx.execute(select(books).where(books.c.book == book))).mappings().first()
    return None if row is None else head_of(row)


async def book_key(tx: AsyncConnection, book: str, master_key: MasterKey) -> Key:
    """The book's own key, which names customers; MasterKeyMismatch if the master key does not open it."""
    return master_key.unwrap(await wrapped_key_of(tx, book), book_place(book))


async def wrapped_key_of(tx: AsyncConnection, book: str) -> bytes:
    """The same as it is kept. Requires an existing book."""
    ((wrapped,),) = await rows_of(tx, _KEY, book=book)
    return bytes(wrapped)


async def tariff_document(tx: AsyncConnection, book: str, version: int) -> Any | None:
    """The JSON document of one tariff version, None if there is no such version."""
    return _document(await rows_of(tx, _TARIFF, book=book, version=version))


async def policy_document(tx: AsyncConnection, book: str, version: int) -> Any | None:
    """The JSON document of one policy version, None if there is no such version."""
    return _document(await rows_of(tx, _POLICY, book=book, version=version))


def _document(rows: Sequence[Record]) -> Any | None:
    return json.loads(rows[0][0]) if rows else None


async def policy_version_at(tx: AsyncConnection, book: str, instant: int) -> int:
    """The version of the policy in force at an instant. What was adopted before the first entry counts from ever."""
    query = select(func.max(policy_versions.c.version)).where(
        policy_versions.c.book == book,
        or_(policy_versions.c.adopted_at <= instant, policy_versions.c.from_position == 0),
    )
    return int((await tx.execute(query)).scalar() or 1)


async def policy_switches(tx: AsyncConnection, book: str, *, up_to: int) -> list[tuple[int, int, int]]:
    """Of each version up to one, in order: the version, its from_position and its adopted_at."""
    return [(version, position, at) for version, position, at in await rows_of(tx, _SWITCHES, book=book, up_to=up_to)]


async def check_master_key(tx: AsyncConnection, master_key: MasterKey) -> None:
    """Try the master key on a book, if there is one; MasterKeyMismatch if it does not open it."""
    row = (await tx.execute(select(books.c.book, books.c.wrapped_key).order_by(books.c.created_at).limit(1))).first()
    if row is not None:
        master_key.unwrap(row.wrapped_key, book_place(row.book))


async def has_books(tx: AsyncConnection) -> bool:
    """Whether any book is open."""
    return (await tx.execute(select(books.c.book).limit(1))).first() is not None
