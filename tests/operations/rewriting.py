"""A ledger that somebody with the database in their hands made consistent again, as far as its hashes go."""

from dataclasses import replace

from sqlalchemy import delete, update

from app.domain.chain import genesis, linked
from app.tables import books, entries
from tests.conftest import Bench
from tests.operations.posting import ledger_of


async def cut_after(bench: Bench, position: int) -> None:
    """The tail goes, and the head says so."""
    last = (await ledger_of(bench))[position - 1]
    async with bench.ledger.database.whole() as tx:
        await tx.execute(delete(entries).where(entries.c.book == bench.book, entries.c.position > position))
        await tx.execute(update(books).where(books.c.book == bench.book).values(position=last.position, hash=last.hash))


async def rewrite(bench: Bench, position: int) -> None:
    """An entry gets another source, and all hashes from there on are made anew."""
    previous = genesis(bench.book)
    async with bench.ledger.database.whole() as tx:
        for entry in await ledger_of(bench):
            written = replace(entry, source="forged") if entry.position == position else entry
            previous = linked(previous, written)
            named = entries.c.book == bench.book, entries.c.position == entry.position
            await tx.execute(update(entries).where(*named).values(source=written.source, hash=previous))
        await tx.execute(update(books).where(books.c.book == bench.book).values(hash=previous))
