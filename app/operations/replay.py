"""Replaying history: while it lasts, each item is booked when it mattered and nobody else may post."""

from dataclasses import replace

from app.database import uninterrupted
from app.domain.errors import NotReplayable
from app.operations.break_due import let_time_pass
from app.operations.ledger import Ledger
from app.operations.load import load
from app.operations.post_due_steps import PROMISES_AT_ONCE_MAX
from app.operations.record import write_append
from app.operations.tick import ACCOUNTS_MAX, advancing
from app.queries.books import book_key
from app.queries.promises import due_promises
from app.sql import run
from app.store.books import lock_head, save_head


@uninterrupted
async def begin_replay(ledger: Ledger, book: str) -> None:
    """Let history in. Raises NotReplayable if the book has live entries. A replay that was cut off goes on."""
    async with ledger.database.write(book) as tx:
        head = await lock_head(tx, book)
        if head.position > head.replayed_to:
            raise NotReplayable
        await save_head(tx, replace(head, replaying=True))


async def end_replay(ledger: Ledger, book: str) -> None:
    """Let time pass up to the present, without telling anybody; then open the book to live postings again.

    The promises that nobody kept are broken, and what time alone brought to accounts is recorded: it is history.
    """
    while await _break_some(ledger, book):
        pass
    while await _advance_some(ledger, book):
        pass
    await _open_again(ledger, book)


@uninterrupted
async def _break_some(ledger: Ledger, book: str, *, limit: int = PROMISES_AT_ONCE_MAX) -> bool:
    """Post what up to `limit` promises are due, as the simulated clock does; says whether anything was.

    No further than the last of them is due, so that no promise which was not read is overtaken.
    """
    async with ledger.database.write(book) as tx:
        head = await lock_head(tx, book)
        now = ledger.present(head)
        due = await due_promises(tx, book, by=now, limit=limit) if head.replaying else []
        if not due:
            return False
        own = await book_key(tx, book, ledger.master_key)
        append = await load(ledger, tx, head, (), own_key=own, now=now, booked_at=None, promises=due)
        let_time_pass(append, (due[-1].next_step_at or now) if len(due) == limit else now)
        await write_append(tx, append)
        return True


@uninterrupted
async def _advance_some(ledger: Ledger, book: str) -> bool:
    async with ledger.database.write(book) as tx:
        head = await lock_head(tx, book)
        if not head.replaying:
            return False
        advanced, _, _, steps = await advancing(ledger, tx, head, ledger.present(head), limit=ACCOUNTS_MAX)
        await run(tx, *steps)
        return advanced == ACCOUNTS_MAX


@uninterrupted
async def _open_again(ledger: Ledger, book: str) -> None:
    async with ledger.database.write(book) as tx:
        await save_head(tx, replace(await lock_head(tx, book), replaying=False))
