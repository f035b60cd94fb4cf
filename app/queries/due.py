"""What is due: the accounts whose time to be looked at has come, when the next one's comes, and promise steps' too."""

from typing import Any

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.account import Account
from app.domain.entry import Head
from app.domain.instant import Instant
from app.records import account_of_record
from app.sql import Sql, columns_of, rows_of
from app.tables import accounts, books, current_accounts, is_current, promises

_DUE = Sql(
    f"SELECT {columns_of(accounts, 'a')} FROM accounts a WHERE a.book = :book AND a.generation = :generation"  # noqa: S608 - our own columns
    " AND a.look_again_at <= :now ORDER BY a.look_again_at LIMIT :limit"
)


async def accounts_due(tx: AsyncConnection, head: Head, now: Instant, *, limit: int) -> list[Account]:
    """The accounts of a book to look at again by now, those whose time came first."""
    rows = await rows_of(tx, _DUE, book=head.book, generation=head.generation, now=now, limit=limit)
    return [account_of_record(row) for row in rows]


async def next_due_at(tx: AsyncConnection, book: str) -> Instant | None:
    """When something is due next in a book, or has been since; None if nothing ever is."""
    account_at, step_at = (await tx.execute(select(*_earliest()).where(books.c.book == book))).one()
    return _first(account_at, step_at)


async def next_due_by_book(tx: AsyncConnection) -> dict[str, Instant]:
    """When, by the real clock, something is due next in each book but those that replay history.

    One look at each index for each book.
    """
    query = select(books.c.book, books.c.clock_ahead, *_earliest()).where(~books.c.replaying)
    found = [(book, ahead, _first(*earliest)) for book, ahead, *earliest in await tx.execute(query)]
    return {book: due_at - ahead for book, ahead, due_at in found if due_at is not None}


async def full_batch_at(tx: AsyncConnection, book: str, *, by: Instant, limit: int) -> Instant | None:
    """When so many accounts are due, or so many promises, whichever is sooner; None if neither are by then."""
    nth = [
        select(due).where(of_book, due <= by).order_by(due).offset(limit - 1).limit(1)
        for of_book, due in (
            (current_accounts(book), accounts.c.look_again_at),
            (promises.c.book == book, promises.c.next_step_at),
        )
    ]
    return _first(*(await tx.execute(select(*[query.scalar_subquery() for query in nth]))).one())


def _earliest() -> tuple[ScalarSelect[Any], ScalarSelect[Any]]:
    """When an account of a book is to be looked at next, and when the next step of a promise is due."""
    account_at = select(func.min(accounts.c.look_again_at)).where(is_current())
    step_at = select(func.min(promises.c.next_step_at)).where(promises.c.book == books.c.book)
    return account_at.correlate(books).scalar_subquery(), step_at.correlate(books).scalar_subquery()


def _first(*instants: Instant | None) -> Instant | None:
    return min((instant for instant in instants if instant is not None), default=None)
