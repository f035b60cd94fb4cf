"""The append: the only way onto the ledger. One interaction is a batch of one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import uninterrupted
from app.domain.account import Account
from app.domain.entry import Head
from app.domain.errors import ClockBehind, NotReplayable, Replaying
from app.domain.instant import SECOND, Instant
from app.domain.policy import Policy
from app.domain.tariff import Tariff
from app.operations.announce import Acquainted, announce, may_be_told
from app.operations.append import Append, Item
from app.operations.decide import decide
from app.operations.ledger import Ledger, announce_due, announce_messages
from app.operations.load import latest, load
from app.operations.outcome import Outcome
from app.operations.weigh import heaviest_in_each
from app.queries.promises import due_promises
from app.sealing.keys import book_place
from app.sql import Step, run
from app.store.accounts import opening, recording_crossings, saving_accounts
from app.store.books import lock_book, saving_head
from app.store.entries import appending
from app.store.promises import save_promises

BEHIND_MAX = 60 * SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What one caller sent: items in order, under one API key."""

    items: Sequence[Item]
    api_key_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What became of what was sent, and the rules under which it was; `outcomes` of each caller by themselves."""

    outcomes: list[list[Outcome]]
    tariff: Tariff
    policy: Policy


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
    sent = Sent(items=batch, api_key_id=api_key_id)
    return (await record_all(ledger, book, [sent], replay=replay, silent=silent)).outcomes[0]


@uninterrupted
async def record_all(
    ledger: Ledger, book: str, sent: Sequence[Sent], *, replay: bool = False, silent: bool = False
) -> Recorded:
    """Append what several callers sent, in one transaction; see `record`."""
    batch = [item for each in sent for item in each.items]
    async with ledger.database.write() as tx:
        locked = await lock_book(tx, book)
        head, now = locked.head, ledger.present(locked.head)
        booked_at = simulated(head) if replay else live_instant(head, now)
        due = await due_promises(tx, book, by=min(latest(batch), now)) if replay else ()
        own = ledger.master_key.unwrap(locked.wrapped_key, book_place(book))
        append = await load(ledger, tx, head, batch, own_key=own, now=now, booked_at=booked_at, promises=due)
        append.silent = silent

        outcomes = [_decided(append, each) for each in sent]

        if append.entries:
            await write_append(tx, append)
    announce_due(ledger, head, append.posted.values(), append.promises.changed)
    announce_messages(ledger, head, append.head)
    return Recorded(outcomes=outcomes, tariff=append.tariff, policy=append.policy)


def _decided(append: Append, sent: Sent) -> list[Outcome]:
    append.api_key_id = sent.api_key_id
    return [decide(append, item) for item in sent.items]


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
    steps: list[Step] = [appending(append.book, append.entries), *opening(append.book, append.openings)]
    posted = list(append.posted.values())
    if any(account.heaviest is None for account in posted):
        await run(tx, *steps)
        steps, posted = [], await _weighed(tx, append, posted)
    steps.append(saving_accounts(append.head, posted))
    if may_be_told(append.causes.listed, append.policy):
        await run(tx, *steps)
        steps = []
        known = Acquainted(keys=append.keys, names=append.customers)
        append.head = await announce(append.ledger, tx, append.head, append.causes.listed, known=known)
    await save_promises(tx, append.book, append.promises.changed)
    await run(tx, *steps, recording_crossings(append.book, append.causes.recorded()), saving_head(append.head))


async def _weighed(tx: AsyncConnection, append: Append, posted: Sequence[Account]) -> list[Account]:
    """The accounts that were posted on, each with what weighs most. Requires their entries to be on the ledger."""
    heaviest = await heaviest_in_each(tx, append.book, posted, append.policy.half_lives)
    return [replace(account, heaviest=known) for account, known in zip(posted, heaviest, strict=True)]
