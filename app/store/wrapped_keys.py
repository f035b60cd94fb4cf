"""Keys that were wrapped anew."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import bindparam, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.tables import account_keys, books


async def save_book_key(tx: AsyncConnection, book: str, wrapped: bytes) -> None:
    """The book's key, wrapped anew. Requires the locked head."""
    await tx.execute(update(books).where(books.c.book == book).values(wrapped_key=wrapped))


async def save_account_keys(tx: AsyncConnection, book: str, wrapped: Mapping[UUID, bytes]) -> None:
    """Accounts' keys, wrapped anew; of an account that was erased meanwhile there is none."""
    if not wrapped:
        return
    own = account_keys.c
    query = update(account_keys).where(own.book == book, own.account_id == bindparam("whose"))
    rows = [{"whose": account_id, "anew": key} for account_id, key in wrapped.items()]
    await tx.execute(query.values(wrapped_key=bindparam("anew")), rows)
