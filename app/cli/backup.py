"""`goodwill backup`: one file with everything in it, taken while postings go on; beside it, the heads it holds, and the
list of whom its books forgot."""

import asyncio
import contextlib
import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import URL

from app.cli.erasures import keep_erasures
from app.cli.remembering import HeadsFile
from app.cli.session import fail, opened_ledger, run
from app.database import Database
from app.domain.entry import Head
from app.domain.remembered import mark_of
from app.durable import put
from app.operations.ledger import Ledger
from app.queries.erasures import Erased, erasures_of
from app.queries.heads import all_heads
from app.wall import sees_all

PAGES_AT_ONCE = 1_000  # of a few kilobytes each: a step is short, and the disk is somebody else's between two
PAUSE_SECONDS = 0.005
HEADS_SUFFIX, ERASURES_SUFFIX = ".heads.json", ".erasures.json"
NO_PG_DUMP = "there is no pg_dump on the PATH: install PostgreSQL's client programs, or see docs/backups.md"

File = Annotated[
    Path, typer.Argument(help="the file to write; the heads, and who was forgotten, are written beside it")
]
Force = Annotated[bool, typer.Option("--force", help="replace the file if it is there")]


def backup(file: File, force: Force = False) -> None:
    """Back up the whole database to a file, while postings go on; the master key is not in it."""
    run(_backup(file, force=force))


async def _backup(file: Path, *, force: bool) -> None:
    heads_file, erasures_file = (file.with_name(file.name + suffix) for suffix in (HEADS_SUFFIX, ERASURES_SUFFIX))
    if not force and (there := [path for path in (file, heads_file, erasures_file) if path.exists()]):
        fail(f"{there[0]} is there already: name another file, or --force to replace it")
    async with opened_ledger() as ledger, _unready(file) as unready:
        copy = _copied_sqlite if ledger.database.is_sqlite else _dumped_postgres
        heads = await copy(ledger, unready)
        put(unready, file)
        keep_erasures(erasures_file, await _erasures(ledger))
    heads_file.unlink(missing_ok=True)
    HeadsFile(heads_file).keep_noted({head.book: mark_of(head) for head in heads})
    _tell(file, heads_file, erasures_file, heads)


def _tell(file: Path, heads_file: Path, erasures_file: Path, heads: Sequence[Head]) -> None:
    for head in heads:
        print(f"book {head.book}: position {head.position:,}, hash {head.hash.hex()}")
    print(f"{file}: {file.stat().st_size:,} bytes; the heads are in {heads_file}, who was forgotten in {erasures_file}")
    typer.echo("The master key is not in it: keep a copy elsewhere, without it nothing personal can be read.", err=True)


@asynccontextmanager
async def _unready(file: Path) -> AsyncGenerator[Path]:
    """A file of our own beside the one to be, which nobody else may read; gone at the end, unless renamed."""
    unready = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        os.close(os.open(unready, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        yield unready
    except OSError as error:
        fail(f"{file}: {error.strerror}")
    finally:
        for path in (unready, *(unready.with_name(unready.name + end) for end in ("-wal", "-shm", "-journal"))):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


async def _erasures(ledger: Ledger) -> dict[str, list[Erased]]:
    """Of each book that forgot somebody, by name, whom."""
    async with ledger.database.oversee() as tx:
        books = [head.book for head, _ in await all_heads(tx)]
    found: dict[str, list[Erased]] = {}
    for book in books:
        async with ledger.database.read(book) as tx:
            found[book] = await erasures_of(tx, book)
    return {book: erased for book, erased in found.items() if erased}


async def _copied_sqlite(ledger: Ledger, unready: Path) -> list[Head]:
    """One snapshot, page by page: a writer waits for nothing, and makes nothing begin anew."""
    try:
        await asyncio.to_thread(_copy, str(ledger.database.url.database), unready)
    except sqlite3.Error as error:
        fail(f"the backup failed: {error}")
    return await _heads_in(ledger, unready)


def _copy(source: str, target: Path) -> None:
    with contextlib.closing(sqlite3.connect(f"{Path(source).absolute().as_uri()}?mode=ro", uri=True)) as database:
        database.isolation_level = None
        database.execute("BEGIN")
        database.execute("SELECT 1 FROM books").fetchone()  # from here on it is this snapshot that is read
        with contextlib.closing(sqlite3.connect(target)) as copy:
            database.backup(copy, pages=PAGES_AT_ONCE, progress=_pause)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, that needs no others beside it
            (found,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        raise sqlite3.DatabaseError(f"the copy is damaged: {found}")


def _pause(_status: int, _remaining: int, _total: int) -> None:
    time.sleep(PAUSE_SECONDS)


async def _heads_in(ledger: Ledger, copy: Path) -> list[Head]:
    database = type(ledger.database)(f"sqlite:///{copy}")
    try:
        async with database.oversee() as tx:
            return [head for head, _ in await all_heads(tx)]
    finally:
        await database.close()


async def _dumped_postgres(ledger: Ledger, unready: Path) -> list[Head]:
    """By pg_dump, of the very snapshot in which the heads are read."""
    program = shutil.which("pg_dump") or fail(NO_PG_DUMP)
    async with ledger.database.oversee() as tx, ledger.database.shared(tx) as snapshot:
        heads = [head for head, _ in await all_heads(tx)]
        command = [program, "--format=custom", f"--snapshot={snapshot}", f"--file={unready}", "--no-password"]
        # Of tables with row-level security pg_dump takes all or nothing, unless it is told that what it sees is all: to
        # whoever owns them and names no book it is.
        command.append("--enable-row-security")
        await _want_owner(ledger.database)
        done = await asyncio.to_thread(_ran, command, ledger.database.owner_url)
    if done.returncode:
        said: Sequence[str] = done.stderr.strip().splitlines() or ["it says nothing"]
        fail(f"pg_dump failed: {said[-1]}")
    return heads


async def _want_owner(database: Database) -> None:
    async with database.apart() as connection:
        if not await connection.run_sync(sees_all):
            fail("a backup is taken by who owns the tables: set GOODWILL_DATABASE_OWNER_URL")


def _ran(command: list[str], url: URL) -> "subprocess.CompletedProcess[str]":
    """The password goes by the environment: a command line is for all to see."""
    asked = {
        "PGHOST": url.host or url.query.get("host"),
        "PGPORT": url.port,
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
        "PGSSLMODE": url.query.get("sslmode") or url.query.get("ssl"),
    }
    given = {name: str(value) for name, value in asked.items() if value}
    return subprocess.run(command, env={**os.environ, **given}, capture_output=True, text=True, check=False)  # noqa: S603 - what is run is pg_dump
