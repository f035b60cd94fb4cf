"""Accounts and the keys that open them."""

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.account import Account
from app.rows import account_of
from app.sealing.keys import Key, MasterKey, account_place, name_place
from app.tables import account_keys, accounts, aliases, current_accounts


async def accounts_by_alias(tx: AsyncConnection, book: str, hashes: Collection[bytes]) -> dict[bytes, UUID]:
    """Which account each alias hash names; an unknown one is absent."""
    if not hashes:
        return {}
    query = select(aliases.c.alias_hash, aliases.c.account_id).where(
        aliases.c.book == book, aliases.c.alias_hash.in_(hashes)
    )
    return {row.alias_hash: row.account_id for row in await tx.execute(query)}


async def accounts_by_id(tx: AsyncConnection, book: str, account_ids: Collection[UUID]) -> dict[UUID, Account]:
    """The accounts with these ids, as stored."""
    if not account_ids:
        return {}
    query = select(accounts).where(current_accounts(book), accounts.c.account_id.in_(account_ids))
    return {row["account_id"]: account_of(row) for row in (await tx.execute(query)).mappings()}


async def keys_of(
    tx: AsyncConnection, book: str, account_ids: Collection[UUID], master_key: MasterKey
) -> dict[UUID, Key]:
    """The opened keys of these accounts; an account without a key is absent."""
    if not account_ids:
        return {}
    query = select(account_keys.c.account_id, account_keys.c.wrapped_key).where(
        account_keys.c.book == book, account_keys.c.account_id.in_(account_ids)
    )
    return {
        account_id: master_key.unwrap(wrapped, account_place(book, account_id))
        for account_id, wrapped in await tx.execute(query)
    }


async def names_of(tx: AsyncConnection, book: str, keys: Mapping[UUID, Key]) -> dict[UUID, str]:
    """The customers' names of the accounts whose keys are given."""
    if not keys:
        return {}
    query = select(aliases.c.account_id, aliases.c.sealed_name).where(
        aliases.c.book == book, aliases.c.account_id.in_(keys)
    )
    return {
        account_id: keys[account_id].open(sealed, name_place(book, account_id)).decode()
        for account_id, sealed in await tx.execute(query)
    }


async def account_ids_of(tx: AsyncConnection, book: str) -> list[UUID]:
    """The ids of every account of a book, in order."""
    query = select(accounts.c.account_id).where(current_accounts(book)).order_by(accounts.c.account_id)
    return list((await tx.execute(query)).scalars())
