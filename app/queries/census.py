"""How many customers of each book stand where, for whoever watches the service."""

from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.tables import accounts, books, is_current


class Counted(NamedTuple):
    """So many accounts of a book are stored with a standing."""

    book: str
    standing: str
    accounts: int


async def census(tx: AsyncConnection) -> list[Counted]:
    """Each standing of each book, as it is stored; one that nobody has is absent. It looks at every account."""
    query = select(books.c.book, accounts.c.standing, func.count()).join(books, is_current())
    rows = await tx.execute(query.group_by(books.c.book, accounts.c.standing))
    return [Counted(book, standing, count) for book, standing, count in rows]
