"""What a verification reads to find out what is new since an earlier one."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import func, or_, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.audit import Link, first_link
from app.domain.remembered import Mark
from app.tables import accounts, crossings, current_accounts, customer_changes, entries, messages


async def hashes_at(tx: AsyncConnection, book: str, positions: Collection[int]) -> dict[int, bytes]:
    """The hash of the line at each of these positions; one without a line is absent."""
    query = select(entries.c.position, entries.c.hash).where(entries.c.book == book, entries.c.position.in_(positions))
    return {row.position: row.hash for row in await tx.execute(query)}


async def last_position(tx: AsyncConnection, book: str) -> int:
    """The position of the last line; 0 if there is none."""
    query = select(func.max(entries.c.position)).where(entries.c.book == book)
    return (await tx.execute(query)).scalar() or 0


async def link_at(tx: AsyncConnection, book: str, position: int | None) -> Link:
    """What the line at a position, or the last before it, hands on to the next."""
    if position is None:
        return first_link(book)
    query = select(entries.c.position, entries.c.hash, entries.c.booked_at).where(
        entries.c.book == book, entries.c.position <= position
    )
    row = (await tx.execute(query.order_by(entries.c.position.desc()).limit(1))).first()
    return Link(position=row.position, hash=row.hash, booked_at=row.booked_at) if row else first_link(book)


async def touched_since(tx: AsyncConnection, book: str, mark: Mark) -> list[UUID]:
    """The accounts of which anything was written since, in order: entries, what is known, crossings, messages."""
    at = mark.booked_at
    touched = union(
        select(entries.c.account_id).where(entries.c.book == book, entries.c.position > mark.position),
        select(customer_changes.c.account_id).where(
            customer_changes.c.book == book, customer_changes.c.changed_at > at
        ),
        select(crossings.c.account_id).where(
            crossings.c.book == book, or_(crossings.c.at > at, crossings.c.recorded_at > at)
        ),
        select(accounts.c.account_id).where(
            current_accounts(book), or_(accounts.c.touched_at > at, accounts.c.crossed_at > at)
        ),
        select(messages.c.account_id).where(
            messages.c.book == book, messages.c.number > mark.messages, messages.c.account_id.is_not(None)
        ),
    )
    return sorted((await tx.execute(touched)).scalars())
