"""Give up what a deleted subscription is still owed."""

from uuid import UUID

from app.database import uninterrupted
from app.domain.delivery import SUBSCRIPTION_DELETED, DeliveryState, Queue
from app.operations.ledger import Ledger
from app.store.deliveries import lock_pending, save_settled

BATCH = 1_000


async def give_up_deleted(ledger: Ledger, book: str, subscription_id: UUID) -> None:
    """Batch by batch; whoever is stopped halfway, or finds some locked, the next one goes on."""
    while await _give_up_some(ledger, Queue(book, subscription_id)) == BATCH:
        pass


@uninterrupted
async def _give_up_some(ledger: Ledger, queue: Queue) -> int:
    async with ledger.database.write(queue.book) as tx:
        numbers = await lock_pending(tx, queue, limit=BATCH)
        now = ledger.now()
        await save_settled(tx, queue, numbers, now, state=DeliveryState.GIVEN_UP, reason=SUBSCRIPTION_DELETED, tried=0)
    return len(numbers)
