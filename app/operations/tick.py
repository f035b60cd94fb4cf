"""The tick: what is due in a book by now is recorded, each crossing once and at its own instant."""

from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.crossing import Crossing, advance
from app.domain.entry import Head
from app.domain.instant import Instant
from app.operations.announce import announcing
from app.operations.causes import Cause, Causes
from app.operations.ledger import Ledger, announce_messages, policy_in_force
from app.queries.due import accounts_due
from app.sql import Step, run
from app.store.accounts import recording_crossings, saving_accounts
from app.store.books import lock_head, saving_head

ACCOUNTS_MAX = 200  # of a batch: postings wait for the head meanwhile, some 100 ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """What one batch did: accounts looked at, crossings in the order of their instants."""

    advanced: int
    crossings: tuple[tuple[UUID, Crossing], ...]


async def advance_due(ledger: Ledger, book: str, *, limit: int = ACCOUNTS_MAX) -> Tick:
    """Bring up to `limit` accounts whose time has come to the present, those that wait longest first.

    Nothing is due while history is replayed. A clock behind the head needs no care: an account's `look_again_at` lies
    after its last entry and its last crossing, so that what is due by an earlier clock is still unrecorded.
    """
    async with ledger.database.write(book) as tx:
        head = await lock_head(tx, book)
        if head.replaying:
            return Tick(advanced=0, crossings=())

        advanced, causes, after, steps = await advancing(ledger, tx, head, ledger.present(head), limit=limit)

        if advanced:
            await run(tx, *steps)
    announce_messages(ledger, head, after)
    in_order = sorted(((cause.account_id, cause.crossings[0][1]) for cause in causes), key=lambda pair: pair[1].at)
    return Tick(advanced=advanced, crossings=tuple(in_order))


async def advancing(
    ledger: Ledger, tx: AsyncConnection, head: Head, now: Instant, *, limit: int
) -> tuple[int, list[Cause], Head, list[Step]]:
    """Up to `limit` accounts that are due by `now`: how many there are, what time did to them, the head after, and the
    steps that write all of it; the head too, so that no later entry is booked before these crossings.

    Requires the locked head.
    """
    policy = await policy_in_force(ledger, tx, head.book, head.policy_version)
    due = await accounts_due(tx, head, now, limit=limit)
    moved = [(account, *advance(account, policy, now)) for account in due]
    causes = Causes()
    for before, _, crossings in moved:
        causes.passed(before, crossings, head, now)

    told, telling = await announcing(ledger, tx, head, causes.listed)
    crossed = recording_crossings(head.book, causes.recorded())
    reached = max([head.booked_at, *(cause.at for cause in causes.listed)])
    after = replace(told, booked_at=reached)
    saved = saving_accounts(head, [account for _, account, _ in moved])
    return len(due), causes.listed, after, [saved, *telling, crossed, saving_head(after)]
