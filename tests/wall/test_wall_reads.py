"""Many reads of two books over one connection of the pool: whatever is cut off, neither sees a row of the other."""

import asyncio
import random
from collections import Counter
from typing import Any

import pytest

from app.database import Database
from app.operations.lookups import Lookups
from app.sql import driver_of
from app.tables.grants import ROLE
from tests.conftest import Bench
from tests.wall.walls import two_books

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

READS = 10_000
CANCELLED_ONE_IN = 10
TURNS_MAX = 24  # of the event loop, until a read is cut off: before, while and after it is asked
LEFT = "SELECT current_setting('goodwill.book', true), (SELECT count(*) FROM entries)"
UNASKED = "SELECT book FROM entries"  # of no book, so that nothing but the wall keeps them apart


async def test_ten_thousand_reads_of_two_books_by_turns_one_in_ten_cut_off(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await two_books(bench)
    monkeypatch.setattr("app.database.GLANCES_MAX", 1)
    database, chance = Database(bench.url, role=ROLE), random.Random(7)
    outcomes: Counter[str] = Counter()
    try:
        for number in range(READS):
            book = ("acme", "rival")[number % 2]
            reading = asyncio.create_task(_read(database, book))
            if number % CANCELLED_ONE_IN == 0:
                for _ in range(chance.randrange(TURNS_MAX)):
                    await asyncio.sleep(0)
                reading.cancel()
            outcomes[await _outcome(reading)] += 1
            if number % CANCELLED_ONE_IN == 0:
                await _leaves_no_trace(database)
    finally:
        await database.close()
    assert outcomes.total() == READS
    assert READS // CANCELLED_ONE_IN // 4 <= outcomes["cut off"] <= READS // CANCELLED_ONE_IN


async def _read(database: Database, book: str) -> None:
    async with database.glance(book) as tx:
        rows = await driver_of(tx).fetch(UNASKED)
    assert [row[0] for row in rows] == [book] * 3


async def _outcome(reading: "asyncio.Task[None]") -> str:
    try:
        await reading
    except asyncio.CancelledError:
        return "cut off"
    return "read"


async def _leaves_no_trace(database: Database) -> None:
    """The connection that the pool has next is of no book, and sees none."""
    async with database._glances.held() as connection:
        driver: Any = driver_of(connection)
        assert not driver.is_in_transaction()
        setting, seen = await driver.fetchrow(LEFT)
        assert (setting or "", seen) == ("", 0)


async def test_look_ups_and_appends_of_two_books_at_once_stay_apart(bench: Bench) -> None:
    await two_books(bench)
    lookups = Lookups(bench.ledger)
    names = [f"{book} {n}" for book in ("acme", "rival") for n in range(3)]

    found = await asyncio.gather(*[lookups.of(book, names) for _ in range(50) for book in ("acme", "rival")])

    for place, looked in enumerate(found):
        book = ("acme", "rival")[place % 2]
        assert set(looked.accounts) == {f"{book} {n}" for n in range(3)}
        assert looked.view.book == book
