"""What is measured: servers of ours over PostgreSQL and over a SQLite file, each with a filled book, and the floor."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.bodies import Source
from benchmarks.load import Plan
from benchmarks.on_both import opened_bench
from benchmarks.served import Served, cpu_seconds_with_children
from tests.postgres import Postgres
from tests.servers import ROOT, settings_of

POSTGRES_SETTINGS = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "shared_buffers": "128MB",  # PostgreSQL's own default, as all the rest
    "max_connections": "100",
}
CUSTOMERS = 20_000
BATCH = 1_000
BATCH_CONNECTIONS = 4
LOAD_SECONDS_MAX = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """An open book on a database: with these settings a process serves it, with this key a caller posts."""

    url: str
    settings: Mapping[str, str]
    token: str
    name: str = "acme"


class World:
    """All subjects, each started when it is first asked for. Close it."""

    def __init__(self, folder: Path, *, preload: int, seed: int) -> None:
        self.folder = folder
        self.seed = seed
        self._preload = preload
        self._ending = ExitStack()
        self._runs = 0

    def close(self) -> None:
        """End all servers."""
        self._ending.close()

    @cached_property
    def floor(self) -> Served:
        """The empty routes."""
        return self._served(["benchmarks.floor", "{port}"], {}, "floor")

    @cached_property
    def postgres(self) -> Postgres:
        """A PostgreSQL of our own, with fsync."""
        return self._ending.enter_context(closing(Postgres(settings=POSTGRES_SETTINGS)))

    @cached_property
    def book(self) -> Book:
        """The book on PostgreSQL."""
        return self.new_book("bench")

    @cached_property
    def sqlite_book(self) -> Book:
        """The book in a SQLite file."""
        return asyncio.run(_open_book(f"sqlite:///{self.folder}/bench.sqlite3"))

    @cached_property
    def server(self) -> Served:
        """Ours on PostgreSQL, over a filled and analysed book."""
        server = self.serve(self.book, "server")
        self._fill(server, self.book, analyse=lambda: self.postgres.execute("ANALYZE", database="bench"))
        return server

    @cached_property
    def second_server(self) -> Served:
        """One more on the same book."""
        return self.serve(self.book, "second-server")

    @cached_property
    def sqlite_server(self) -> Served:
        """Ours on the SQLite file, over a filled book."""
        server = self.serve(self.sqlite_book, "sqlite-server")
        self._fill(server, self.sqlite_book)
        return server

    def new_book(self, database: str) -> Book:
        """An empty book on a database of its own in our PostgreSQL."""
        self.postgres.create_database(database)
        return asyncio.run(_open_book(self.postgres.url(database)))

    def serve(self, book: Book, name: str) -> Served:
        """`goodwill serve`, its clock and its deliverer included."""
        return self._served(["app", "serve"], book.settings, name)

    def load(
        self, servers: list[Served], book: Book | None, what: str, connections: int, *, first: int = 0, **how: Any
    ) -> dict[str, Any]:
        """Load these servers; what the generator found, and the processor time a request took on either side."""
        self._runs += 1
        source = Source(
            what=what,
            token=book.token if book else "gw_acme_none",
            run=f"{self._runs:04d}",
            seed=self.seed + self._runs,
            customers=CUSTOMERS,
            batch=BATCH,
            first=first,
        )
        plan = Plan(ports=[each.port for each in servers], connections=connections, source=source, **how)
        on_postgres = book is not None and book.url.startswith("postgresql")
        served, stored = sum(each.cpu_seconds for each in servers), self._postgres_seconds(on_postgres)
        found = run_load(plan)
        served, stored = (
            sum(each.cpu_seconds for each in servers) - served,
            self._postgres_seconds(on_postgres) - stored,
        )
        each = 1e6 / max(1, found["all_answers"])
        return {
            **found,
            "rate": found["answers"] / found["seconds"],
            "server_us": served * each,
            "database_us": stored * each,
        }

    def _fill(self, server: Served, book: Book, analyse: Callable[[], None] = lambda: None) -> None:
        """Fill in steps: autovacuum would analyse a new book that grows, and not wait for us to be done."""
        batches = self._preload // BATCH
        for first, end in pairwise([0, 1, min(10, batches), batches]):
            how = {"seconds": LOAD_SECONDS_MAX, "warmup": 0, "answers": end - first, "first": first * BATCH}
            self.load([server], book, "batch", BATCH_CONNECTIONS, **how)
            analyse()

    def _postgres_seconds(self, is_it: bool) -> float:
        return cpu_seconds_with_children(self.postgres.pid) if is_it else 0.0

    def _served(self, command: list[str], settings: Mapping[str, str], name: str) -> Served:
        return self._ending.enter_context(closing(Served(command, settings, self.folder / f"{name}.log")))


def run_load(plan: Plan) -> dict[str, Any]:
    """Run the generator in a process of its own. Raises RuntimeError with what it said if it fails."""
    command = [sys.executable, "-m", "benchmarks.load"]
    done = subprocess.run(command, input=plan.as_json(), cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise RuntimeError(f"the load fails:\n{done.stderr[-3_000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


async def _open_book(url: str) -> Book:
    async with opened_bench(url) as bench:
        settings = settings_of(database_url=url, master_key=bench.ledger.master_key.secret)
        return Book(url=url, settings=settings, token=bench.token)
