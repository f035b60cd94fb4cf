"""Where the accounts lead that are merged into others, as merging and its undoing leave it."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.merging import Merged
from app.store.erasures import drop_account, say_that_accounts_changed
from app.tables import entries, merges, promises


async def absorb(tx: AsyncConnection, book: str, merged: Merged) -> None:
    """Let an account lead to another, with all that led to it; it is none any more. Requires the locked head."""
    await say_that_accounts_changed(tx, book)
    own = merges.c
    await tx.execute(
        update(merges)
        .where(own.book == book, own.survivor_id == merged.account_id)
        .values(survivor_id=merged.survivor_id)
    )
    await tx.execute(insert(merges).values(book=book, **merged._asdict()))
    await drop_account(tx, book, merged.account_id)
    await _move_promises(tx, book, promises.c.account_id == merged.account_id, merged.survivor_id)


async def release(tx: AsyncConnection, book: str, merged: Merged, *, members: Collection[UUID]) -> None:
    """Let it be an account of its own again, to which its `members` lead. Requires the locked head."""
    await say_that_accounts_changed(tx, book)
    own = merges.c
    await tx.execute(delete(merges).where(own.book == book, own.account_id == merged.account_id))
    await tx.execute(
        update(merges).where(own.book == book, own.account_id.in_(members)).values(survivor_id=merged.account_id)
    )
    made_there = entries.c.account_id.in_([merged.account_id, *members])
    made = select(entries.c.entry_id).where(
        entries.c.book == book, entries.c.entry_id == promises.c.made_by, made_there
    )
    await _move_promises(tx, book, and_(promises.c.account_id == merged.survivor_id, exists(made)), merged.account_id)


async def replace_merges(tx: AsyncConnection, book: str, merged: Sequence[Merged]) -> None:
    """Keep these, and no others."""
    await tx.execute(delete(merges).where(merges.c.book == book))
    if merged:
        await tx.execute(insert(merges), [{"book": book, **each._asdict()} for each in merged])


async def _move_promises(tx: AsyncConnection, book: str, which: ColumnElement[bool], to: UUID) -> None:
    await tx.execute(update(promises).where(promises.c.book == book, which).values(account_id=to))
