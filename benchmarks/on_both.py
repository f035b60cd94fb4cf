"""What the benchmarks of webhooks measure on: an open book with the real clock, on a SQLite file and on PostgreSQL."""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, closing

from app.database import Database
from app.domain.api_key import Scope
from app.main import clock
from app.operations.ledger import Ledger
from app.operations.manage_keys import create_key
from app.sealing.keys import MasterKey
from app.tables.grants import ROLE
from app.upgrade import upgrade
from tests.conftest import Bench, Clock
from tests.postgres import Postgres
from tests.servers import settings_of

DATABASES = ("sqlite", "postgresql")


class Present(Clock):
    """The real clock, where a bench wants one."""

    def __call__(self) -> int:
        return clock()


@asynccontextmanager
async def opened_bench(url: str) -> AsyncGenerator[Bench]:
    """An open book on this empty database, from which webhooks may go to loopback."""
    database = Database(url, role=ROLE)
    await upgrade(database)
    ledger = Ledger(
        database=database,
        master_key=MasterKey(os.urandom(32)),
        now=clock,
        new_id=uuid.uuid4,
        entropy=os.urandom,
        allow_loopback=True,
    )
    key, token = await create_key(ledger, "acme", name="bench", scopes=[Scope.ADMIN], source="crm")
    yield Bench(ledger=ledger, url=url, clock=Present(), book="acme", key_id=key.key_id, token=token.text)
    await database.close()


def process_settings(bench: Bench) -> dict[str, str]:
    """With which a process of its own works on the bench, and delivers to loopback."""
    settings = settings_of(database_url=bench.url, master_key=bench.ledger.master_key.secret)
    return {**settings, "GOODWILL_WEBHOOKS_ALLOW_LOOPBACK": "true"}


def on_both(measure: Callable[[Bench], Awaitable[None]]) -> None:
    """Measure on a SQLite file and on a PostgreSQL of its own (with fsync), or on the one that is named."""
    parser = argparse.ArgumentParser()
    parser.add_argument("database", nargs="?", choices=DATABASES)
    only = parser.parse_args().database
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # so that processes of ours end too

    async def measured(url: str) -> None:
        print(url.partition(":")[0], flush=True)
        async with opened_bench(url) as bench:
            await measure(bench)

    if only != "postgresql":
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(measured(f"sqlite:///{folder}/bench.sqlite3"))
    if only != "sqlite":
        with closing(Postgres(settings={"fsync": "on", "full_page_writes": "on"})) as server:
            server.create_database("bench")
            asyncio.run(measured(server.url("bench")))
