"""Accounts, their keys, their names and their crossings."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Table, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.account import Account
from app.domain.crossing import Crossing
from app.domain.entry import Head
from app.domain.fold import CustomerChange
from app.domain.instant import Instant
from app.rows import account_row, crossing_row
from app.tables import account_keys, accounts, aliases, crossings, customer_changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a new account brings besides itself: its wrapped key and its sealed name."""

    account_id: UUID
    alias_hash: bytes
    sealed_name: bytes
    wrapped_key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCrossing:
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


async def save_accounts(tx: AsyncConnection, head: Head, saved: Sequence[Account]) -> None:
    """Write the accounts as they are now, new ones included, in the head's generation."""
    rows = [{**account_row(head.book, account), "generation": head.generation} for account in saved]
    if rows:
        await tx.execute(upsert(tx, accounts), rows)


async def insert_crossings(tx: AsyncConnection, book: str, recorded: Sequence[NewCrossing]) -> None:
    """Record crossings."""
    if recorded:
        rows = [
            {"book": book, **{name: getattr(each, name) for name in _BESIDE}, **crossing_row(each.crossing)}
            for each in recorded
        ]
        await tx.execute(insert(crossings), rows)


async def insert_customer_change(tx: AsyncConnection, book: str, account_id: UUID, change: CustomerChange) -> None:
    """Remember what is known of a customer from now on, beside all that was known before."""
    row = {"book": book, "account_id": account_id, **asdict(change)}
    await tx.execute(insert(customer_changes).values(row))


def upsert(tx: AsyncConnection, table: Table) -> Any:
    """Insert or, for a known primary key, replace every other column; the same words on both dialects."""
    dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table)
    keys = [column.name for column in table.primary_key]
    others = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=others)
