"""The clock on 100,000 accounts of which 1,000 are due in the same second, and what it costs while nothing is due.

`python -m benchmarks.clock` measures a SQLite file and a PostgreSQL of its own (with fsync), and then the solver.
"""

import asyncio
import os
import tempfile
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from app.database import Database
from app.domain.account import Account, LastEffective, opened
from app.domain.crossing import advance, look_again_at
from app.domain.instant import HOUR, SECOND, YEAR, Instant
from app.domain.memory import Masses
from app.domain.policy import Policy
from app.domain.standing import Direction, place_at
from app.main import clock
from app.operations.ledger import Ledger
from app.operations.open_book import open_book
from app.operations.tick import advance_due
from app.sealing.keys import MasterKey
from app.store.accounts import save_accounts
from app.store.books import lock_head
from app.tables.grants import ROLE
from app.upgrade import upgrade
from app.worker import run_clock
from tests.domain.strategies import THREE, brushing_zero, glowing, sinking
from tests.postgres import Postgres

BOOK, POLICY = "bench", Policy()
ACCOUNTS, DUE, CHUNK = 100_000, 1_000, 5_000
SECONDS_MAX, IDLE_MAX, IDLE_SECONDS = 2.0, 0.01, 30.0
REPEATS = 200


async def measure(url: str) -> None:
    """Fill a database, let the clock catch up, then let it idle."""
    database = Database(url, role=ROLE)
    await upgrade(database)
    ledger = Ledger(
        database=database, master_key=MasterKey(os.urandom(32)), now=clock, new_id=uuid.uuid4, entropy=os.urandom
    )
    await open_book(ledger, BOOK)
    began = clock()
    await fill(ledger, began)
    print(f"{url.partition(':')[0]}: {ACCOUNTS:,} accounts, filled in {(clock() - began) / SECOND:.0f} s")
    await catch_up(ledger)
    await idle(ledger)
    await database.close()


async def fill(ledger: Ledger, now: Instant) -> None:
    """Accounts that cross within the second before `now`, among others that need no look for hours."""
    due = [crossing_at(now - number * SECOND // DUE, number) for number in range(DUE)]
    quiet = [shape for shape in range(DUE) if account(shape, shape, at=now).look_again_at > now + HOUR]
    others = [account(number, quiet[number % len(quiet)], at=now) for number in range(DUE, ACCOUNTS)]
    every = [*due, *others]
    for first in range(0, ACCOUNTS, CHUNK):
        async with ledger.database.write(BOOK) as tx:
            await save_accounts(tx, await lock_head(tx, BOOK), every[first : first + CHUNK])


async def catch_up(ledger: Ledger) -> None:
    begun, crossings, slowest = time.perf_counter(), 0, 0.0
    while True:
        batch = time.perf_counter()
        tick = await advance_due(ledger, BOOK)
        if tick.advanced == 0:
            break
        crossings, slowest = crossings + len(tick.crossings), max(slowest, time.perf_counter() - batch)
    seconds = time.perf_counter() - begun
    print(f"  {crossings:,} crossings recorded in {seconds:.2f} s; slowest batch {slowest * 1e3:.0f} ms")
    assert crossings == DUE
    assert seconds < SECONDS_MAX


async def idle(ledger: Ledger) -> None:
    async def opened_ledger() -> Ledger:
        return ledger

    used = time.process_time()
    running = asyncio.create_task(run_clock(opened_ledger))
    await asyncio.sleep(IDLE_SECONDS)
    running.cancel()
    await asyncio.wait([running])
    share = (time.process_time() - used) / IDLE_SECONDS
    print(f"  idle for {IDLE_SECONDS:.0f} s: {share:.3%} of a core")
    assert share < IDLE_MAX


def crossing_at(instant: Instant, number: int) -> Account:
    """An account of which a look taken earlier found that it crosses at this instant, or some microseconds later."""
    early = account(number, number, at=instant - 3 * YEAR)
    ahead = advance(early, POLICY, early.look_again_at)[0].look_again_at - early.masses.at
    due = account(number, number, at=instant - ahead)
    return replace(due, look_again_at=instant - SECOND)


def account(number: int, shape: int, *, at: Instant) -> Account:
    """An account with masses of every memory, overdrawn or delighted, whose last entry was booked at `at`."""
    credit, debit = 30.0 + shape % 41, 22.0 + shape % 37
    masses = Masses(
        at=at,
        credits=(credit, 0.0, 0.0, 3.0),
        debits=(0.0, debit, 41.0 * (shape % 2), 2.0),
        big=(credit, 0.0, 0.0, 0.0),
        fresh=credit / 2,
    )
    last = LastEffective(value_at=at, sequence=1, direction=Direction.DEBIT)
    place = place_at(masses, last.direction, POLICY.half_lives, POLICY.thresholds, at)
    own = replace(opened(uuid.UUID(int=number + 1), at), masses=masses, last=last, place=place)
    return replace(own, look_again_at=max(at + 1, look_again_at(own, POLICY)))


def solver() -> None:
    """What an append pays for `look_again_at`, and the clock for the exact next crossing, where that is hardest."""
    usual = [(account(number, number, at=0), POLICY) for number in range(64)]
    hard = [(glowing(80.0, margin), POLICY) for margin in (1e-7, -1e-7)]
    hard += [(sinking(60.0, level, margin), POLICY) for level in (-15.0, -50.0) for margin in (1e-7, -1e-7)]
    hard += [(brushing_zero(1e-6, is_owed=owed), THREE) for owed in (True, False)]
    for words, cases in (("usual", usual), ("tangent", hard)):
        cheap = [microseconds(lambda a=a, p=p: look_again_at(a, p)) for a, p in cases]
        exact = [microseconds(lambda a=a, p=p: advance(a, p, a.look_again_at)) for a, p in cases]
        print(
            f"{words}: look_again_at {sum(cheap) / len(cheap):.1f} µs (worst {max(cheap):.1f}); "
            f"exact {sum(exact) / len(exact):.0f} µs (worst {max(exact):.0f})"
        )


def microseconds(work: Callable[[], object]) -> float:
    """Of processor time, the best mean of five runs: the machine has other work to do."""
    means: list[float] = []
    for _ in range(5):
        begun = time.process_time()
        for _ in range(REPEATS // 5):
            work()
        means.append((time.process_time() - begun) / (REPEATS // 5) * 1e6)
    return min(means)


def main() -> None:
    solver()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(f"sqlite:///{Path(folder) / 'bench.sqlite3'}"))
    with closing(Postgres(settings={"fsync": "on", "full_page_writes": "on"})) as server:
        server.create_database(BOOK)
        asyncio.run(measure(server.url(BOOK)))


if __name__ == "__main__":
    main()
