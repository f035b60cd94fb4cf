"""What was known of customers beside the ledger, and since when."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.fold import CustomerChange
from app.domain.instant import Instant
from app.rows import customer_change_of, grouped
from app.tables import customer_changes


async def customer_changes_of(
    tx: AsyncConnection, book: str, account_ids: Collection[UUID]
) -> dict[UUID, list[CustomerChange]]:
    """Each account's changes in order; an account without any is absent."""
    return await _changes(tx, book, customer_changes.c.account_id.in_(account_ids))


async def customer_changes_between(
    tx: AsyncConnection, book: str, first: UUID, last: UUID
) -> dict[UUID, list[CustomerChange]]:
    """The same of the accounts from one id to another."""
    return await _changes(tx, book, customer_changes.c.account_id.between(first, last))


async def _changes(tx: AsyncConnection, book: str, wanted: ColumnElement[bool]) -> dict[UUID, list[CustomerChange]]:
    own = customer_changes.c
    query = select(customer_changes).where(own.book == book, wanted).order_by(own.account_id, own.changed_at)
    rows = grouped((await tx.execute(query)).mappings())
    return {account_id: [customer_change_of(row) for row in own] for account_id, own in rows.items()}


async def known_of_customers(
    tx: AsyncConnection, book: str, *, at: Instant, account_ids: Collection[UUID] | None = None
) -> dict[UUID, CustomerChange]:
    """The last change of each account up to `at`, of these accounts or of all; an account without any is absent."""
    query = (
        select(customer_changes)
        .where(
            customer_changes.c.book == book,
            customer_changes.c.changed_at <= at,
            *([] if account_ids is None else [customer_changes.c.account_id.in_(account_ids)]),
        )
        .order_by(customer_changes.c.changed_at)
    )
    return {row["account_id"]: customer_change_of(row) for row in (await tx.execute(query)).mappings()}
