"""Forget what was told long ago, or of a customer who is forgotten, word by word: bodies, and the tries of their
deliveries. That it was told stays."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import uninterrupted
from app.domain.delivery import ERASED, EXPIRED, DeliveryState, Queue
from app.domain.instant import Instant
from app.operations.ledger import Ledger
from app.queries.messages import numbers_of
from app.queries.subscriptions import all_subscription_ids
from app.store.deliveries import delete_attempts, pending_among, save_settled, wake_next
from app.store.outbox import purge_bodies

BATCH = 500


async def purge(ledger: Ledger, book: str, *, before: Instant) -> None:
    """Purge the messages of before then, batch by batch; what is still owed of them is given up."""
    while await _purge_some(ledger, book, before) == BATCH:
        pass


async def give_up_account(ledger: Ledger, book: str, account_id: UUID) -> None:
    """Give up, batch by batch, what is still owed of an account that was erased: its messages say nothing any more."""
    after, seen = 0, BATCH
    while seen == BATCH:
        seen, after = await _give_up_some(ledger, book, account_id, after)


@uninterrupted
async def _purge_some(ledger: Ledger, book: str, before: Instant) -> int:
    async with ledger.database.write(book) as tx:
        numbers = await purge_bodies(tx, book, before, limit=BATCH)
        await _give_up(ledger, tx, book, numbers, EXPIRED)
    return len(numbers)


@uninterrupted
async def _give_up_some(ledger: Ledger, book: str, account_id: UUID, after: int) -> tuple[int, int]:
    async with ledger.database.write(book) as tx:
        numbers = await numbers_of(tx, book, account_id, after=after, limit=BATCH)
        await _give_up(ledger, tx, book, numbers, ERASED)
    return len(numbers), max(numbers, default=after)


async def _give_up(ledger: Ledger, tx: AsyncConnection, book: str, numbers: Collection[int], reason: str) -> None:
    now = ledger.now()
    for subscription_id in await all_subscription_ids(tx, book):
        queue = Queue(book, subscription_id)
        owed = await pending_among(tx, queue, numbers)
        await save_settled(tx, queue, list(owed), now, state=DeliveryState.GIVEN_UP, reason=reason, tried=0)
        await wake_next(tx, queue, {each for each in owed.values() if each is not None}, now)
        await delete_attempts(tx, queue, numbers)
