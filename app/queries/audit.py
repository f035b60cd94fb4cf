"""What an audit reads: rows as they are stored, whether or not they make a domain value."""

from collections.abc import AsyncGenerator, Collection, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, String, Table, Uuid, exists, func, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from app.queries.chunks import chunks
from app.queries.ledger_lines import streamed
from app.rows import Row, grouped
from app.sql import Record
from app.tables import (
    account_keys,
    accounts,
    aliases,
    books,
    crossings,
    current_accounts,
    entries,
    messages,
    policy_versions,
    promises,
    tariff_versions,
)


class Alias(NamedTuple):
    """A customer's name, hashed under the book's key and sealed under the account's."""

    alias_hash: bytes
    sealed_name: bytes


_ARRAY = (
    *("position", "account_id", "sequence", "entry_id", "kind", "points", "balance_after", "value_at", "booked_at"),
    *("memory", "source", "external_id", "tariff_version", "api_key_id", "reverses", "context", "sealed", "carried"),
)
_CANONICAL = [
    type_coerce(column, String) if isinstance(column.type, Uuid) else column
    for column in (entries.c[name] for name in _ARRAY)
]
_BARE = [column for column in messages.c if column.name != "body"]


async def all_books(tx: AsyncConnection) -> list[str]:
    """The names of all books, in order."""
    return list((await tx.execute(select(books.c.book).order_by(books.c.book))).scalars())


def lines_in_order(
    tx: AsyncConnection, book: str, *, after: int | None = None, up_to: int | None = None
) -> AsyncGenerator[Sequence[Record]]:
    """The lines by position, those after one and up to another, in bounded memory: chunks of rows as they are stored.

    Of each what canonical form 1 holds, in its order, ids as text; then its hash.
    """
    query = select(*_CANONICAL, entries.c.hash).where(
        entries.c.book == book,
        *([] if after is None else [entries.c.position > after]),
        *([] if up_to is None else [entries.c.position <= up_to]),
    )
    return chunks(tx, query.order_by(entries.c.position))


def records_by_account(
    tx: AsyncConnection,
    book: str,
    *,
    first: UUID | None = None,
    below: UUID | None = None,
    account_ids: Collection[UUID] | None = None,
) -> AsyncGenerator[Sequence[Record]]:
    """The entries' rows by account and sequence, of a range of ids or of some, in bounded memory."""
    query = select(entries).where(
        entries.c.book == book,
        *([] if first is None else [entries.c.account_id >= first]),
        *([] if below is None else [entries.c.account_id < below]),
        *([] if account_ids is None else [entries.c.account_id.in_(account_ids)]),
    )
    return chunks(tx, query.order_by(entries.c.account_id, entries.c.sequence))


async def account_rows(tx: AsyncConnection, book: str, account_ids: Collection[UUID]) -> dict[UUID, Row]:
    """The stored rows of these accounts; a missing one is absent."""
    query = select(accounts).where(current_accounts(book), accounts.c.account_id.in_(account_ids))
    return {row["account_id"]: row for row in (await tx.execute(query)).mappings()}


async def crossing_rows(tx: AsyncConnection, book: str, account_ids: Collection[UUID]) -> dict[UUID, list[Row]]:
    """The recorded crossings of these accounts by ordinal; an account without any is absent."""
    query = select(crossings).where(crossings.c.book == book, crossings.c.account_id.in_(account_ids))
    return grouped((await tx.execute(query.order_by(crossings.c.account_id, crossings.c.ordinal))).mappings())


async def promise_rows(tx: AsyncConnection, book: str, account_ids: Collection[UUID]) -> dict[UUID, list[Row]]:
    """The stored promises of these accounts; an account without any is absent."""
    query = select(promises).where(promises.c.book == book, promises.c.account_id.in_(account_ids))
    return grouped(
        (await tx.execute(query.order_by(promises.c.account_id, promises.c.due_at, promises.c.id))).mappings()
    )


async def message_rows(tx: AsyncConnection, book: str, account_ids: Collection[UUID]) -> dict[UUID, list[Row]]:
    """The messages about these accounts by number, without their bodies; an account without any is absent."""
    query = select(*_BARE).where(messages.c.book == book, messages.c.account_id.in_(account_ids))
    return grouped((await tx.execute(query.order_by(messages.c.account_id, messages.c.number))).mappings())


def messages_of_book(tx: AsyncConnection, book: str) -> AsyncGenerator[Row]:
    """The messages about no account by number, without their bodies, streamed in bounded memory."""
    query = select(*_BARE).where(messages.c.book == book, messages.c.account_id.is_(None))
    return streamed(tx, query.order_by(messages.c.number))


async def message_gaps(tx: AsyncConnection, book: str, *, limit: int) -> list[int]:
    """The numbers of messages before which one is missing."""
    before = messages.alias("before")
    has_one_before = exists().where(before.c.book == book, before.c.number == messages.c.number - 1)
    query = select(messages.c.number).where(messages.c.book == book, messages.c.number != 1, ~has_one_before)
    return list((await tx.execute(query.order_by(messages.c.number).limit(limit))).scalars())


async def last_message(tx: AsyncConnection, book: str) -> int:
    """The highest number of a message; 0 if there is none."""
    query = select(func.max(messages.c.number)).where(messages.c.book == book)
    return int((await tx.execute(query)).scalar() or 0)


async def announced_policies(tx: AsyncConnection, book: str) -> list[tuple[int, int]]:
    """The version and the adopted_at of each version of the policy that was announced, in order."""
    own = policy_versions.c
    query = select(own.version, own.adopted_at).where(own.book == book, own.announced).order_by(own.version)
    return [(row.version, row.adopted_at) for row in await tx.execute(query)]


async def wrapped_keys(tx: AsyncConnection, book: str, account_ids: Collection[UUID]) -> dict[UUID, bytes]:
    """The wrapped keys of these accounts; a missing one is absent."""
    query = select(account_keys.c.account_id, account_keys.c.wrapped_key).where(
        account_keys.c.book == book, account_keys.c.account_id.in_(account_ids)
    )
    return {row.account_id: row.wrapped_key for row in await tx.execute(query)}


async def aliases_of(tx: AsyncConnection, book: str, account_ids: Collection[UUID]) -> dict[UUID, list[Alias]]:
    """What leads to these accounts; one to which no customer's name leads is absent."""
    query = select(aliases.c.account_id, aliases.c.alias_hash, aliases.c.sealed_name)
    found: dict[UUID, list[Alias]] = {}
    for row in await tx.execute(query.where(aliases.c.book == book, aliases.c.account_id.in_(account_ids))):
        found.setdefault(row.account_id, []).append(Alias(row.alias_hash, row.sealed_name))
    return found


async def without_entries(tx: AsyncConnection, book: str, table: Table, *, limit: int) -> list[str]:
    """The account ids, as text, of this table's rows to whose account no entry belongs."""
    own = exists().where(entries.c.book == table.c.book, entries.c.account_id == table.c.account_id)
    bare = type_coerce(table.c.account_id, String)  # a damaged id must not stop the reading
    query = select(bare).distinct().where(_rows_of(table, book), bare.is_not(None), ~own).order_by(bare).limit(limit)
    return [str(account_id) for account_id in (await tx.execute(query)).scalars()]


async def tariff_versions_of(tx: AsyncConnection, book: str) -> set[int]:
    """The versions of the tariff that are kept."""
    query = select(tariff_versions.c.version).where(tariff_versions.c.book == book)
    return set((await tx.execute(query)).scalars())


async def count_rows(tx: AsyncConnection, book: str, table: Table) -> int:
    """How many rows of a table belong to a book."""
    query = select(func.count()).select_from(table).where(_rows_of(table, book))
    return int((await tx.execute(query)).scalar_one())


def _rows_of(table: Table, book: str) -> ColumnElement[bool]:
    return current_accounts(book) if table is accounts else table.c.book == book
