"""The sandbox: a book whose clock can be moved ahead, and which can be emptied."""

import asyncio
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import uninterrupted
from app.domain.api_key import is_sandbox
from app.domain.chain import genesis
from app.domain.entry import Head
from app.domain.errors import Fault, InvalidRequest
from app.domain.instant import YEAR, Instant
from app.domain.interaction import EARLIEST
from app.domain.sandbox import AHEAD_MAX
from app.operations.address import resealed
from app.operations.break_due import post_due
from app.operations.ledger import BREATH_SECONDS, Ledger, announce_messages
from app.operations.load import load
from app.operations.record import live_instant, write_append
from app.operations.tick import advancing
from app.queries.books import book_key
from app.queries.due import full_batch_at, next_due_at
from app.queries.promises import due_promises
from app.queries.subscriptions import live_subscriptions
from app.sealing.keys import book_place, new_key
from app.sql import run
from app.store.books import lock_head, save_head
from app.store.sandbox import empty_book
from app.store.subscriptions import insert_subscription

BATCH_MAX = 200  # accounts, and promises: so many are due in one stretch, so that others wait for milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """The time that passed in a sandbox, (begun_at, ended_at], and what was written then.

    The positions (after, until] were booked, the messages (told, told_until] written.
    """

    begun_at: Instant
    ended_at: Instant
    after: int
    until: int
    told: int
    told_until: int

    @property
    def entries(self) -> int:
        """How many entries were booked; none are left if the sandbox was emptied meanwhile."""
        return max(0, self.until - self.after)

    @property
    def messages(self) -> int:
        """How many messages were written; none are left if the sandbox was emptied meanwhile."""
        return max(0, self.told_until - self.told)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stretch(Passage):
    """A part of a passage, in which the clock was `moved`; the last if it is where it should be and nothing is due."""

    moved: int
    is_last: bool


async def advance_clock(ledger: Ledger, book: str, *, by: int, limit: int = BATCH_MAX) -> Passage:
    """Move a sandbox's clock ahead by `by` microseconds, as if it had run all along.

    All that is due on the way, promise steps and what time alone moves, is recorded in order and at its own instant.
    Each stretch is committed with the clock that it reached: whatever ends this, the sandbox stands at an instant
    between. Of two at once each adds its own time. Requires a sandbox and `by` > 0. Raises Replaying, ClockBehind, or
    InvalidRequest if the clock would be more than AHEAD_MAX ahead.
    """
    assert is_sandbox(book)
    first = stretch = await _pass_on(ledger, book, by, limit=limit)
    while not stretch.is_last:
        by -= stretch.moved
        await asyncio.sleep(BREATH_SECONDS)
        stretch = await _pass_on(ledger, book, by, limit=limit)
    ledger.soon_due.set()  # to the clock's loop, all that is to come has come nearer
    return Passage(
        begun_at=first.begun_at,
        ended_at=stretch.ended_at,
        after=first.after,
        until=stretch.until,
        told=first.told,
        told_until=stretch.told_until,
    )


@uninterrupted
async def empty_sandbox(ledger: Ledger, book: str) -> None:
    """Empty a sandbox, and set its clock back to the present. API keys, subscriptions and the rules in force stay.

    The book's key is drawn anew, so that no cursor of what was there goes on over what comes.
    """
    assert is_sandbox(book)
    async with ledger.database.empty(book) as tx:
        head = await lock_head(tx, book)
        before, after = await book_key(tx, book, ledger.master_key), new_key(ledger.entropy)
        live = await live_subscriptions(tx, book)

        wrapped = ledger.master_key.wrap(after, book_place(book), entropy=ledger.entropy)
        await empty_book(tx, head, wrapped_key=wrapped, now=ledger.now())
        for each in live:
            await insert_subscription(tx, book, resealed(ledger, book, each, before=before, after=after))
        empty = replace(head, position=0, hash=genesis(book), booked_at=EARLIEST, replaying=False, replayed_to=0)
        await save_head(tx, replace(empty, messages=0, clock_ahead=0))
        ledger.owed.pop(book, None)  # numbers begin anew


@uninterrupted
async def _pass_on(ledger: Ledger, book: str, at_most: int, *, limit: int) -> _Stretch:
    """The next stretch, a short transaction: until a batch of `limit` is due, and no longer than `at_most`."""
    async with ledger.database.write(book) as tx:
        head = await lock_head(tx, book)
        if head.clock_ahead + at_most > AHEAD_MAX:
            raise _too_far()
        now = ledger.present(head)
        since, last = live_instant(head, now), now + at_most
        until = max(now, await full_batch_at(tx, book, by=last, limit=limit) or last)
        ahead = replace(head, clock_ahead=head.clock_ahead + until - now)

        after = await _post_steps(ledger, tx, ahead, since=since, until=until, limit=limit)
        # Beside the accounts that were due, those of the promises may be.
        _, _, after, steps = await advancing(ledger, tx, after, until, limit=2 * limit)
        await run(tx, *steps)

        due_at = await next_due_at(tx, book)
    announce_messages(ledger, head, after)
    begun_at = max(now, head.booked_at)  # as reads have it
    return _Stretch(
        begun_at=begun_at,
        ended_at=max(until, begun_at),
        after=head.position,
        until=after.position,
        told=head.messages,
        told_until=after.messages,
        moved=until - now,
        is_last=until == last and (due_at is None or due_at > until),
    )


async def _post_steps(
    ledger: Ledger, tx: AsyncConnection, head: Head, *, since: Instant, until: Instant, limit: int
) -> Head:
    """Post what up to `limit` promises are due, each step when it is due but not before `since`; the head after."""
    due = await due_promises(tx, head.book, by=until, limit=limit)
    own = await book_key(tx, head.book, ledger.master_key)
    append = await load(ledger, tx, head, (), own_key=own, now=until, booked_at=None, promises=due)
    post_due(append, list(append.promises.by_name.values()), until, since=since)
    if append.entries:
        await write_append(tx, append)
    return append.head


def _too_far() -> InvalidRequest:
    years = AHEAD_MAX // YEAR
    detail = f"a sandbox's clock runs at most {years} years ahead; an emptied one begins at the present again"
    return InvalidRequest(faults=(Fault(pointer="/advance", code="duration_invalid", detail=detail),))
