"""How much dearer a book becomes as it grows: appends and reads at 0, 1 and 10 million entries, and bytes an entry.

    python -m benchmarks.growth [postgresql|sqlite] [--millions 0,1,10] [--seconds 2] [--set shared_buffers=4GB]

The book of 0 million has 100,000 entries of 10,000 accounts; a grown one has as many entries an account. A cost is the
processor time of server and database for each request, in microseconds, which the machine's other work touches
least; beside it the median answer, and the ratio to the empty book's.
"""

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from app.database import Database
from benchmarks.growth_fill import Filling
from benchmarks.subjects import Book, Subject, World

CUSTOMERS, ENTRIES = 10_000, 100_000  # so many that a batch of 1,000 seldom meets one of them twice, at any size
MILLION = 1_000_000
LEAST_BYTES = 1.0  # an entry: smaller tables are not listed
SLICES = 3
CONTROL = "empty route"  # as dear at every size, if the machine is as quiet

COSTS: dict[str, tuple[str, int]] = {  # what is asked, from how many connections
    CONTROL: ("post", 64),
    "post_64": ("post", 64),
    "batch_1000": ("batch", 4),
    "balance": ("balance", 8),
    "account": ("account", 8),
    "statement": ("statement", 8),
    "lookup_500": ("lookup", 1),
    "worklist, overdrawn": ("overdrawn", 1),
    "worklist by balance": ("by_balance", 1),
    "worklist by last entry": ("by_last_entry", 1),
}
SIZES = {
    "postgresql": """
        SELECT owner.relname AS of_table, own.relname AS name, pg_relation_size(own.oid)
            + coalesce(pg_total_relation_size(nullif(own.reltoastrelid, 0)), 0) AS bytes
        FROM pg_class own LEFT JOIN pg_index ON indexrelid = own.oid
            JOIN pg_class owner ON owner.oid = coalesce(indrelid, own.oid)
        WHERE own.relnamespace = 'public'::regnamespace AND own.relkind IN ('r', 'i')""",
    "sqlite": """
        SELECT tbl_name AS of_table, dbstat.name AS name, sum(pgsize) AS bytes
        FROM dbstat JOIN sqlite_master USING (name) GROUP BY tbl_name, dbstat.name""",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a request takes of all processors, and the median answer of the time."""

    microseconds: float
    milliseconds: float


def main() -> None:
    """Grow a book step by step, and print what it costs at each."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # so that processes of ours end too
    is_postgres = options.database == "postgresql"
    with (
        tempfile.TemporaryDirectory(prefix="goodwill-growth-") as folder,
        closing(
            World(Path(folder), preload=ENTRIES, seed=options.seed, customers=CUSTOMERS, settings=dict(options.set))
        ) as world,
    ):
        subject = world.ours if is_postgres else world.sqlite
        assert subject.book is not None
        measured: dict[float, dict[str, Cost]] = {}
        filling = Filling(subject.book, CUSTOMERS)
        asyncio.run(filling.begin())
        for millions in options.millions:
            grow(world, filling, millions, is_postgres=is_postgres)
            print_sizes(asyncio.run(sizes(subject.book)))
            measured[millions] = {name: cost(world, subject, name, options.seconds) for name in COSTS}
            print_costs(measured)


def grow(world: World, filling: Filling, millions: float, *, is_postgres: bool) -> None:
    """Let the book have so many millions of entries."""
    begun, missing = time.perf_counter(), round(millions * MILLION / ENTRIES) - filling.copies
    if missing > 0:
        asyncio.run(filling.copy(missing))
        if is_postgres:
            world.postgres.execute("VACUUM ANALYZE", database="bench")  # as autovacuum would
            world.postgres.execute("CHECKPOINT")
    world.customers = CUSTOMERS * (filling.copies + 1)
    print(f"\n{millions:g} million entries: filled in {time.perf_counter() - begun:.0f} s", flush=True)


def cost(world: World, subject: Subject, name: str, seconds: float) -> Cost:
    """What one of COSTS is now: the least of some slices, since the machine's other work only adds to it."""
    what, connections = COSTS[name]
    asked = world.floor if name == CONTROL else subject
    world.load(asked, what, connections, seconds=seconds / 4)
    found = [world.load(asked, what, connections, seconds=seconds, to_the_last=True) for _ in range(SLICES)]
    return Cost(
        microseconds=min(each["server_us"] + each["database_us"] for each in found),
        milliseconds=min(each["p50_ms"] for each in found),
    )


async def sizes(book: Book) -> dict[tuple[str, str], float]:
    """The bytes of each table (under its own name) and index, for each entry of the book."""
    database = Database(book.url)
    async with database.oversee() as tx:
        count = (await tx.execute(text("SELECT count(*) FROM entries"))).scalar_one()
        rows = (await tx.execute(text(SIZES[tx.dialect.name]))).all()
    await database.close()
    return {(row.of_table, row.name): row.bytes / count for row in rows if not row.of_table.startswith("growth_")}


def print_sizes(found: Mapping[tuple[str, str], float]) -> None:
    """The bytes an entry of each table, its rows and indexes, the largest first."""
    whole: dict[str, float] = {}
    for (table, _), each in found.items():
        whole[table] = whole.get(table, 0) + each
    print(f"bytes an entry: {sum(whole.values()):,.1f} in all, of which {whole['entries']:,.1f} for the entries")
    for table in sorted(whole, key=lambda name: -whole[name]):
        parts = sorted(((each, name) for (of, name), each in found.items() if of == table), reverse=True)
        listed = ", ".join(f"{name} {each:,.1f}" for each, name in parts)
        if whole[table] >= LEAST_BYTES:
            print(f"  {table} {whole[table]:,.1f}: {listed}")


def print_costs(measured: Mapping[float, Mapping[str, Cost]]) -> None:
    """A line for each of COSTS, a column for each size."""
    empty = next(iter(measured.values()))
    print(f"{'us of processors (median answer, ms)':37}" + "".join(f"{f'{size:g} million':>26}" for size in measured))
    for name, first in empty.items():
        each = (found[name] for found in measured.values())
        print(f"{name:37}" + "".join(f"{_cell(own, first):>26}" for own in each), flush=True)


def _cell(own: Cost, first: Cost) -> str:
    return f"{own.microseconds:,.0f} ({own.milliseconds:,.1f}) x{own.microseconds / first.microseconds:.2f}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="appends and reads as a book grows")
    parser.add_argument("database", nargs="?", choices=["postgresql", "sqlite"], default="postgresql")
    parser.add_argument("--millions", type=lambda given: [float(each) for each in given.split(",")])
    parser.add_argument("--seconds", type=float, default=1.0, help="of each slice")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--set", action="append", default=[], type=lambda given: given.split("=", 1), help="a setting of PostgreSQL"
    )
    options = parser.parse_args()
    options.millions = options.millions or ([0, 1, 10] if options.database == "postgresql" else [0, 1])
    return options


if __name__ == "__main__":
    main()
