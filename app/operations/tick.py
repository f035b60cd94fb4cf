"""The tick: what is due in a book by now is recorded, each crossing once and at its own instant."""

from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.crossing import Crossing, advance
from app.domain.entry import Head
from app.domain.instant import Instant
from app.operations.announce import announce
from app.operations.causes import Cause, Causes
from app.operations.ledger import Ledger, announce_messages, policy_in_force
from app.queries.due import accounts_due, next_due_at
from app.store.accounts import insert_crossings, save_accounts
from app.store.books import lock_head, save_head

ACCOUNTS_MAX = 200  # of a batch: postings wait for the head meanwhile, some 100 ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """What one batch did: accounts looked at, crossings in the order of their instants; what comes next, and when."""

    advanced: int
    crossings: tuple[tuple[UUID, Crossing], ...]
    next_due_at: Instant | None


async def advance_due(ledger: Ledger, book: str, *, limit: int = ACCOUNTS_MAX) -> Tick:
    """Bring up to `limit` accounts whose time has come to the present, those that wait longest first.

    Nothing is due while history is replayed. A clock behind the head needs no care: an account's `look_again_at` lies
    after its last entry and its last crossing, so that what is due by an earlier clock is still unrecorded.
    """
    async with ledger.database.write(book) as tx:
        head = await lock_head(tx, book)
        if head.replaying:
            return Tick(advanced=0, crossings=(), next_due_at=None)
        now = ledger.present(head)

        advanced, causes, after = await advance_accounts(ledger, tx, head, now, limit=limit)

        if causes:
            await save_head(tx, after)
        next_at = await next_due_at(tx, book)
    announce_messages(ledger, head, after)
    in_order = sorted(((cause.account_id, cause.crossings[0][1]) for cause in causes), key=lambda pair: pair[1].at)
    return Tick(advanced=advanced, crossings=tuple(in_order), next_due_at=next_at)


async def advance_accounts(
    ledger: Ledger, tx: AsyncConnection, head: Head, now: Instant, *, limit: int
) -> tuple[int, list[Cause], Head]:
    """Advance up to `limit` accounts that are due by `now`: how many there were, and what time did to them.

    Requires the locked head; the head after, which the caller saves: no later entry is booked before these crossings.
    """
    policy = await policy_in_force(ledger, tx, head.book, head.policy_version)
    due = await accounts_due(tx, head.book, now, limit=limit)
    moved = [(account, *advance(account, policy, now)) for account in due]
    causes = Causes()
    for before, _, crossings in moved:
        causes.passed(before, crossings, head, now)

    await save_accounts(tx, head, [after for _, after, _ in moved])
    told = await announce(ledger, tx, head, causes.listed)
    await insert_crossings(tx, head.book, causes.recorded())
    reached = max([head.booked_at, *(cause.at for cause in causes.listed)])
    return len(due), causes.listed, replace(told, booked_at=reached)
