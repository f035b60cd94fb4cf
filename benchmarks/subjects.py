"""What is measured: servers of ours over PostgreSQL and over a SQLite file, each with a filled book, and the floor."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks.bodies import Source
from benchmarks.floor import copy_entries
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
FILL_SECONDS_MAX = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """An open book on a database: with these settings a process serves it, with this key a caller posts."""

    url: str
    settings: Mapping[str, str]
    token: str
    name: str = "acme"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Servers that share the load, and the book they serve; the floor has none."""

    servers: Sequence[Served]
    book: Book | None = None

    @property
    def cpu_seconds(self) -> float:
        """The processor time of the servers so far."""
        return sum(server.cpu_seconds for server in self.servers)


class World:
    """All subjects, each started when it is first asked for. Close it."""

    def __init__(
        self,
        folder: Path,
        *,
        preload: int,
        seed: int,
        import_rows: int = 0,
        customers: int = CUSTOMERS,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.seed = seed
        self.customers = min(customers, preload)  # each is there from the beginning
        self.import_rows = import_rows
        self.best_at_once: dict[str, int] = {}  # of each peer
        self._preload = preload
        self._settings = {**POSTGRES_SETTINGS, **(settings or {})}
        self._ending = ExitStack()
        self._runs = 0
        self._databases: dict[str, str] = {}

    def close(self) -> None:
        """End all servers."""
        self._ending.close()

    @cached_property
    def floor(self) -> Subject:
        """The empty routes."""
        return Subject(servers=[self._served(["benchmarks.floor", "{port}"], {}, "floor")])

    @cached_property
    def postgres(self) -> Postgres:
        """A PostgreSQL of our own, with fsync."""
        return self._ending.enter_context(closing(Postgres(settings=self._settings)))

    @cached_property
    def book(self) -> Book:
        """The book on PostgreSQL, which `ours` has filled."""
        assert self.ours.book is not None
        return self.ours.book

    @cached_property
    def ours(self) -> Subject:
        """One server on PostgreSQL, over a filled and analysed book."""
        return self.filled_on_postgres("bench")

    @cached_property
    def unwalled(self) -> Subject:
        """A server on the same book that goes past the wall between the books."""
        settings = {**self.book.settings, "GOODWILL_DATABASE_ROLE": "none"}
        return Subject(servers=[self._serve(replace(self.book, settings=settings), "unwalled")], book=self.book)

    @cached_property
    def both(self) -> Subject:
        """The same server, and one more on the same book."""
        return Subject(servers=[*self.ours.servers, self._serve(self.book, "second")], book=self.book)

    @cached_property
    def sqlite(self) -> Subject:
        """One server on a SQLite file, over a filled book."""
        return self.filled_on_sqlite("bench")

    @cached_property
    def rows(self) -> list[tuple[Any, ...]]:
        """The entries with which the book was filled, as they are stored, in order."""
        return asyncio.run(_rows(self.book, self._preload))

    @cached_property
    def copied(self) -> str:
        """The URL of a migrated database whose table of entries was filled with the same."""
        book = asyncio.run(_open_book(self.database("copied")))
        asyncio.run(copy_entries(book.url, self.rows, book="filled", seconds=0, least=self._preload))
        self.postgres.execute("ANALYZE", database="copied")
        return book.url

    def filled_on_postgres(self, name: str) -> Subject:
        """One server on a database of its own, over a filled and analysed book."""
        book = asyncio.run(_open_book(self.database(name)))
        subject = Subject(servers=[self._serve(book, name)], book=book)
        self._fill(subject, analyse=lambda: self.postgres.execute("ANALYZE", database=name))
        return subject

    def filled_on_sqlite(self, name: str) -> Subject:
        """One server on a file of its own, over a filled book."""
        book = asyncio.run(_open_book(f"sqlite:///{self.folder}/{name}.sqlite3"))
        subject = Subject(servers=[self._serve(book, f"sqlite-{name}")], book=book)
        self._fill(subject)
        return subject

    def database(self, name: str) -> str:
        """The URL of a database of that name in our PostgreSQL, empty at first."""
        if name not in self._databases:
            self._databases[name] = self.postgres.create_database(name)
        return self._databases[name]

    def new_run(self) -> str:
        """A name that no other run has."""
        self._runs += 1
        return f"{self._runs:04d}"

    def load(self, subject: Subject, what: str, connections: int, *, first: int = 0, **how: Any) -> dict[str, Any]:
        """Load it; what the generator found, and the processor time a request took on either side."""
        book = subject.book
        source = Source(
            what=what,
            token=book.token if book else "gw_acme_none",
            run=self.new_run(),
            seed=self.seed + self._runs,
            customers=self.customers,
            batch=BATCH,
            first=first,
        )
        ports = [server.port for server in subject.servers]
        is_on_postgres = book is not None and book.url.startswith("postgresql")
        served, stored = subject.cpu_seconds, self._postgres_seconds(is_on_postgres)
        found = run_load(Plan(ports=ports, connections=connections, source=source, **how))
        served, stored = subject.cpu_seconds - served, self._postgres_seconds(is_on_postgres) - stored
        each = 1e6 / max(1, found["all_answers"])
        rate = found["answers"] / found["seconds"]
        return {**found, "rate": rate, "server_us": served * each, "database_us": stored * each}

    def _fill(self, subject: Subject, analyse: Callable[[], None] = lambda: None) -> None:
        """Fill in steps: autovacuum would analyse a new book that grows, and not wait for us to be done."""
        batches = self._preload // BATCH
        for first, end in pairwise([0, 1, min(10, batches), batches]):
            how: dict[str, Any] = {"seconds": FILL_SECONDS_MAX, "warmup": 0, "answers": end - first}
            self.load(subject, "batch", BATCH_CONNECTIONS, first=first * BATCH, **how)
            analyse()

    def _postgres_seconds(self, is_it: bool) -> float:
        return cpu_seconds_with_children(self.postgres.pid) if is_it else 0.0

    def _serve(self, book: Book, name: str) -> Served:
        """`goodwill serve`, its clock and its deliverer included."""
        return self._served(["app", "serve"], book.settings, name)

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


async def _rows(book: Book, count: int) -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(book.url)
    query = "SELECT * FROM entries WHERE book = $1 AND position <= $2 ORDER BY position"
    rows = [tuple(row) for row in await connection.fetch(query, book.name, count)]
    await connection.close()
    return rows
