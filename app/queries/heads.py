"""The heads of all books, for whoever looks after the whole database rather than after one book."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.entry import Head
from app.rows import head_of
from app.tables import books


async def all_heads(tx: AsyncConnection) -> list[tuple[Head, bytes]]:
    """Each book's head and its wrapped key, by name."""
    rows = (await tx.execute(select(books).order_by(books.c.book))).mappings()
    return [(head_of(row), row["wrapped_key"]) for row in rows]
