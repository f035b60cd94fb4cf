"""Subscriptions, as they are stored."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.instant import Instant
from app.domain.subscription import Subscription, SubscriptionState
from app.rows import subscription_of
from app.sql import Record, Sql, Step, columns_of, run, uuid_of
from app.tables import subscriptions


async def subscription(tx: AsyncConnection, book: str, subscription_id: UUID) -> Subscription | None:
    """The subscription with this id, a deleted one included; None if there never was one."""
    query = _of(book).where(subscriptions.c.subscription_id == subscription_id)
    row = (await tx.execute(query)).mappings().first()
    return None if row is None else subscription_of(row)


_LIVE = Sql(
    f"SELECT {columns_of(subscriptions, 's')} FROM subscriptions s"  # noqa: S608 - of our own columns
    " WHERE s.book = :book AND s.state <> :deleted"
)
_COLUMNS = [column.name for column in subscriptions.columns]


def finding_live(book: str) -> Step:
    """The step that reads all that are not deleted: active, paused or disabled."""
    return _LIVE, {"book": book, "deleted": SubscriptionState.DELETED.value}


def live_of(rows: Iterable[Record]) -> list[Subscription]:
    """Those subscriptions."""
    named = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
    for row in named:
        row.update(subscription_id=uuid_of(row["subscription_id"]), ordered=bool(row["ordered"]))
    return [subscription_of(row) for row in named]


async def live_subscriptions(tx: AsyncConnection, book: str) -> list[Subscription]:
    """All that are not deleted: active, paused or disabled."""
    (rows,) = await run(tx, finding_live(book))
    return live_of(rows)


async def listed_subscriptions(
    tx: AsyncConnection, book: str, *, after: tuple[Instant, UUID] | None, limit: int
) -> list[Subscription]:
    """A page of those that are not deleted, in the order in which they were made."""
    place = tuple_(subscriptions.c.created_at, subscriptions.c.subscription_id)
    query = _of(book).where(subscriptions.c.state != SubscriptionState.DELETED).order_by(*place).limit(limit)
    if after is not None:
        query = query.where(place > tuple_(*after))
    return [subscription_of(row) for row in (await tx.execute(query)).mappings()]


async def all_subscription_ids(tx: AsyncConnection, book: str) -> list[UUID]:
    """Of every subscription that there ever was."""
    query = select(subscriptions.c.subscription_id).where(subscriptions.c.book == book)
    return list((await tx.execute(query)).scalars())


async def count_live(tx: AsyncConnection, book: str) -> int:
    """How many are not deleted."""
    query = select(func.count()).where(subscriptions.c.book == book, subscriptions.c.state != SubscriptionState.DELETED)
    return int((await tx.execute(query)).scalar_one())


def _of(book: str) -> Select[Any]:
    return select(subscriptions).where(subscriptions.c.book == book)
