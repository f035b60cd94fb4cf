"""A sandbox of some hundred accounts with promises, 90 days ahead: how long that takes, and how many stretches.

`python -m benchmarks.sandbox` measures a SQLite file and a PostgreSQL of its own (with fsync).
"""

import asyncio
import os
import tempfile
import time
import uuid
from contextlib import closing
from pathlib import Path
from random import Random

from app.database import Database
from app.domain.instant import DAY
from app.domain.interaction import Interaction
from app.domain.promise_request import MakePromise
from app.main import clock
from app.operations.ledger import Ledger
from app.operations.open_book import open_book
from app.operations.record import record
from app.operations.sandbox import advance_clock
from app.operations.verify import verify
from app.queries.crossings import crossings_of_book
from app.sealing.keys import MasterKey
from app.tables.grants import ROLE
from app.upgrade import upgrade
from tests.operations.promising import STEPS
from tests.postgres import Postgres

BOOK = "test_bench"
KINDS = ("product.failed", "moment.unexpected_gift", "data.breach", "apology.first", "refund.fast", "wait.excessive")
SIZES = (300, 3_000)
DAYS = 90


async def measure(url: str) -> None:
    """Fill a sandbox, move its clock, and verify it."""
    database = Database(url, role=ROLE)
    await upgrade(database)
    for accounts in SIZES:
        ledger = Ledger(
            database=database, master_key=MasterKey(bytes(32)), now=clock, new_id=uuid.uuid4, entropy=os.urandom
        )
        book = f"{BOOK}-{accounts}"
        await open_book(ledger, book)
        await fill(ledger, book, accounts)
        begun = time.perf_counter()
        passage = await advance_clock(ledger, book, by=DAYS * DAY)
        seconds = time.perf_counter() - begun
        async with database.read(book) as tx:
            within = {"after": passage.begun_at, "until": passage.ended_at}
            _, crossings = await crossings_of_book(tx, book, limit=0, **within)
        print(
            f"{url.partition(':')[0]}: {accounts:,} accounts, as many promises, {DAYS} days in {seconds:.2f} s: "
            f"{passage.until - passage.after:,} steps, {crossings:,} crossings"
        )
        assert (await verify(ledger, book)).is_sound
    await database.close()


async def fill(ledger: Ledger, book: str, accounts: int) -> None:
    """Each account with five interactions of the year before and a promise due within 100 days."""
    rng, now = Random(1), clock()
    for number in range(accounts):
        customer = f"customer-{number}"
        batch: list[Interaction | MakePromise] = [
            Interaction(
                source="crm",
                id=f"{number}-{n}",
                customer=customer,
                kind=rng.choice(KINDS),
                value_at=now - rng.randrange(365 * DAY),
            )
            for n in range(5)
        ]
        due_at = now + DAY + rng.randrange(100 * DAY)
        batch.append(
            MakePromise(
                source="crm", id=str(number), customer=customer, kind="promise.broken", due_at=due_at, steps=STEPS
            )
        )
        await record(ledger, book, batch, api_key_id="bench")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(f"sqlite:///{Path(folder) / 'bench.sqlite3'}"))
    with closing(Postgres(settings={"fsync": "on", "full_page_writes": "on"})) as server:
        server.create_database("bench")
        asyncio.run(measure(server.url("bench")))


if __name__ == "__main__":
    main()
