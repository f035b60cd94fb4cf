"""The append: the only way onto the ledger. One interaction is a batch of one."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter

from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import uninterrupted
from app.domain.account import Account
from app.domain.entry import Head
from app.domain.errors import ClockBehind, NotReplayable, Replaying
from app.domain.instant import SECOND, Instant
from app.domain.policy import Policy
from app.domain.tariff import Tariff
from app.operations.announce import Acquainted, announcing
from app.operations.append import Append, Item
from app.operations.append_metrics import append_items, append_lock_wait_seconds, append_seconds
from app.operations.decide import decide
from app.operations.ledger import Ledger, announce_due, announce_messages
from app.operations.load import latest, load
from app.operations.outcome import Outcome
from app.operations.weigh import heaviest_in_each
from app.passing import note_position
from app.queries.held_back import summaries_about
from app.queries.promises import due_promises
from app.sealing.keys import book_place
from app.sql import Step, run
from app.store.accounts import opening, recording_crossings, saving_accounts
from app.store.books import lock_book, saving_head
from app.store.entries import appending
from app.store.erasures import forget_account
from app.store.promises import save_promises
from app.traces import Origin, Span

BEHIND_MAX = 60 * SECOND
DECIDED_AT_ONCE = 100  # items, some 10 ms: then whoever else is waiting for the event loop has a turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What one caller sent: items in order, under one API key. `origin` is where it belongs in a trace."""

    items: Sequence[Item]
    api_key_id: str
    origin: Origin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What became of what was sent, and the rules under which it was; `outcomes` of each caller by themselves.

    `merged` are the names of whom customers were merged into, by theirs.
    """

    outcomes: list[list[Outcome]]
    tariff: Tariff
    policy: Policy
    merged: Mapping[str, str]


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
    sent = Sent(items=batch, api_key_id=api_key_id, origin=ledger.traces.here())
    return (await record_all(ledger, book, [sent], replay=replay, silent=silent)).outcomes[0]


@uninterrupted
async def record_all(
    ledger: Ledger,
    book: str,
    sent: Sequence[Sent],
    *,
    joining: Callable[[], Sequence[Sent]] = tuple,
    replay: bool = False,
    silent: bool = False,
) -> Recorded:
    """Append what several callers sent, in one transaction; see `record`.

    As soon as the book is locked, and not if that fails, `joining` says what else was sent by then.
    """
    with ledger.traces.span("append", {"goodwill.book": book}, of=(each.origin for each in sent)) as span:
        return await _recorded(ledger, book, sent, span, joining, replay=replay, silent=silent)


async def _recorded(
    ledger: Ledger,
    book: str,
    sent: Sequence[Sent],
    span: Span,
    joining: Callable[[], Sequence[Sent]],
    *,
    replay: bool,
    silent: bool,
) -> Recorded:
    begun = perf_counter()
    async with ledger.database.write(book) as tx:
        locked, waited = await lock_book(tx, book), perf_counter() - begun
        append_lock_wait_seconds.observe(waited)
        span.waited("lock", waited)
        joined = joining()
        span.also(each.origin for each in joined)
        sent = [*sent, *joined]
        batch = [item for each in sent for item in each.items]
        head, now = locked.head, ledger.present(locked.head)
        booked_at = simulated(head) if replay else live_instant(head, now)
        due = await due_promises(tx, book, by=min(latest(batch), now)) if replay else ()
        own = ledger.master_key.unwrap(locked.wrapped_key, book_place(book))
        append = await load(ledger, tx, head, batch, own_key=own, now=now, booked_at=booked_at, promises=due)
        append.silent = silent

        outcomes = await _decided(append, sent)

        if append.entries:
            await write_append(tx, append)
    append_seconds.observe(perf_counter() - begun)
    append_items.observe(len(batch))
    span.note({"goodwill.position": append.head.position, "goodwill.items": len(batch)})
    announce_due(ledger, head, append.posted.values(), append.promises.changed)
    announce_messages(ledger, head, append.head)
    return Recorded(outcomes=outcomes, tariff=append.tariff, policy=append.policy, merged=append.merges.names)


async def _decided(append: Append, sent: Sequence[Sent]) -> list[list[Outcome]]:
    outcomes: list[list[Outcome]] = []
    number = 0
    for each in sent:
        append.api_key_id = each.api_key_id
        own: list[Outcome] = []
        for item in each.items:
            own.append(decide(append, item))
            number += 1
            if number % DECIDED_AT_ONCE == 0:
                await asyncio.sleep(0)
        outcomes.append(own)
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
    note_position(append.head.position)
    steps: list[Step] = [appending(append.book, append.entries), *opening(append.book, append.openings, append.namings)]
    posted = [account for account in append.posted.values() if account.account_id not in append.erased]
    if any(account.heaviest is None for account in append.posted.values()):
        await run(tx, *steps)
        steps, posted = [], await _weighed(tx, append, posted)
    # Of whoever was there before, the first name is told, under whichever this was posted: it may be forgotten one day.
    opened = {each.account_id: append.customers[each.account_id] for each in append.openings}
    known = Acquainted(keys=append.keys, names=opened, sealed=append.sealed_names)
    append.head, telling = await announcing(append.ledger, tx, append.head, append.causes.listed, known=known)
    await save_promises(tx, append.book, append.promises.changed)
    crossings = recording_crossings(append.book, append.causes.recorded())
    await run(tx, *steps, saving_accounts(append.head, posted), *telling, crossings, saving_head(append.head))
    for account_id in append.erased:
        named_in = await summaries_about(tx, append.book, append.book_key, account_id)
        await forget_account(tx, append.book, account_id, named_in=named_in)


async def _weighed(tx: AsyncConnection, append: Append, posted: Sequence[Account]) -> list[Account]:
    """The accounts that were posted on, each with what weighs most. Requires their entries to be on the ledger."""
    heaviest = await heaviest_in_each(tx, append.book, posted, append.policy.half_lives)
    return [replace(account, heaviest=known) for account, known in zip(posted, heaviest, strict=True)]
