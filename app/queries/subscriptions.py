"""Subscriptions, as they are stored."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.instant import Instant
from app.domain.subscription import Subscription, SubscriptionState
from app.rows import subscription_of
from app.tables import subscriptions


async def subscription(tx: AsyncConnection, book: str, subscription_id: UUID) -> Subscription | None:
    """The subscription with this id, a deleted one included; None if there never was one."""
    query = _of(book).where(subscriptions.c.subscription_id == subscription_id)
    row = (await tx.execute(query)).mappings().first()
    return None if row is None else subscription_of(row)


async def live_subscriptions(tx: AsyncConnection, book: str) -> list[Subscription]:
    """All that are not deleted: active, paused or disabled."""
    query = _of(book).where(subscriptions.c.state != SubscriptionState.DELETED)
    return [subscription_of(row) for row in (await tx.execute(query)).mappings()]


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
