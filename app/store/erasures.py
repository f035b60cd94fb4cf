"""What goes when a customer is forgotten: all that names the account, opens it, or is folded from its entries."""

from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

from sqlalchemy import Delete, Table, delete, or_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.adoptions import lock_adoption, save_progress
from app.tables import account_keys, accounts, aliases, messages, promises

_OF_AN_ACCOUNT = (aliases, account_keys, accounts, promises)


async def forget_account(tx: AsyncConnection, book: str, account_id: UUID, *, named_in: Collection[int]) -> None:
    """Destroy an account's key, its names, itself in every generation, its promises, and what was told of it.

    `named_in` are the summaries that name it: these are of the book, whose key stays. Requires the locked head.

    The lines stay, their contents shut for ever; so do crossings and segments, which name nobody.
    """
    await say_that_accounts_changed(tx, book)
    for table in _OF_AN_ACCOUNT:
        await tx.execute(_of(table, book, account_id))
    own = messages.c
    is_told = or_(own.account_id == account_id, own.number.in_(named_in))
    await tx.execute(update(messages).where(own.book == book, is_told, own.body.is_not(None)).values(body=None))


async def drop_account(tx: AsyncConnection, book: str, account_id: UUID) -> None:
    """It is no account any more, in no generation."""
    await tx.execute(_of(accounts, book, account_id))


def _of(table: Table, book: str, account_id: UUID) -> Delete:
    return delete(table).where(table.c.book == book, table.c.account_id == account_id)


async def say_that_accounts_changed(tx: AsyncConnection, book: str) -> None:
    """Whoever prepares an account for another policy just now is to see that something changed."""
    adoption = await lock_adoption(tx, book)
    if adoption is not None:
        await save_progress(tx, replace(adoption, prepared_at=adoption.prepared_at + 1))
