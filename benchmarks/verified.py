"""How fast `goodwill verify` is: all of a large book, and then only what is new, on SQLite and on PostgreSQL.

`python -m benchmarks.verified [ENTRIES] [sqlite|postgresql]`: the book is built once, in minutes, and kept in the
folder of GOODWILL_BENCH_DIR (the temporary one). What is measured are real commands, on a PostgreSQL of our own with
fsync. On a machine that others use too, the seconds of processors are what tells.
"""

import argparse
import asyncio
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import closing
from pathlib import Path

from app.database import Database
from app.main import clock
from app.operations.ledger import Ledger
from app.operations.record import record
from benchmarks.on_both import DATABASES
from benchmarks.verified_book import BOOK, built, copied, master_key
from tests.conftest import migrated
from tests.operations.posting import interaction
from tests.postgres import Postgres
from tests.servers import environment, settings_of

NEW = 1_000
MEBIBYTE = 1_024


async def measure(url: str, path: Path, folder: Path) -> None:
    """All, then nothing new, then NEW entries on as many accounts."""
    settings = settings_of(database_url=url, master_key=master_key(path).secret)
    heads = folder / "heads.json"
    _verified("everything", settings, heads)
    _verified("nothing new", settings, heads)
    database = Database(url)
    ledger = Ledger(database=database, master_key=master_key(path), now=clock, new_id=uuid.uuid4, entropy=os.urandom)
    posts = [interaction(f"new-{uuid.uuid4()}", customer=f"customer-{n}@example.com") for n in range(NEW)]
    await record(ledger, BOOK, posts, api_key_id="bench")
    await database.close()
    _verified(f"{NEW:,} new", settings, heads)


def _verified(what: str, settings: dict[str, str], heads: Path) -> None:
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "app", "verify", "--book", BOOK, "--json", "--remember", str(heads)]
    done = subprocess.run(command, env=environment(settings), stdout=subprocess.PIPE, check=True)  # noqa: S603 - ours
    after, seconds = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - begun
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    seen, accounts = (json.loads(done.stdout)[name] for name in ("entries_seen", "accounts_seen"))
    print(
        f"  {what}: {seconds:.1f} s ({cpu:.1f} s of processors), {seen:,} entries and {accounts:,} accounts looked at, "
        f"{seen / seconds:,.0f} entries/s, at most {after.ru_maxrss / MEBIBYTE:.0f} MiB a process",
        flush=True,
    )


def main() -> None:
    """Measure on both, or on the one that is named."""
    parser = argparse.ArgumentParser()
    parser.add_argument("entries", nargs="?", type=int, default=1_000_000)
    parser.add_argument("database", nargs="?", choices=DATABASES)
    asked = parser.parse_args()
    kept = Path(os.environ.get("GOODWILL_BENCH_DIR", tempfile.gettempdir()))
    path = built(kept, asked.entries)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if asked.database != "postgresql":
            print("sqlite", flush=True)
            copy = shutil.copy(path, folder / "book.sqlite3")
            asyncio.run(measure(f"sqlite:///{copy}", path, folder))
            (folder / "heads.json").unlink()
        if asked.database != "sqlite":
            with closing(Postgres(settings={"fsync": "on", "full_page_writes": "on"})) as server:
                print("postgresql", flush=True)
                url = server.create_database("bench")
                asyncio.run(_filled(url, path))
                asyncio.run(measure(url, path, folder))


async def _filled(url: str, path: Path) -> None:
    await migrated(url)
    await copied(path, url)


if __name__ == "__main__":
    main()
