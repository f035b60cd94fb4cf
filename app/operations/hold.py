"""Pause a subscription, so that its deliveries are held; resume it, and they are offered in order."""

from dataclasses import replace
from uuid import UUID

from app.database import uninterrupted
from app.domain.delivery import Queue
from app.domain.instant import Instant
from app.domain.subscription import Subscription, SubscriptionState
from app.domain.webhook_errors import UnknownSubscription
from app.operations.ledger import Ledger
from app.store.books import lock_head
from app.store.deliveries import move_due
from app.store.subscriptions import lock_subscription, save_subscription

BATCH = 2_000


@uninterrupted
async def pause(ledger: Ledger, book: str, subscription_id: UUID) -> Subscription:
    """Send nothing more until it is resumed; one that is paused or disabled stays so. Raises UnknownSubscription."""
    async with ledger.database.write(book) as tx:
        await lock_head(tx, book)
        found = await lock_subscription(tx, book, subscription_id)
        if found is None:
            raise UnknownSubscription
        if found.state is SubscriptionState.ACTIVE:
            found = replace(found, state=SubscriptionState.PAUSED, state_reason=None, state_at=ledger.now())
            await save_subscription(tx, book, found)
    return found


async def resume(ledger: Ledger, book: str, subscription_id: UUID) -> Subscription:
    """Send again: all that was held is due now, in the order of the messages, whatever it waited for before.

    That is done batch by batch while nothing is sent yet; whoever is stopped halfway may ask again. Raises
    UnknownSubscription.
    """
    at = ledger.now()
    while True:
        resumed = await _resume_some(ledger, Queue(book, subscription_id), at)
        if resumed is not None:
            break
    ledger.soon_deliver.set()
    return resumed


@uninterrupted
async def _resume_some(ledger: Ledger, queue: Queue, at: Instant) -> Subscription | None:
    """Let some be due at `at`; if there are no more, the subscription, active again."""
    async with ledger.database.write(queue.book) as tx:
        await lock_head(tx, queue.book)
        found = await lock_subscription(tx, queue.book, queue.subscription_id)
        if found is None:
            raise UnknownSubscription
        if found.state is SubscriptionState.ACTIVE:
            return found
        if await move_due(tx, queue, at, limit=BATCH):
            return None
        active = replace(
            found, state=SubscriptionState.ACTIVE, state_reason=None, state_at=ledger.now(), failing_since=None
        )
        await save_subscription(tx, queue.book, active)
    return active
