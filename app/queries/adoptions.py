"""The policy that a book is about to adopt, which of its accounts are prepared for it, and what adoptions left."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, exists, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.account import Account
from app.domain.adoption import Adoption
from app.domain.instant import Instant
from app.queries.accounts import accounts_by_id
from app.rows import account_of
from app.tables import accounts, books, current_accounts, policy_adoptions

_next = accounts.alias("next")
"""The accounts that are prepared, beside those that count."""


async def adoption_of(tx: AsyncConnection, book: str) -> Adoption | None:
    """The adoption that is under way in a book."""
    row = (await tx.execute(select(policy_adoptions).where(policy_adoptions.c.book == book))).mappings().first()
    return None if row is None else Adoption(**row)


async def books_to_carry_on(tx: AsyncConnection) -> list[str]:
    """The books in which an adoption is under way or left accounts to sweep away, but those that replay history."""
    first, last = _edges()
    is_left = or_(first != books.c.generation, last != books.c.generation)
    query = select(books.c.book).where(~books.c.replaying, or_(_is_adopting(), is_left))
    return list((await tx.execute(query.order_by(books.c.book))).scalars())


async def left_generation(tx: AsyncConnection, book: str) -> int | None:
    """A generation that a book left, or never took up, and of which it has accounts still; None during an adoption."""
    query = select(books.c.generation, *_edges()).where(books.c.book == book, ~_is_adopting())
    current, *edges = (await tx.execute(query)).first() or (None,)
    return next((edge for edge in edges if edge not in (None, current)), None)


async def accounts_after(tx: AsyncConnection, book: str, after: UUID | None, *, limit: int) -> list[Account]:
    """A book's accounts after one, by id."""
    query = select(accounts).where(current_accounts(book), *([] if after is None else [accounts.c.account_id > after]))
    return await _accounts(tx, query.order_by(accounts.c.account_id).limit(limit))


async def unready_accounts(tx: AsyncConnection, adoption: Adoption, *, at: Instant, limit: int) -> list[Account]:
    """Up to `limit` accounts of which what was prepared may not hold at `at`: those touched since, those to look at.

    Requires that all accounts were prepared once. What time did to one meanwhile, `look_again_at` of what was prepared
    tells. No join, since of a new generation PostgreSQL has no statistics and takes its accounts for a handful.
    """
    touched = select(accounts).where(
        current_accounts(adoption.book),
        accounts.c.touched_at >= adoption.touched_from,
        ~func.coalesce(_is_prepared(adoption), false()),
    )
    found = await _accounts(tx, touched.order_by(accounts.c.touched_at).limit(limit))
    due = select(accounts.c.account_id).where(
        accounts.c.book == adoption.book,
        accounts.c.generation == adoption.generation,
        accounts.c.look_again_at <= at,
    )
    account_ids = (await tx.execute(due.order_by(accounts.c.look_again_at).limit(limit))).scalars().all()
    unready = {account.account_id: account for account in found}
    unready |= await accounts_by_id(tx, adoption.book, account_ids)
    return list(unready.values())[:limit]


def _is_prepared(adoption: Adoption) -> ScalarSelect[bool]:
    """Whether nobody touched the account since; NULL if it was never prepared."""
    is_same = and_(_next.c.sequence == accounts.c.sequence, _next.c.touched_at == accounts.c.touched_at)
    own = _next.c.book == adoption.book, _next.c.generation == adoption.generation
    return select(is_same).where(*own, _next.c.account_id == accounts.c.account_id).scalar_subquery()


def _is_adopting() -> ColumnElement[bool]:
    return exists().where(policy_adoptions.c.book == books.c.book)


def _edges() -> tuple[ScalarSelect[Any], ScalarSelect[Any]]:
    """The least and the greatest generation of which a book has accounts: one look at an index for each."""
    first, last = (
        select(edge(accounts.c.generation)).where(accounts.c.book == books.c.book).correlate(books).scalar_subquery()
        for edge in (func.min, func.max)
    )
    return first, last


async def _accounts(tx: AsyncConnection, query: Select[Any]) -> list[Account]:
    return [account_of(row) for row in (await tx.execute(query)).mappings()]
