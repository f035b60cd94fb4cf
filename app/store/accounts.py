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
from app.records import account_record, crossing_record
from app.sql import Insert, Step, run
from app.tables import account_keys, accounts, aliases, crossings, customer_changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """A name of an account, sealed."""

    account_id: UUID
    alias_hash: bytes
    sealed_name: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening(Naming):
    """What a new account brings besides itself: its wrapped key and its sealed name."""

    wrapped_key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCrossing:
    """A crossing to be recorded: `recorded_at` live, or None; `announced` if a message tells of it."""

    account_id: UUID
    ordinal: int
    crossing: Crossing
    recorded_at: Instant | None = None
    announced: bool = False


_KEYS, _NAMES = Insert(account_keys), Insert(aliases)
_ACCOUNTS, _CROSSINGS = Insert(accounts, replacing=True), Insert(crossings)


def opening(book: str, openings: Sequence[Opening], namings: Sequence[Naming] = ()) -> list[Step]:
    """The steps that keep the keys and names of newly opened accounts, and further names."""
    if not openings and not namings:
        return []
    return [
        (_KEYS, [(book, each.account_id, each.wrapped_key) for each in openings]),
        keeping_names(book, [*openings, *namings]),
    ]


def keeping_names(book: str, namings: Sequence[Naming]) -> Step:
    """The step that keeps names."""
    return _NAMES, [(book, each.alias_hash, each.account_id, each.sealed_name) for each in namings]


def saving_accounts(head: Head, saved: Sequence[Account]) -> Step:
    """The step that writes the accounts as they are now, new ones included, in the head's generation."""
    return _ACCOUNTS, [account_record(head.book, head.generation, account) for account in saved]


async def save_accounts(tx: AsyncConnection, head: Head, saved: Sequence[Account]) -> None:
    """Write the accounts as they are now, new ones included, in the head's generation."""
    await run(tx, saving_accounts(head, saved))


def recording_crossings(book: str, recorded: Sequence[NewCrossing]) -> Step:
    """The step that records crossings."""
    return _CROSSINGS, [
        crossing_record(
            book, each.account_id, each.ordinal, each.crossing, announced=each.announced, recorded_at=each.recorded_at
        )
        for each in recorded
    ]


async def insert_crossings(tx: AsyncConnection, book: str, recorded: Sequence[NewCrossing]) -> None:
    """Record crossings."""
    await run(tx, recording_crossings(book, recorded))


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
