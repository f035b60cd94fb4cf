"""How long a policy switch takes over many accounts, and for how much of it no posting gets in.

`python -m benchmarks.policy_switch [ACCOUNTS]`: on SQLite in a temporary folder and on the tests' PostgreSQL.
"""

import asyncio
import os
import sys
import tempfile
import time
import uuid
from pathlib import Path

from app.database import Database
from app.domain.interaction import Interaction
from app.domain.policy import HalfLives, Policy, Thresholds
from app.main import clock, migrate
from app.operations import adopt_policy as adopting
from app.operations.ledger import Ledger
from app.operations.open_book import open_book
from app.operations.preview_policy import preview_policy
from app.operations.read_customer import reading
from app.operations.record import record
from app.operations.verify import verify
from app.sealing.keys import MasterKey
from tests.operations.adopting import document_of
from tests.postgres import running_server

BOOK = "bench"
BATCH = 5_000
KINDS = ("moment.unexpected_gift", "product.failed", "apology.first", "data.breach", "refund.fast")
SHORT = Policy(half_lives=HalfLives(lasting=30.0, passing=10.0, deep=60.0, observed=20.0, fresh=3.0))
STRICT = Policy(half_lives=SHORT.half_lives, thresholds=Thresholds(marked=-5.0, deep=-18.0, glow=40.0))


async def measure(url: str, accounts: int) -> None:
    """Fill a book, switch its half-lives and then its thresholds, and say how long each step took."""
    database = Database(url)
    async with database.write() as tx:
        await tx.run_sync(migrate)
    ledger = Ledger(
        database=database,
        master_key=MasterKey(os.urandom(32)),
        now=clock,
        new_id=uuid.uuid4,
        entropy=os.urandom,
    )
    await open_book(ledger, BOOK)
    for begin in range(0, 2 * accounts, BATCH):
        batch = [_interaction(n, accounts) for n in range(begin, begin + BATCH)]
        await record(ledger, BOOK, batch, api_key_id="bench")
    for name, policy in (("half-lives", SHORT), ("thresholds", STRICT)):
        say(f"{database.url.get_backend_name()}, {accounts:,} accounts, {name} change:")
        await _switched(ledger, policy)
    report = await verify(ledger, BOOK)
    say(f"  verify: {'sound' if report.is_sound else report.findings[:3]}")
    await database.close()


async def _switched(ledger: Ledger, policy: Policy) -> None:
    begun = time.perf_counter()
    async with ledger.database.read() as tx:
        seen = await preview_policy(await reading(ledger, tx, BOOK), policy)
    say(f"  preview {time.perf_counter() - begun:.1f} s, {seen.changed:,} standings change")
    await adopting.adopt_policy(ledger, BOOK, document_of(policy), expected_version=None, api_key_id="bench")
    begun = time.perf_counter()
    while await adopting._prepare_some(ledger, BOOK) is not None:  # noqa: SLF001 - timed apart from the last step
        pass
    prepared = time.perf_counter()
    await adopting._switch(ledger, BOOK)  # noqa: SLF001 - timed apart from what prepares it
    say(f"  prepared in {prepared - begun:.1f} s; last step, under the lock, {time.perf_counter() - prepared:.2f} s")


def _interaction(number: int, accounts: int) -> Interaction:
    kind = KINDS[(number * 7 + number // accounts) % len(KINDS)]
    return Interaction(source="bench", id=str(number), customer=f"customer {number % accounts}", kind=kind)


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Both databases, one after the other."""
    accounts = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(f"sqlite:///{Path(folder) / 'bench.sqlite3'}", accounts))
    with running_server() as server:
        asyncio.run(measure(server.create_database("bench"), accounts))


if __name__ == "__main__":
    main()
