"""What is left to be tidied up after messages and deliveries, over all books."""

from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.instant import Instant
from app.domain.subscription import SubscriptionState
from app.tables import books, deliveries, messages, subscriptions


async def books_to_purge(tx: AsyncConnection, before: Instant) -> list[str]:
    """The books that keep the body of a message of before then."""
    own = messages.c
    old = exists().where(own.book == books.c.book, own.body.is_not(None), own.created_at < before)
    return list((await tx.execute(select(books.c.book).where(old))).scalars())


async def deleted_with_queue(tx: AsyncConnection) -> list[tuple[str, UUID]]:
    """The deleted subscriptions that are still owed something."""
    own = subscriptions.c
    owed = exists().where(
        deliveries.c.book == own.book,
        deliveries.c.subscription_id == own.subscription_id,
        deliveries.c.settled_at.is_(None),
    )
    query = select(own.book, own.subscription_id).where(own.state == SubscriptionState.DELETED, owed)
    return [(row.book, row.subscription_id) for row in await tx.execute(query)]


async def pending_by_state(tx: AsyncConnection) -> tuple[dict[SubscriptionState, tuple[int, Instant]], int]:
    """By the state of their subscription: how many deliveries are pending, and since when the oldest; and how many
    subscriptions are disabled."""
    own = subscriptions.c
    same = (deliveries.c.book == own.book) & (deliveries.c.subscription_id == own.subscription_id)
    query = select(own.state, func.count().label("owed"), func.min(deliveries.c.created_at).label("oldest"))
    query = (
        query.join_from(deliveries, subscriptions, same).where(deliveries.c.settled_at.is_(None)).group_by(own.state)
    )
    found = {SubscriptionState(row.state): (row.owed, row.oldest) for row in await tx.execute(query)}
    disabled = select(func.count()).where(own.state == SubscriptionState.DISABLED)
    return found, int((await tx.execute(disabled)).scalar_one())
