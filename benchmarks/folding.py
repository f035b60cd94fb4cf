"""The fold of a rebuild over a whole book, without writing: what it reads, and how long it takes."""

from time import perf_counter

from app.database import Database
from app.domain.policy import Policy, PolicyHistory
from app.operations.rebuild import folded_book
from app.tables.grants import ROLE


async def fold_book(url: str, book: str) -> tuple[int, float]:
    """Fold every account from its entries; how many entries there were, and the seconds it took."""
    database, count, begun = Database(url, role=ROLE), 0, perf_counter()
    async with database.read(book) as tx:
        async for batch in folded_book(tx, book, PolicyHistory.always(Policy())):
            count += sum(len(each.entries) for each in batch)
    seconds = perf_counter() - begun
    await database.close()
    return count, seconds
