"""What the tests look at: every account of a book, as stored."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.account import Account
from app.rows import account_of
from app.tables import accounts, current_accounts


async def all_accounts(tx: AsyncConnection, book: str) -> dict[UUID, Account]:
    """Every account of a book, by id."""
    query = select(accounts).where(current_accounts(book))
    return {row["account_id"]: account_of(row) for row in (await tx.execute(query)).mappings()}
