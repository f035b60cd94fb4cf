"""Offer deliveries anew: one, or all that were given up since an instant."""

from dataclasses import dataclass
from uuid import UUID

from app.database import uninterrupted
from app.domain.delivery import Queue
from app.domain.instant import Instant
from app.domain.webhook_errors import MessageExpired, UnknownDelivery, UnknownSubscription
from app.operations.ledger import Ledger
from app.store.deliveries import lock_delivery, lock_given_up, offer_anew
from app.store.subscriptions import lock_subscription

BATCH = 1_000
RECOVERED_MAX = 10_000  # in one call: a few seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """How many were offered anew, and after which message to go on; None if there are no more."""

    recovered: int
    after: int | None


@uninterrupted
async def redeliver(ledger: Ledger, book: str, subscription_id: UUID, message_id: UUID) -> None:
    """Let the delivery be due now, whatever became of it before. A try under way is not waited for, nor recorded.

    Raises UnknownSubscription, UnknownDelivery, or MessageExpired if the message is kept no longer.
    """
    queue = Queue(book, subscription_id)
    async with ledger.database.write(book) as tx:
        if await lock_subscription(tx, book, subscription_id) is None:
            raise UnknownSubscription
        found = await lock_delivery(tx, queue, message_id)
        if found is None:
            raise UnknownDelivery
        number, is_kept = found
        if not is_kept:
            raise MessageExpired
        await offer_anew(tx, queue, [number], ledger.now())
    ledger.soon_deliver.set()


async def recover(
    ledger: Ledger, book: str, subscription_id: UUID, *, since: Instant, until: Instant, after: int
) -> Recovery:
    """Offer anew what was given up in [since, until), from the message after `after` on; batch by batch, each of which
    stays done.

    Raises UnknownSubscription.
    """
    recovered, reached = 0, after
    while recovered < RECOVERED_MAX:
        numbers = await _recover_some(ledger, Queue(book, subscription_id), since=since, until=until, after=reached)
        recovered += len(numbers)
        ledger.soon_deliver.set()
        if len(numbers) < BATCH:
            return Recovery(recovered=recovered, after=None)
        reached = numbers[-1]
    return Recovery(recovered=recovered, after=reached)


@uninterrupted
async def _recover_some(ledger: Ledger, queue: Queue, *, since: Instant, until: Instant, after: int) -> list[int]:
    async with ledger.database.write(queue.book) as tx:
        if await lock_subscription(tx, queue.book, queue.subscription_id) is None:
            raise UnknownSubscription
        numbers = await lock_given_up(tx, queue, since=since, until=until, after=after, limit=BATCH)
        await offer_anew(tx, queue, numbers, ledger.now())
    return numbers
