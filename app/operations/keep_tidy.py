"""What the deliverer does beside delivering: summaries that are due, bodies that are old, queues of the deleted."""

from dataclasses import dataclass

from app.domain.instant import DAY, Instant
from app.domain.subscription import SubscriptionState
from app.operations.give_up_deleted import give_up_deleted
from app.operations.ledger import Ledger
from app.operations.purge import purge
from app.operations.summarise import summarise
from app.queries.held_back import summaries_due
from app.queries.tidying import books_to_purge, deleted_with_queue, pending_by_state

KEPT: Instant = 90 * DAY  # what was told, word by word


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What all books owe: deliveries pending and held, the age of the oldest pending, subscriptions disabled."""

    pending: int
    held: int
    oldest_age: Instant
    disabled: int


async def keep_tidy(ledger: Ledger) -> int:
    """Do what is due of all that; how many summaries were written."""
    now = ledger.now()
    async with ledger.database.oversee() as tx:
        floods = await summaries_due(tx, now)
        old = await books_to_purge(tx, now - KEPT)
        deleted = await deleted_with_queue(tx)
    written = 0
    for flood in floods:
        written += await summarise(ledger, flood)
    for book in old:
        await purge(ledger, book, before=now - KEPT)
    for book, subscription_id in deleted:
        await give_up_deleted(ledger, book, subscription_id)
    return written


async def backlog(ledger: Ledger) -> Backlog:
    """How much is owed."""
    async with ledger.database.oversee() as tx:
        found, disabled = await pending_by_state(tx)
    now = ledger.now()
    active = found.get(SubscriptionState.ACTIVE, (0, now))
    held = sum(count for state, (count, _) in found.items() if state is not SubscriptionState.ACTIVE)
    return Backlog(pending=active[0], held=held, oldest_age=max(0, now - active[1]), disabled=disabled)
