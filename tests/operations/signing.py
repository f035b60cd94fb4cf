"""Checkpoints in the tests: a book that signs one after so many entries, and what it signed."""

from dataclasses import replace

from app.domain.checkpoint import Checkpoint, Rhythm
from app.operations.sign_checkpoint import sign_checkpoint
from app.queries.checkpoints import checkpoints_after
from tests.conftest import Bench


def signing(bench: Bench, *, entries: int = 4, minutes: int = 60) -> Bench:
    """The bench, with checkpoints in another rhythm."""
    return replace(bench, ledger=replace(bench.ledger, rhythm=Rhythm(entries, minutes)))


async def sign_all(bench: Bench, book: str | None = None) -> list[Checkpoint]:
    """Sign until every entry is covered; all of the book's checkpoints."""
    name = book or bench.book
    while await sign_checkpoint(bench.ledger, name):
        pass
    async with bench.ledger.database.read(name) as tx:
        return await checkpoints_after(tx, name, 0, limit=1_000)
