"""Replaying history: while it lasts, each item is booked when it mattered and nobody else may post."""

from dataclasses import replace

from app.database import uninterrupted
from app.domain.errors import NotReplayable
from app.operations.ledger import Ledger
from app.store.books import lock_head, save_head


@uninterrupted
async def begin_replay(ledger: Ledger, book: str) -> None:
    """Let history in. Raises NotReplayable if the book has live entries. A replay that was cut off goes on."""
    async with ledger.database.write() as tx:
        head = await lock_head(tx, book)
        if head.position > head.replayed_to:
            raise NotReplayable
        await save_head(tx, replace(head, replaying=True))


@uninterrupted
async def end_replay(ledger: Ledger, book: str) -> None:
    """Open the book to live postings again."""
    async with ledger.database.write() as tx:
        await save_head(tx, replace(await lock_head(tx, book), replaying=False))
