"""How much dearer a book becomes as it grows: appends and reads at 0, 1 and 10 million entries, and bytes an entry.

    python -m benchmarks.growth [postgresql|sqlite] [--millions 0,1,10] [--rounds 9] [--set shared_buffers=4GB]

The book of 0 million has 100,000 entries of 10,000 accounts; a grown one has as many entries an account. All stand
side by side, each with a server, and are measured by turns, since a machine that others share is quick in one minute
and slow in the next. A cost is the processor time of server and database for each request; its ratio is the median,
over the rounds, of what it is to the smallest book's in the same round, with the quartiles. The empty route, which has
no book, takes each book's turn once more: what its ratios differ from 1 by is the machine's. The database's time is all
that its processes took meanwhile: what they do for other books in the background is in it, at every size alike.
"""

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

from sqlalchemy import text

from app.database import Database
from benchmarks.growth_fill import Filling
from benchmarks.subjects import Book, Subject, World

CUSTOMERS, ENTRIES = 10_000, 100_000  # so many that a batch of 1,000 seldom meets one of them twice, at any size
MILLION = 1_000_000
LEAST_BYTES = 1.0  # an entry: smaller tables are not listed
CONTROL = "empty route"  # as dear at every size, if the machine is as quiet

COSTS: dict[str, tuple[str, int]] = {  # what is asked, from how many connections
    CONTROL: ("post", 64),
    "post_64": ("post", 64),
    "batch_1000": ("batch", 4),
    "balance": ("balance", 8),
    "account": ("account", 8),
    "statement": ("statement", 8),
    "lookup_500": ("lookup", 1),
    "worklist overdrawn": ("overdrawn", 1),
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
class Grown:
    """A server over a book that has so many customers."""

    subject: Subject
    customers: int


Slice = dict[str, float]
"""Of one turn: the processor time a request took of either side, in microseconds; the median answer in milliseconds."""


def main() -> None:
    """Grow the books, and print what each costs."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # so that processes of ours end too
    with (
        tempfile.TemporaryDirectory(prefix="goodwill-growth-") as folder,
        closing(
            World(Path(folder), preload=ENTRIES, seed=options.seed, customers=CUSTOMERS, settings=dict(options.set))
        ) as world,
    ):
        books = {each: grown(world, each, is_postgres=options.database == "postgresql") for each in options.millions}
        print(
            f"\n{'us of server + database (median ms)':24}" + "".join(f" {f'{size:g} million':>43}" for size in books)
        )
        for name in options.only or COSTS:
            print_cost(name, costs(world, books, name, rounds=options.rounds, seconds=options.seconds))


def grown(world: World, millions: float, *, is_postgres: bool) -> Grown:
    """A book of so many millions of entries; its sizes are printed."""
    begun, name = time.perf_counter(), f"growth{millions:g}"
    subject = world.filled_on_postgres(name) if is_postgres else world.filled_on_sqlite(name)
    assert subject.book is not None
    filling = Filling(subject.book, CUSTOMERS)
    asyncio.run(filling.begin())
    if (copies := round(millions * MILLION / ENTRIES)) > 0:
        asyncio.run(filling.copy(copies))
    if is_postgres:
        world.postgres.execute("VACUUM ANALYZE", database=name)  # as autovacuum would
        world.postgres.execute("CHECKPOINT")
    print(f"\n{millions:g} million entries: filled in {time.perf_counter() - begun:.0f} s", flush=True)
    print_sizes(asyncio.run(sizes(subject.book)))
    return Grown(subject=subject, customers=CUSTOMERS * (filling.copies + 1))


def costs(
    world: World, books: Mapping[float, Grown], name: str, *, rounds: int, seconds: float
) -> dict[float, list[Slice]]:
    """What one of COSTS takes of each book, round after round, each round beginning with another book."""
    found: dict[float, list[Slice]] = {millions: [] for millions in books}
    for number in range(-1, rounds):
        for millions in rotated(list(books), number):
            slice_ = one(world, books[millions], name, seconds)
            if number >= 0:  # the first round warms
                found[millions].append(slice_)
    return found


def rotated(given: Sequence[float], number: int) -> list[float]:
    """The same, beginning with another one each time."""
    start = number % len(given)
    return [*given[start:], *given[:start]]


def one(world: World, book: Grown, name: str, seconds: float) -> Slice:
    """One of COSTS for so many seconds."""
    what, connections = COSTS[name]
    world.customers = book.customers
    asked = world.floor if name == CONTROL else book.subject
    found = world.load(asked, what, connections, seconds=seconds, to_the_last=True)
    return {name: found[name] for name in ("server_us", "database_us", "p50_ms")}


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


def print_cost(name: str, found: Mapping[float, Sequence[Slice]]) -> None:
    """A line: for each size the medians, and the ratio to the smallest with its quartiles."""
    first = next(iter(found.values()))
    print(f"{name:24}" + "".join(f" {_cell(own, first):>43}" for own in found.values()), flush=True)


def _cell(own: Sequence[Slice], first: Sequence[Slice]) -> str:
    server, database, answer = (median(each[name] for each in own) for name in ("server_us", "database_us", "p50_ms"))
    ratios = [_both(each) / _both(least) for each, least in zip(own, first, strict=True)]
    low, middle, high = quantiles(ratios, n=4, method="inclusive")
    ratio = "" if own is first else f" x{middle:.2f} [{low:.2f} {high:.2f}]"
    return f"{server:,.0f} + {database:,.0f} ({answer:,.1f}){ratio}"


def _both(found: Slice) -> float:
    return found["server_us"] + found["database_us"]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="appends and reads as a book grows")
    parser.add_argument("database", nargs="?", choices=["postgresql", "sqlite"], default="postgresql")
    parser.add_argument("--millions", type=lambda given: [float(each) for each in given.split(",")])
    parser.add_argument("--rounds", type=int, default=9, help="at least 2")
    parser.add_argument("--seconds", type=float, default=1.0, help="of each turn")
    parser.add_argument("--only", type=lambda given: given.split(","), help="some of the costs, by name, in this order")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--set", action="append", default=[], type=lambda given: given.split("=", 1), help="a setting of PostgreSQL"
    )
    options = parser.parse_args()
    options.millions = options.millions or ([0, 1, 10] if options.database == "postgresql" else [0, 1])
    return options


if __name__ == "__main__":
    main()
