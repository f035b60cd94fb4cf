"""Post the promise steps of a book that are due, as its clock does: once, however many clocks run."""

from app.domain.instant import Instant
from app.operations.break_due import post_due
from app.operations.ledger import Ledger, announce_messages
from app.operations.load import load
from app.operations.record import live_instant, write_append
from app.queries.books import book_key
from app.queries.books import head as read_head
from app.queries.promises import due_promises, next_step_at
from app.store.books import lock_head

PROMISES_AT_ONCE_MAX = 200  # so that a batch holds the head for milliseconds


async def post_due_steps(ledger: Ledger, book: str, *, limit: int = PROMISES_AT_ONCE_MAX) -> Instant | None:
    """Post what up to `limit` promises are due now, the longest due first; says when the next step is due.

    That instant has come already if there was more than `limit`; None if nothing is due ever. Takes the head lock
    only if something is due. Raises ClockBehind, or Replaying if something is due while history is replayed.
    """
    async with ledger.database.read(book) as tx:
        head, next_at = await read_head(tx, book), await next_step_at(tx, book)
    assert head is not None
    if next_at is None or next_at > ledger.present(head):
        return next_at
    async with ledger.database.write(book) as tx:
        head = await lock_head(tx, book)
        now = ledger.present(head)
        booked_at = live_instant(head, now)
        due = await due_promises(tx, book, by=booked_at, limit=limit)
        own = await book_key(tx, book, ledger.master_key)
        append = await load(ledger, tx, head, (), own_key=own, now=now, booked_at=booked_at, promises=due)

        post_due(append, list(append.promises.by_name.values()), booked_at)

        if append.entries:
            await write_append(tx, append)
        next_at = await next_step_at(tx, book)
    announce_messages(ledger, head, append.head)
    return next_at
