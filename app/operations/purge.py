"""Forget what was told long ago, word by word: bodies and the tries of their deliveries. That it was told stays."""

from app.database import uninterrupted
from app.domain.delivery import EXPIRED, DeliveryState, Queue
from app.domain.instant import Instant
from app.operations.ledger import Ledger
from app.queries.subscriptions import all_subscription_ids
from app.store.deliveries import delete_attempts, pending_among, save_settled, wake_next
from app.store.outbox import purge_bodies

BATCH = 500


async def purge(ledger: Ledger, book: str, *, before: Instant) -> None:
    """Purge the messages of before then, batch by batch; what is still owed of them is given up."""
    while await _purge_some(ledger, book, before) == BATCH:
        pass


@uninterrupted
async def _purge_some(ledger: Ledger, book: str, before: Instant) -> int:
    async with ledger.database.write() as tx:
        numbers = await purge_bodies(tx, book, before, limit=BATCH)
        now = ledger.now()
        for subscription_id in await all_subscription_ids(tx, book):
            queue = Queue(book, subscription_id)
            owed = await pending_among(tx, queue, numbers)
            await save_settled(tx, queue, list(owed), now, state=DeliveryState.GIVEN_UP, reason=EXPIRED, tried=0)
            await wake_next(tx, queue, {each for each in owed.values() if each is not None}, now)
            await delete_attempts(tx, queue, numbers)
    return len(numbers)
