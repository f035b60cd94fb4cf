"""Subscriptions: made, changed, and how they fare."""

from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.instant import Instant
from app.domain.subscription import Subscription, SubscriptionState
from app.rows import subscription_of, subscription_row
from app.tables import subscriptions

_own = subscriptions.c


async def insert_subscription(tx: AsyncConnection, book: str, made: Subscription) -> None:
    """Keep a new subscription."""
    await tx.execute(insert(subscriptions).values(subscription_row(book, made)))


async def lock_subscription(tx: AsyncConnection, book: str, subscription_id: UUID) -> Subscription | None:
    """The subscription, locked; None if there is none or it is deleted."""
    query = select(subscriptions).where(
        _own.book == book, _own.subscription_id == subscription_id, _own.state != SubscriptionState.DELETED
    )
    row = (await tx.execute(query.with_for_update())).mappings().first()
    return None if row is None else subscription_of(row)


async def save_subscription(tx: AsyncConnection, book: str, changed: Subscription) -> None:
    """Write a subscription as it is now."""
    row = subscription_row(book, changed)
    query = update(subscriptions).where(_own.book == book, _own.subscription_id == changed.subscription_id)
    await tx.execute(query.values(row))


async def save_failing(tx: AsyncConnection, book: str, fares: Subscription) -> None:
    """Since when it knows nothing but failures, unless its URL was changed meanwhile."""
    query = update(subscriptions).where(
        _own.book == book, _own.subscription_id == fares.subscription_id, _own.sealed_url == fares.sealed_url
    )
    await tx.execute(query.values(failing_since=fares.failing_since))


async def save_disabled(
    tx: AsyncConnection, book: str, subscription_id: UUID, reason: str, at: Instant, *, sealed_url: bytes
) -> bool:
    """Disable it, unless its URL was changed meanwhile; whether it was not so already."""
    query = update(subscriptions).where(
        _own.book == book,
        _own.subscription_id == subscription_id,
        _own.sealed_url == sealed_url,
        _own.state.in_([SubscriptionState.ACTIVE, SubscriptionState.PAUSED]),
    )
    done = await tx.execute(query.values(state=SubscriptionState.DISABLED, state_reason=reason, state_at=at))
    return done.rowcount > 0
