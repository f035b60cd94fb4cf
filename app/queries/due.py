"""What is due: the accounts whose time to be looked at has come, and when the next one's comes."""

from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.account import Account
from app.domain.instant import Instant
from app.rows import account_of
from app.tables import accounts, books


async def accounts_due(tx: AsyncConnection, book: str, now: Instant, *, limit: int) -> list[Account]:
    """The accounts to look at again by now, those whose time came first."""
    query = select(accounts).where(accounts.c.book == book, accounts.c.look_again_at <= now)
    rows = (await tx.execute(query.order_by(accounts.c.look_again_at).limit(limit))).mappings()
    return [account_of(row) for row in rows]


async def next_due_at(tx: AsyncConnection, book: str) -> Instant | None:
    """When something is due next in a book, or has been since; None if nothing ever is."""
    due_at: Instant | None = (await tx.execute(select(_earliest(book)))).scalar()
    return due_at


async def next_due_by_book(tx: AsyncConnection) -> dict[str, Instant]:
    """When something is due next in each book but those that replay history; one look at an index for each."""
    query = select(books.c.book, _earliest(books.c.book)).where(~books.c.replaying)
    return {book: due_at for book, due_at in await tx.execute(query) if due_at is not None}


def _earliest(book: str | ColumnElement[str]) -> ScalarSelect[Any]:
    return select(func.min(accounts.c.look_again_at)).where(accounts.c.book == book).scalar_subquery()
