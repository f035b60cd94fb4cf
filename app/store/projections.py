"""Accounts and crossings written anew, as a rebuild folds them from the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, exists, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.account import Account
from app.domain.entry import Head
from app.domain.written import OnRecord
from app.rows import crossing_row
from app.store.accounts import save_accounts
from app.tables import accounts, crossings, current_accounts, entries, promises


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """An account, if its customer is not forgotten, and its crossings in order."""

    account_id: UUID
    account: Account | None
    recorded: Sequence[OnRecord]


async def replace_projections(tx: AsyncConnection, head: Head, projections: Sequence[Projection]) -> None:
    """Write these accounts and exactly these crossings. Requires the locked head."""
    if not projections:
        return
    book = head.book
    account_ids = [projection.account_id for projection in projections]
    erased = [projection.account_id for projection in projections if projection.account is None]
    await tx.execute(delete(crossings).where(crossings.c.book == book, crossings.c.account_id.in_(account_ids)))
    await tx.execute(delete(accounts).where(current_accounts(book), accounts.c.account_id.in_(erased)))
    await save_accounts(tx, head, [each.account for each in projections if each.account is not None])
    rows = [
        {
            "book": book,
            "account_id": projection.account_id,
            "ordinal": ordinal,
            "recorded_at": each.recorded_at,
            "announced": each.announced,
            **crossing_row(each.crossing),
        }
        for projection in projections
        for ordinal, each in enumerate(projection.recorded, start=1)
    ]
    if rows:
        await tx.execute(insert(crossings), rows)


async def delete_orphans(tx: AsyncConnection, book: str) -> None:
    """Drop the accounts, crossings and promises to which no entry belongs."""
    for table in (crossings, promises, accounts):
        own = exists().where(entries.c.book == table.c.book, entries.c.account_id == table.c.account_id)
        await tx.execute(delete(table).where(table.c.book == book, ~own))
