"""How long a policy switch takes over many accounts, and how long it keeps a posting waiting.

`python -m benchmarks.policy_switch [ACCOUNTS]`: on SQLite in a temporary folder and on a PostgreSQL of its own (with
fsync). The accounts are prepared and the postings made in one process, as in a server that runs the clock.
"""

import asyncio
import os
import sys
import tempfile
import time
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

from app.database import Database
from app.domain.interaction import Interaction
from app.domain.policy import HalfLives, Policy, Thresholds
from app.main import clock
from app.operations import carry_adoption as carrying
from app.operations.adopt_policy import adopt_policy
from app.operations.ledger import Ledger
from app.operations.open_book import open_book
from app.operations.preview_policy import preview_policy
from app.operations.read_customer import reading
from app.operations.record import record
from app.operations.verify import verify
from app.sealing.keys import MasterKey
from app.tables.grants import ROLE
from app.upgrade import upgrade
from app.worker import BREATH_SECONDS
from tests.operations.adopting import document_of
from tests.postgres import Postgres

BOOK = "bench"
BATCH = 5_000
KINDS = ("moment.unexpected_gift", "product.failed", "apology.first", "data.breach", "refund.fast")
SLOWER = HalfLives(lasting=200.0, passing=100.0, deep=400.0, observed=120.0, fresh=14.0)
POLICIES = {
    "half-lives": Policy(half_lives=SLOWER),
    "thresholds": Policy(half_lives=SLOWER, thresholds=Thresholds(marked=-5.0, deep=-18.0, glow=40.0)),
}
PAUSE_SECONDS = 0.01  # between two postings


async def measure(url: str, accounts: int) -> None:
    """Fill a book, switch its half-lives and then its thresholds, and say how long each step took."""
    database = Database(url, role=ROLE)
    await upgrade(database)
    ledger = Ledger(
        database=database,
        master_key=MasterKey(os.urandom(32)),
        now=clock,
        new_id=uuid.uuid4,
        entropy=os.urandom,
    )
    await open_book(ledger, BOOK)
    for begin in range(0, 2 * accounts, BATCH):
        batch = [_interaction(str(n), n, accounts) for n in range(begin, begin + BATCH)]
        await record(ledger, BOOK, batch, api_key_id="bench")
    for name, policy in POLICIES.items():
        say(f"{database.url.get_backend_name()}, {accounts:,} accounts, {name} change:")
        await _switched(ledger, policy, accounts)
    report = await verify(ledger, BOOK)
    say(f"  verify: {'sound' if report.is_sound else report.findings[:3]}")
    await database.close()


async def _switched(ledger: Ledger, policy: Policy, accounts: int) -> None:
    begun = time.perf_counter()
    async with ledger.database.read(BOOK) as tx:
        seen = await preview_policy(await reading(ledger, tx, BOOK), policy)
    say(f"  preview {time.perf_counter() - begun:.1f} s, {seen.changed:,} standings change")
    waits: list[float] = []
    posting = asyncio.create_task(_post_on(ledger, accounts, waits))
    await asyncio.sleep(2)
    say(f"  {_told(waits)} before")
    waits.clear()
    await adopt_policy(ledger, BOOK, document_of(policy), expected_version=None, api_key_id="bench")
    prepared, switch = await _carried(ledger)
    say(f"  prepared in {prepared:.1f} s; last step, under the lock, {switch:.2f} s; {_told(waits)} meanwhile")
    waits.clear()
    begun = time.perf_counter()
    while await carrying.sweep(ledger, BOOK):  # noqa: ASYNC110 - it waits for nothing: others get their turn
        await asyncio.sleep(BREATH_SECONDS)
    say(f"  swept in {time.perf_counter() - begun:.1f} s; {_told(waits)} meanwhile")
    posting.cancel()
    await asyncio.wait([posting])


async def _carried(ledger: Ledger) -> tuple[float, float]:
    """Seconds that all took but the last step, and that the last step took, its wait for the head included."""
    took: list[float] = []
    switch = carrying._switch  # noqa: SLF001 - timed apart from what prepares it

    async def timed(*arguments: Any) -> None:
        begun = time.perf_counter()
        await switch(*arguments)
        took.append(time.perf_counter() - begun)

    vars(carrying)["_switch"] = timed
    begun = time.perf_counter()
    while await carrying.prepare_or_switch(ledger, BOOK):  # noqa: ASYNC110 - as above
        await asyncio.sleep(BREATH_SECONDS)
    vars(carrying)["_switch"] = switch
    return time.perf_counter() - begun - took[-1], took[-1]


async def _post_on(ledger: Ledger, accounts: int, waits: list[float]) -> None:
    """One posting after another, to accounts all over the book; `waits` gets the seconds that each took."""
    number = 0
    while True:
        begun = time.perf_counter()
        await record(ledger, BOOK, [_interaction(uuid.uuid4().hex, 7_919 * number, accounts)], api_key_id="bench")
        waits.append(time.perf_counter() - begun)
        number += 1
        await asyncio.sleep(PAUSE_SECONDS)


def _told(waits: list[float]) -> str:
    typical = sorted(waits)[len(waits) // 2]
    return f"of {len(waits):,} postings the longest took {max(waits) * 1e3:.0f} ms, one in two {typical * 1e3:.0f} ms"


def _interaction(name: str, number: int, accounts: int) -> Interaction:
    account = number % accounts
    kind = KINDS[(account * 7 + number // accounts * (1 + account // 5 % 2)) % len(KINDS)]
    return Interaction(source="bench", id=name, customer=f"customer {account}", kind=kind)


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Both databases, one after the other."""
    accounts = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(f"sqlite:///{Path(folder) / 'bench.sqlite3'}", accounts))
    with closing(Postgres(settings={"fsync": "on", "full_page_writes": "on"})) as server:
        asyncio.run(measure(server.create_database("bench"), accounts))


if __name__ == "__main__":
    main()
