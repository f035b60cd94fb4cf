"""Promises as their entries leave them."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.promise import Promise
from app.rows import promise_row
from app.store.accounts import upsert
from app.tables import promises


async def save_promises(tx: AsyncConnection, book: str, saved: Sequence[Promise]) -> None:
    """Write the promises as they are now, new ones included. Requires the book's head to be locked."""
    if saved:
        await tx.execute(upsert(tx, promises), [promise_row(book, promise) for promise in saved])


async def replace_promises(
    tx: AsyncConnection, book: str, account_ids: Collection[UUID], folded: Sequence[Promise]
) -> None:
    """Leave these accounts with exactly these promises. Requires the book's head to be locked."""
    await tx.execute(delete(promises).where(promises.c.book == book, promises.c.account_id.in_(account_ids)))
    await save_promises(tx, book, folded)
