"""Accounts and the keys that open them."""

from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.account import Account
from app.domain.alias import EXTRA
from app.domain.entry import Head
from app.domain.immutable import immutable
from app.domain.instant import Instant
from app.records import account_of_record, head_of_record, wrapped_key_of_record
from app.rows import account_of
from app.sealing.keys import Key, MasterKey, account_place, name_place
from app.sql import Record, Sql, Step, columns_of, rows_of, uuid_of
from app.tables import account_keys, accounts, aliases, books, current_accounts, merges


@immutable
class Opened:
    """An open account, found by its customer's name; `is_due` if a step of one of its promises is.

    `own_id` is another if the customer's own account was merged into this one; that one's key seals the name.
    """

    account: Account
    key: Key
    is_due: bool
    own_id: UUID
    sealed_name: bytes


_ACCOUNT = columns_of(accounts, "a")


def its_account(account_id: str, generation: str) -> str:
    """What PostgreSQL is to join for the account of an id that other tables have, as `a`.

    In an order that only the index has that leads to it: while the table is empty, any index that begins with the book
    looks as cheap; and plans are kept.
    """
    return (
        f"LATERAL (SELECT * FROM accounts o WHERE o.book = :book AND o.generation = {generation}"  # noqa: S608 - of our own names
        f" AND o.account_id BETWEEN {account_id} AND {account_id} ORDER BY o.account_id LIMIT 1) a ON TRUE"
    )


# A customer's account, or the one into which that was merged.
_MERGE = "LEFT JOIN merges m ON m.book = n.book AND m.account_id = n.account_id"
_MERGE_ON_POSTGRES = (
    "LEFT JOIN LATERAL (SELECT o.survivor_id FROM merges o WHERE o.book = :book"
    " AND o.account_id BETWEEN n.account_id AND n.account_id ORDER BY o.account_id LIMIT 1) m ON TRUE"
)
# Not COALESCE, which PostgreSQL holds to be able to leak: behind row-level security it leads to no index.
_RESOLVED = "CASE WHEN m.survivor_id IS NULL THEN n.account_id ELSE m.survivor_id END"

ITS_ACCOUNT_ID = f"(SELECT {_RESOLVED} FROM aliases n {_MERGE} WHERE n.book = :book AND n.alias_hash = :alias_hash)"  # noqa: S608 - of our own names
"""Which account a name leads to, within another statement; NULL if to none."""

# Without `|| ''` PostgreSQL may look for the book alone, for the same reason.
# Of the promises not EXISTS, for which PostgreSQL may read all that are due, whosever they are.
_WHAT_IS_OPENED = (
    f"SELECT n.alias_hash, n.account_id, n.sealed_name, k.wrapped_key, (SELECT 1 FROM promises p WHERE p.book = n.book"  # noqa: S608 - of our own names
    f" AND p.account_id = {_RESOLVED} AND p.next_step_at <= :by LIMIT 1), {_ACCOUNT} FROM aliases n"
)
_ITS_KEY = f"JOIN account_keys k ON k.book = n.book || '' AND k.account_id = {_RESOLVED}"
_THESE = "WHERE n.book = :book AND n.alias_hash IN :hashes"
_OPENED = Sql(
    f"{_WHAT_IS_OPENED} {_MERGE} {_ITS_KEY}"
    f" JOIN accounts a ON a.book = n.book AND a.generation = :generation AND a.account_id = {_RESOLVED} {_THESE}",
    on_postgres=(
        f"{_WHAT_IS_OPENED} {_MERGE_ON_POSTGRES} {_ITS_KEY} JOIN {its_account(_RESOLVED, ':generation')} {_THESE}"
    ),
)

# The head with each account, so that one statement tells of both.
_FROM_BOOK = (
    f"SELECT {columns_of(books, 'b')}, n.alias_hash, n.account_id, {_ACCOUNT} FROM books b"  # noqa: S608 - our own columns
    " LEFT JOIN aliases n ON n.book = b.book AND n.alias_hash IN :hashes"
)
_LOOKED_UP = Sql(
    f"{_FROM_BOOK} {_MERGE}"
    f" LEFT JOIN accounts a ON a.book = n.book AND a.generation = b.generation AND a.account_id = {_RESOLVED}"
    " WHERE b.book = :book",
    on_postgres=(
        f"{_FROM_BOOK} {_MERGE_ON_POSTGRES} LEFT JOIN {its_account(_RESOLVED, 'b.generation')} WHERE b.book = :book"
    ),
)
_LOOKED_FOR_NOBODY = Sql(f"SELECT {columns_of(books, 'b')}, NULL FROM books b WHERE b.book = :book")  # noqa: S608 - our own columns
_ALIAS_HASH = len(books.columns)
_OWN_ID = _ALIAS_HASH + 1


@immutable
class LookedUp:
    """The head of a book, its own key, wrapped, and the accounts that were looked up, by alias hash; at one instant.

    Of `merged` ones the account is that of another, into which theirs was merged.
    """

    head: Head
    wrapped_key: bytes
    accounts: Mapping[bytes, Account]
    merged: Collection[bytes] = ()


async def looked_up(tx: AsyncConnection, book: str, hashes: Collection[bytes]) -> LookedUp:
    """The book and those of these accounts that there are, in one statement. Requires an existing book."""
    statement = _LOOKED_UP if hashes else _LOOKED_FOR_NOBODY  # the joins take as long to plan as all else to read
    rows = await rows_of(tx, statement, book=book, hashes=list(hashes))
    first = rows[0][:_ALIAS_HASH]
    found = {
        row[_ALIAS_HASH]: (row[_OWN_ID], account_of_record(row[_OWN_ID + 1 :]))
        for row in rows
        if row[_ALIAS_HASH] is not None
    }
    return LookedUp(
        head=head_of_record(first),
        wrapped_key=wrapped_key_of_record(first),
        accounts={hashed: account for hashed, (_, account) in found.items()},
        merged=[hashed for hashed, (own, account) in found.items() if uuid_of(own) != account.account_id],
    )


def finding_opened(head: Head, hashes: Collection[bytes], *, by: Instant) -> Step:
    """The step that reads the open accounts of these alias hashes; of its rows makes `opened_of` what they are."""
    return _OPENED, {"book": head.book, "generation": head.generation, "hashes": list(hashes), "by": by}


def opened_of(book: str, rows: Iterable[Record], master_key: MasterKey) -> dict[bytes, Opened]:
    """The open accounts, by alias hash; MasterKeyMismatch if the master key does not open one's key."""
    found: dict[bytes, Opened] = {}
    for alias_hash, own_id, sealed_name, wrapped, is_due, *record in rows:
        account = account_of_record(record)
        key = master_key.unwrap(wrapped, account_place(book, account.account_id))
        found[alias_hash] = Opened(
            account=account, key=key, is_due=bool(is_due), own_id=uuid_of(own_id), sealed_name=sealed_name
        )
    return found


async def accounts_by_alias(tx: AsyncConnection, book: str, hashes: Collection[bytes]) -> dict[bytes, UUID]:
    """Which account each alias hash leads to, merges followed; an unknown one is absent."""
    if not hashes:
        return {}
    is_merge = and_(merges.c.book == aliases.c.book, merges.c.account_id == aliases.c.account_id)
    resolved = func.coalesce(merges.c.survivor_id, aliases.c.account_id)
    query = select(aliases.c.alias_hash, resolved).select_from(aliases.outerjoin(merges, is_merge))
    named = await tx.execute(query.where(aliases.c.book == book, aliases.c.alias_hash.in_(hashes)))
    return dict(tuple(row) for row in named)


async def own_accounts(tx: AsyncConnection, book: str, hashes: Collection[bytes]) -> dict[bytes, UUID]:
    """Which account each alias hash was given to, merged or not; an unknown one is absent."""
    own = aliases.c
    named = await tx.execute(select(own.alias_hash, own.account_id).where(own.book == book, own.alias_hash.in_(hashes)))
    return dict(tuple(row) for row in named)


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


async def wrapped_after(tx: AsyncConnection, book: str, after: UUID, *, limit: int) -> dict[UUID, bytes]:
    """The wrapped keys of the next accounts after an id, in order."""
    own = account_keys.c
    query = select(own.account_id, own.wrapped_key).where(own.book == book, own.account_id > after)
    return {each.account_id: each.wrapped_key for each in await tx.execute(query.order_by(own.account_id).limit(limit))}


async def names_of(tx: AsyncConnection, book: str, keys: Mapping[UUID, Key]) -> dict[UUID, str]:
    """The customers' first names of the accounts whose keys are given."""
    if not keys:
        return {}
    query = select(aliases.c.account_id, aliases.c.sealed_name).where(
        aliases.c.book == book, aliases.c.account_id.in_(keys)
    )
    return first_names(book, keys, [(own, sealed) for own, sealed in await tx.execute(query)])


def first_names(book: str, keys: Mapping[UUID, Key], sealed: Iterable[tuple[UUID, bytes]]) -> dict[UUID, str]:
    """Of these sealed names of accounts those that are the first."""
    opened = [(own, _opened_name(book, own, keys[own], name)) for own, name in sealed]
    return {own: name for own, name in opened if not name.startswith(EXTRA)}


def _opened_name(book: str, account_id: UUID, key: Key, sealed: bytes) -> str:
    return key.open(sealed, name_place(book, account_id)).decode()


_NAMES = Sql(
    "SELECT n.account_id, n.sealed_name, k.wrapped_key FROM aliases n"
    " JOIN account_keys k ON k.book = n.book || '' AND k.account_id = n.account_id"
    " WHERE n.book = :book AND n.account_id IN :account_ids"
)


async def customers_by_id(
    tx: AsyncConnection, book: str, account_ids: Collection[UUID], master_key: MasterKey
) -> dict[UUID, str]:
    """The customers' names of these accounts, in one statement; an account without a key is absent."""
    return customers_of_records(book, await rows_of(tx, _NAMES, book=book, account_ids=list(account_ids)), master_key)


def customers_of_records(book: str, records: Iterable[Record], master_key: MasterKey) -> dict[UUID, str]:
    """The customers' names; of each name a record holds the account, the sealed name and the account's wrapped key."""
    named = [(uuid_of(account_id), sealed, wrapped) for account_id, sealed, wrapped in records]
    keys = {own: master_key.unwrap(wrapped, account_place(book, own)) for own, _, wrapped in named}
    return first_names(book, keys, [(own, sealed) for own, sealed, _ in named])


async def all_names_of(tx: AsyncConnection, book: str, keys: Mapping[UUID, Key]) -> list[str]:
    """All names of the accounts whose keys are given, sorted."""
    query = select(aliases.c.account_id, aliases.c.sealed_name)
    named = await tx.execute(query.where(aliases.c.book == book, aliases.c.account_id.in_(keys)))
    return sorted(_opened_name(book, own, keys[own], sealed).removeprefix(EXTRA) for own, sealed in named)


async def account_ids_of(tx: AsyncConnection, book: str) -> list[UUID]:
    """The ids of every account of a book, in order."""
    query = select(accounts.c.account_id).where(current_accounts(book)).order_by(accounts.c.account_id)
    return list((await tx.execute(query)).scalars())
