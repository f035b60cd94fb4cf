"""The fold of a rebuild over a whole book, without writing: what it reads, and how long it takes."""

from time import perf_counter

from app.database import Database
from app.domain.fold import fold
from app.domain.policy import Policy
from app.queries.ledger_lines import entries_by_account


async def fold_book(url: str, book: str) -> tuple[int, float]:
    """Fold every account from its entries; how many entries there were, and the seconds it took."""
    database, count, begun = Database(url), 0, perf_counter()
    async with database.read() as tx:
        async for entries in entries_by_account(tx, book):
            fold(entries[0].account_id, entries, (), Policy())
            count += len(entries)
    seconds = perf_counter() - begun
    await database.close()
    return count, seconds
