"""The append: the only way onto the ledger. One interaction is a batch of one."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import uninterrupted
from app.domain.account import Account
from app.domain.entry import Head
from app.domain.errors import ClockBehind, NotReplayable, Replaying
from app.domain.instant import SECOND, Instant
from app.operations.announce import announce
from app.operations.append import Append, Item
from app.operations.decide import decide
from app.operations.ledger import Ledger, announce_due, announce_messages
from app.operations.load import latest, load
from app.operations.outcome import Outcome
from app.operations.weigh import heaviest_in_each
from app.queries.promises import due_promises
from app.store.accounts import insert_crossings, insert_openings, save_accounts
from app.store.books import lock_head, save_head
from app.store.entries import append_entries
from app.store.promises import save_promises

BEHIND_MAX = 60 * SECOND


@uninterrupted
async def record(
    ledger: Ledger,
    book: str,
    batch: Sequence[Item],
    *,
    api_key_id: str,
    replay: bool = False,
    silent: bool = False,
) -> list[Outcome]:
    """Append a batch, durably, and answer each item in order; a refused item never touches its neighbours.

    `replay` books history on a simulated clock; of it, and of what is `silent`, nobody is told.
    Raises ClockBehind, Replaying or NotReplayable for the whole.
    """
    async with ledger.database.write() as tx:
        head = await lock_head(tx, book)
        now = ledger.present(head)
        booked_at = simulated(head) if replay else live_instant(head, now)
        due = await due_promises(tx, book, by=min(latest(batch), now)) if replay else ()
        append = await load(ledger, tx, head, batch, now=now, booked_at=booked_at, api_key_id=api_key_id, promises=due)
        append.silent = silent

        outcomes = [decide(append, item) for item in batch]

        if append.entries:
            await write_append(tx, append)
    announce_due(ledger, head, append.posted.values(), append.promises.changed)
    announce_messages(ledger, head, append.head)
    return outcomes


def live_instant(head: Head, now: Instant) -> Instant:
    """The one instant of a live write: monotone, whatever the clock does. Requires the head to be locked."""
    if head.replaying:
        raise Replaying
    if head.booked_at - now > BEHIND_MAX:
        raise ClockBehind
    return max(now, head.booked_at + 1)


def simulated(head: Head) -> Instant | None:
    """No one instant: while history is replayed, each item is booked when it mattered."""
    if not head.replaying:
        raise NotReplayable
    return None


async def write_append(tx: AsyncConnection, append: Append) -> None:
    """Entries, accounts, messages, crossings, promises, keys and names set-wise; the head once."""
    await append_entries(tx, append.book, append.entries)
    await insert_openings(tx, append.book, append.openings)
    await save_accounts(tx, append.head, await _weighed(tx, append))
    append.head = await announce(append.ledger, tx, append.head, append.causes.listed)
    await insert_crossings(tx, append.book, append.causes.recorded())
    await save_promises(tx, append.book, append.promises.changed)
    await save_head(tx, append.head)


async def _weighed(tx: AsyncConnection, append: Append) -> list[Account]:
    """The accounts that were posted on, each with what weighs most. Requires their entries to be on the ledger."""
    posted = list(append.posted.values())
    heaviest = await heaviest_in_each(tx, append.book, posted, append.policy.half_lives)
    return [
        account if account.heaviest is not None else replace(account, heaviest=known)
        for account, known in zip(posted, heaviest, strict=True)
    ]
