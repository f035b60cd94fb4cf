"""Accounts, their keys, their names and their crossings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Table, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.account import Account
from app.domain.crossing import Crossing
from app.domain.instant import Instant
from app.rows import account_row, crossing_row
from app.tables import account_keys, accounts, aliases, crossings, segment_changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a new account brings besides itself: its wrapped key and its sealed name."""

    account_id: UUID
    alias_hash: bytes
    sealed_name: bytes
    wrapped_key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A crossing to be recorded: `recorded_at` live, or None; `announced` if a message tells of it."""

    account_id: UUID
    ordinal: int
    crossing: Crossing
    recorded_at: Instant | None = None
    announced: bool = False


_BESIDE = ("account_id", "ordinal", "recorded_at", "announced")


async def insert_openings(tx: AsyncConnection, book: str, openings: Sequence[Opening]) -> None:
    """Keep the keys and names of newly opened accounts."""
    if not openings:
        return
    keys = [{"book": book, "account_id": o.account_id, "wrapped_key": o.wrapped_key} for o in openings]
    names = [
        {"book": book, "alias_hash": o.alias_hash, "account_id": o.account_id, "sealed_name": o.sealed_name}
        for o in openings
    ]
    await tx.execute(insert(account_keys), keys)
    await tx.execute(insert(aliases), names)


async def save_accounts(tx: AsyncConnection, book: str, saved: Sequence[Account]) -> None:
    """Write the accounts as they are now, new ones included."""
    if saved:
        await tx.execute(upsert(tx, accounts), [account_row(book, account) for account in saved])


async def insert_crossings(tx: AsyncConnection, book: str, recorded: Sequence[Recorded]) -> None:
    """Record crossings."""
    if recorded:
        rows = [
            {"book": book, **{name: getattr(each, name) for name in _BESIDE}, **crossing_row(each.crossing)}
            for each in recorded
        ]
        await tx.execute(insert(crossings), rows)


async def insert_segment_change(tx: AsyncConnection, book: str, account: Account) -> None:
    """Remember since when an account is in its segment: the fold needs it."""
    row = {
        "book": book,
        "account_id": account.account_id,
        "changed_at": account.touched_at,
        "segment": account.segment,
    }
    await tx.execute(insert(segment_changes).values(row))


def upsert(tx: AsyncConnection, table: Table) -> Any:
    """Insert or, for a known primary key, replace every other column; the same words on both dialects."""
    dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table)
    keys = [column.name for column in table.primary_key]
    others = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=others)
