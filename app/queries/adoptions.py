"""The policy that a book is about to adopt, and which of its accounts are prepared for it."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.account import Account
from app.domain.adoption import Adoption
from app.domain.instant import Instant
from app.rows import account_of, holds, is_prepared
from app.tables import accounts, accounts_next, policy_adoptions


async def adoption_of(tx: AsyncConnection, book: str) -> Adoption | None:
    """The adoption that is under way in a book."""
    row = (await tx.execute(select(policy_adoptions).where(policy_adoptions.c.book == book))).mappings().first()
    return None if row is None else Adoption(**row)


async def books_adopting(tx: AsyncConnection) -> list[str]:
    """The books in which an adoption is under way."""
    return list((await tx.execute(select(policy_adoptions.c.book).order_by(policy_adoptions.c.book))).scalars())


async def accounts_after(tx: AsyncConnection, book: str, after: UUID | None, *, limit: int) -> list[Account]:
    """A book's accounts after one, by id."""
    query = select(accounts).where(accounts.c.book == book, *([] if after is None else [accounts.c.account_id > after]))
    return await _accounts(tx, query.order_by(accounts.c.account_id).limit(limit))


async def stale_accounts(tx: AsyncConnection, adoption: Adoption, *, limit: int) -> list[Account]:
    """Accounts that were opened or touched since they were prepared."""
    return await _accounts(tx, _left(adoption, ~is_prepared()).limit(limit))


async def unready_accounts(
    tx: AsyncConnection, adoption: Adoption, *, at: Instant, after: UUID | None, limit: int
) -> list[Account]:
    """Accounts after one, by id, of which what was prepared may not hold at `at`, and those to look at by then."""
    query = _left(
        adoption,
        or_(~is_prepared(), accounts.c.look_again_at <= at, ~holds(at)),
        *([] if after is None else [accounts.c.account_id > after]),
    )
    return await _accounts(tx, query.order_by(accounts.c.account_id).limit(limit))


def _left(adoption: Adoption, *conditions: ColumnElement[bool]) -> Select[Any]:
    joined = accounts.outerjoin(
        accounts_next,
        and_(
            accounts_next.c.book == accounts.c.book,
            accounts_next.c.account_id == accounts.c.account_id,
            accounts_next.c.adoption_id == adoption.adoption_id,
        ),
    )
    return select(accounts).select_from(joined).where(accounts.c.book == adoption.book, *conditions)


async def _accounts(tx: AsyncConnection, query: Select[Any]) -> list[Account]:
    return [account_of(row) for row in (await tx.execute(query)).mappings()]
