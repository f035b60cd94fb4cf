"""Accounts and the keys that open them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.account import Account
from app.domain.entry import Head
from app.domain.instant import Instant
from app.records import account_of_record, head_of_record, wrapped_key_of_record
from app.rows import account_of
from app.sealing.keys import Key, MasterKey, account_place, name_place
from app.sql import Record, Sql, Step, columns_of, rows_of
from app.tables import account_keys, accounts, aliases, books, current_accounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An open account, found by its customer's name; `is_due` if a step of one of its promises is."""

    account: Account
    key: Key
    is_due: bool


# Without `|| ''` PostgreSQL may look for the book alone: that is as cheap while a table is empty, and plans are kept.
# Of the promises not EXISTS, for which PostgreSQL may read all that are due, whosever they are.
_OPENED = Sql(
    "SELECT n.alias_hash, k.wrapped_key, ("  # noqa: S608 - of our own columns
    " SELECT 1 FROM promises p WHERE p.book = n.book AND p.account_id = n.account_id AND p.next_step_at <= :by LIMIT 1"
    f"), {columns_of(accounts, 'a')}"
    " FROM aliases n"
    " JOIN account_keys k ON k.book = n.book || '' AND k.account_id = n.account_id"
    " JOIN accounts a ON a.book = n.book || '' AND a.generation = :generation AND a.account_id = n.account_id"
    " WHERE n.book = :book AND n.alias_hash IN :hashes"
)


# The head with each account, so that one statement tells of both.
_LOOKED_UP = Sql(
    f"SELECT {columns_of(books, 'b')}, n.alias_hash, {columns_of(accounts, 'a')} FROM books b"  # noqa: S608 - of ours
    " LEFT JOIN aliases n ON n.book = b.book AND n.alias_hash IN :hashes"
    " LEFT JOIN accounts a ON a.book = n.book || '' AND a.account_id = n.account_id"
    " AND a.generation = (SELECT g.generation FROM books g WHERE g.book = :book)"
    " WHERE b.book = :book"
)
_ALIAS_HASH = len(books.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedUp:
    """The head of a book, its own key, wrapped, and the accounts that were looked up, by alias hash; at one instant."""

    head: Head
    wrapped_key: bytes
    accounts: Mapping[bytes, Account]


async def looked_up(tx: AsyncConnection, book: str, hashes: Collection[bytes]) -> LookedUp | None:
    """The book and those of these accounts that there are, in one statement; None if there is no such book."""
    rows = await rows_of(tx, _LOOKED_UP, book=book, hashes=list(hashes))
    if not rows:
        return None
    first = rows[0][:_ALIAS_HASH]
    return LookedUp(
        head=head_of_record(first),
        wrapped_key=wrapped_key_of_record(first),
        accounts={
            row[_ALIAS_HASH]: account_of_record(row[_ALIAS_HASH + 1 :]) for row in rows if row[_ALIAS_HASH] is not None
        },
    )


def finding_opened(head: Head, hashes: Collection[bytes], *, by: Instant) -> Step:
    """The step that reads the open accounts of these alias hashes; of its rows makes `opened_of` what they are."""
    return _OPENED, {"book": head.book, "generation": head.generation, "hashes": list(hashes), "by": by}


def opened_of(book: str, rows: Iterable[Record], master_key: MasterKey) -> dict[bytes, Opened]:
    """The open accounts, by alias hash; MasterKeyMismatch if the master key does not open one's key."""
    found: dict[bytes, Opened] = {}
    for alias_hash, wrapped, is_due, *record in rows:
        account = account_of_record(record)
        key = master_key.unwrap(wrapped, account_place(book, account.account_id))
        found[alias_hash] = Opened(account=account, key=key, is_due=bool(is_due))
    return found


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
