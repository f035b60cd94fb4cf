"""Which SQLite driver? Appends a second through each, against the floor: raw sqlite3 in one thread.

    .venv/bin/python -m benchmarks.sqlite_driver [--rounds 5] [--seconds 1.2] [--folder DIR]

Each contender does the statement mix of an append of one (BEGIN IMMEDIATE, 5 point reads, 2 inserts, an upsert and
an update, COMMIT; WAL, synchronous=FULL) on a file of its own. Rounds are interleaved, so that a slow minute of the
machine slows all alike; a ratio compares contenders within one round. The CPU time of an append (all threads of this
process) hardly depends on the neighbours. apsw takes part if it can be imported (`.venv/bin/pip install apsw`; it is
no dependency of the project).
"""

import argparse
import asyncio
import importlib
import platform
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiosqlite
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.ext.asyncio import create_async_engine

from app.database import Database
from benchmarks.append_mix import core_reads, core_writes, prepare, reads, writes

PRAGMAS = ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA recursive_triggers=ON")
ROWS_AHEAD = 100

Execute = Callable[[str, tuple[Any, ...]], Any]
Contender = Callable[[Path, float], int]


def main() -> None:
    """Run all contenders, interleaved, and print what they did."""
    options = _options()
    found = contenders()
    rates: dict[str, list[float]] = {name: [] for name in found}
    cpu: dict[str, list[float]] = {name: [] for name in found}
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for number in range(options.rounds):
            for index, (name, contender) in enumerate(found.items()):
                path = Path(folder) / f"{number}-{index}.sqlite3"
                prepare(path)
                begun, used = time.perf_counter(), time.process_time()
                appends = contender(path, begun + options.seconds)
                rates[name].append(appends / (time.perf_counter() - begun))
                cpu[name].append((time.process_time() - used) * 1000 / appends)
    _print(rates, cpu, options.rounds)


def contenders() -> dict[str, Contender]:
    """By name; the first is the floor."""
    found: dict[str, Contender] = {
        "sqlite3, one thread (the floor)": raw_sqlite3,
        "aiosqlite, bare": lambda path, until: asyncio.run(bare_aiosqlite(path, until)),
        "SQLAlchemy Core on aiosqlite (ours)": lambda path, until: asyncio.run(ours(path, until)),
        "the same, one hop a statement": lambda path, until: asyncio.run(one_hop(path, until)),
        "SQLAlchemy Core on sqlite3, one thread": core_on_sqlite3,
    }
    try:
        apsw = importlib.import_module("apsw")
    except ImportError:
        print("apsw is not installed, so it does not take part: .venv/bin/pip install apsw\n")
        return found
    print(f"apsw {apsw.apsw_version()} brings SQLite {apsw.sqlite_lib_version()}")
    return {**found, "apsw, one thread": lambda path, until: raw_apsw(apsw, path, until)}


def raw_sqlite3(path: Path, until: float) -> int:
    """The standard library's driver, nothing around it."""
    connection = sqlite3.connect(path, isolation_level=None)
    return _plain(connection.execute, until)


def raw_apsw(apsw: Any, path: Path, until: float) -> int:
    """apsw, nothing around it."""
    connection = apsw.Connection(str(path))
    return _plain(connection.execute, until)


def _plain(execute: Execute, until: float) -> int:
    for pragma in PRAGMAS:
        execute(pragma, ())
    number = 0
    while time.perf_counter() < until:
        number += 1
        execute("BEGIN IMMEDIATE", ())
        for query, values in reads(number):
            execute(query, values).fetchall()
        for query, values in writes(number):
            execute(query, values)
        execute("COMMIT", ())
    return number


async def bare_aiosqlite(path: Path, until: float) -> int:
    """aiosqlite: sqlite3 in a thread of its own, a hop for each statement."""
    number = 0
    async with aiosqlite.connect(path, isolation_level=None) as connection:
        for pragma in PRAGMAS:
            await connection.execute(pragma)
        while time.perf_counter() < until:
            number += 1
            await connection.execute("BEGIN IMMEDIATE")
            for query, values in reads(number):
                await connection.execute_fetchall(query, values)
            for query, values in writes(number):
                await connection.execute(query, values)
            await connection.execute("COMMIT")
    return number


async def ours(path: Path, until: float) -> int:
    """The project's own connections."""
    database = Database(f"sqlite:///{path}")
    number = 0
    while time.perf_counter() < until:
        number += 1
        async with database.whole() as tx:
            await _core_append(tx.execute, number)
    await database.close()
    return number


def core_on_sqlite3(path: Path, until: float) -> int:
    """What asyncio costs: the same SQLAlchemy statements without it."""
    engine = create_engine(f"sqlite:///{path}")
    _begin_explicitly(engine)
    number = 0
    while time.perf_counter() < until:
        number += 1
        with engine.begin() as tx:
            for statement in (*core_reads(number), *core_writes(number)):
                tx.execute(statement)
    engine.dispose()
    return number


async def one_hop(path: Path, until: float) -> int:
    """The project's way with a cursor that goes to the thread once a statement instead of four times."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}", connect_args={"async_creator_fn": _one_hop_connection})
    _begin_explicitly(engine.sync_engine)
    number = 0
    while time.perf_counter() < until:
        number += 1
        async with engine.begin() as tx:
            await _core_append(tx.execute, number)
    await engine.dispose()
    return number


class OneHopCursor(aiosqlite.Cursor):
    """Opens, executes and fetches the first rows in one go; closing what is read to its end needs no thread."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._conn = connection
        self._ahead: list[Any] = []
        self._is_exhausted = True

    async def execute(self, sql: str, parameters: Any = ()) -> "OneHopCursor":
        await self._execute(self._run, sql, parameters)
        return self

    async def fetchall(self) -> list[Any]:
        rest = [] if self._is_exhausted else await super().fetchall()
        return [*self._ahead, *rest]

    async def close(self) -> None:
        if not self._is_exhausted:
            await super().close()

    def _run(self, sql: str, parameters: Any) -> None:
        self._cursor = self._conn._conn.execute(sql, parameters)  # noqa: SLF001  # a subclass of the driver's own
        self._ahead = self._cursor.fetchmany(ROWS_AHEAD)
        self._is_exhausted = len(self._ahead) < ROWS_AHEAD


class OneHopConnection(aiosqlite.Connection):
    """An aiosqlite connection with such cursors."""

    def cursor(self) -> OneHopCursor:  # type: ignore[override]
        return OneHopCursor(self)


def _one_hop_connection(path: str, **_options: Any) -> OneHopConnection:
    return OneHopConnection(lambda: sqlite3.connect(path, check_same_thread=False), 64)


def _begin_explicitly(engine: Engine) -> None:
    """As app.database does: the driver begins nothing by itself."""

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begun(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


async def _core_append(execute: Callable[[Any], Awaitable[Any]], number: int) -> None:
    for statement in core_reads(number):
        (await execute(statement)).all()
    for statement in core_writes(number):
        await execute(statement)


def _print(rates: dict[str, list[float]], cpu: dict[str, list[float]], rounds: int) -> None:
    print(f"Python {platform.python_version()}, sqlite3 with SQLite {sqlite3.sqlite_version}, {rounds} rounds\n")
    print(f"{'appends/s':40}{'min':>8}{'median':>8}{'max':>8}{'of the floor':>14}{'CPU ms each':>13}")
    floor = next(iter(rates.values()))
    for name, own in rates.items():
        ratio = statistics.median(rate / base for rate, base in zip(own, floor, strict=True))
        print(
            f"{name:40}{min(own):>8,.0f}{statistics.median(own):>8,.0f}{max(own):>8,.0f}{ratio:>14.2f}{statistics.median(cpu[name]):>13.2f}"
        )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="appends a second through each SQLite driver")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.2, help="of each contender in each round")
    parser.add_argument(
        "--folder", type=Path, default=None, help="on the disk to measure; the temporary folder if not given"
    )
    options = parser.parse_args()
    if options.rounds < 3:
        sys.exit("a median needs 3 rounds or more")
    return options


if __name__ == "__main__":
    main()
