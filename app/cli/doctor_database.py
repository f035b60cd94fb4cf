"""The doctor looks at the database: whether it answers, its version and settings, its schema, and what it holds."""

import sqlite3
import time
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.cli.doctor_check import Check, fail, ok, warn
from app.cli.doctor_ledger import ledger_checks
from app.cli.doctor_wall import wall_check
from app.database import Database
from app.domain.errors import DatabaseUnavailable
from app.domain.instant import SECOND
from app.engines import driver_url
from app.main import clock, database_of
from app.settings import Settings
from app.upgrade import ALEMBIC_INI, settle_schema

POSTGRES_LEAST = 15
SQLITE_LEAST = (3, 35, 0)  # upserts as SQLAlchemy words them, and RETURNING
SLOW_MILLISECONDS = 50.0
CLOCKS_APART_MAX = 5 * SECOND


async def database_checks(settings: Settings) -> list[Check]:
    """All that can be told of the database; nothing is created or migrated."""
    url = driver_url(settings.url)
    if url.get_backend_name() == "sqlite" and not _exists(url.database):
        advice = "goodwill serve, or any other command, makes it; if there should be one, look at GOODWILL_DATA_DIR"
        return [warn("database", f"there is none yet at {url.database}", advice)]
    database = database_of(settings)
    try:
        return await _examined(settings, database)
    except (DatabaseUnavailable, SQLAlchemyError, sqlite3.Error) as error:
        if isinstance(error, DatabaseUnavailable) and error.__cause__ is None:  # it answered, and we refuse
            return [
                fail("database", error.detail, "docs/settings.md says who logs in, and where tables are looked for")
            ]
        shown = url.set(drivername=url.get_backend_name()).render_as_string(hide_password=True)
        return [fail("database", f"{shown} does not answer: {_cause(error)}", _advice(is_sqlite=database.is_sqlite))]
    finally:
        await database.close()


def _exists(path: str | None) -> bool:
    return path is not None and Path(path).exists()


async def _examined(settings: Settings, database: Database) -> list[Check]:
    is_sqlite = database.is_sqlite
    await settle_schema(database)
    async with database.oversee() if is_sqlite else database.apart() as tx:
        milliseconds = await _round_trip(tx)
        checks = [*(await _sqlite(tx, milliseconds) if is_sqlite else await _postgres(tx, milliseconds))]
        schema, is_readable = await tx.run_sync(_schema)
        checks.append(schema)
        if is_readable and not is_sqlite:
            wall, is_readable = await wall_check(database, tx)
            checks.append(wall)
    if is_readable:
        async with database.oversee() as tx:
            checks += await ledger_checks(settings, tx, is_sqlite=is_sqlite)
    return checks


async def _round_trip(tx: AsyncConnection) -> float:
    """Milliseconds, the best of three."""
    taken: list[float] = []
    for _ in range(3):
        begun = time.perf_counter()
        await tx.execute(text("SELECT 1"))
        taken.append((time.perf_counter() - begun) * 1000)
    return min(taken)


async def _sqlite(tx: AsyncConnection, milliseconds: float) -> list[Check]:
    mode = (await tx.execute(text("PRAGMA journal_mode"))).scalar_one()
    synchronous = int((await tx.execute(text("PRAGMA synchronous"))).scalar_one())
    checks = [ok("database", f"SQLite {sqlite3.sqlite_version}, a statement takes {milliseconds:.1f} ms")]
    if sqlite3.sqlite_version_info < SQLITE_LEAST:
        least = ".".join(map(str, SQLITE_LEAST))
        checks = [
            fail("database", f"SQLite {sqlite3.sqlite_version} is too old", f"use a Python with {least} or later")
        ]
    if mode != "wal" or synchronous < 2:
        says = f"journal mode {mode}, synchronous {synchronous}: an acknowledged entry could be lost"
        return [*checks, fail("durability", says, "keep the file on a local disk: network file systems know no WAL")]
    return [*checks, ok("durability", "WAL, synchronous=FULL: what is acknowledged is on the disk")]


async def _postgres(tx: AsyncConnection, milliseconds: float) -> list[Check]:
    version = int((await tx.execute(text("SHOW server_version_num"))).scalar_one())
    then = clock()
    theirs = int((await tx.execute(text("SELECT extract(epoch FROM clock_timestamp()) * 1000000"))).scalar_one())
    says = f"PostgreSQL {version // 10000}.{version % 10000}, a statement takes {milliseconds:.1f} ms"
    return [_postgres_version(version, milliseconds, says), _clocks(theirs - then)]


def _postgres_version(version: int, milliseconds: float, says: str) -> Check:
    if version // 10000 < POSTGRES_LEAST:
        return fail("database", says, f"Goodwill needs PostgreSQL {POSTGRES_LEAST} or later: upgrade the server")
    if milliseconds > SLOW_MILLISECONDS:
        return warn("database", says, "an append asks about ten times: run the service near its database")
    return ok("database", says)


def _clocks(apart: int) -> Check:
    says = f"the database server's is {abs(apart) / SECOND:.1f} s {'ahead' if apart > 0 else 'behind'}"
    if abs(apart) > CLOCKS_APART_MAX:
        return warn("clock", says, "synchronise both machines (NTP): booked times come from this one")
    return ok("clock", says)


def _schema(connection: Connection) -> tuple[Check, bool]:
    """The check, and whether the tables are those of this release."""
    from alembic.config import Config  # here, since every command imports this file and only the doctor needs it: 0.3 s
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(Config(ALEMBIC_INI))
    newest, own = scripts.get_current_head(), MigrationContext.configure(connection).get_current_revision()
    if own == newest:
        return ok("migrations", f"at {own}, as this release needs it"), True
    if own is None:
        return warn("migrations", "the database is empty", "the next goodwill serve brings it to this release"), False
    if own in {script.revision for script in scripts.walk_revisions()}:
        return warn("migrations", f"at {own}, behind {newest}", "back up; the next goodwill serve migrates"), False
    advice = "run the release that wrote it, or a later one; never an older one on newer data"
    return fail("migrations", f"at {own}, which this release does not know", advice), False


def _cause(error: Exception) -> str:
    """The driver's own words, on one line."""
    cause = error.__cause__ or error
    said = str(getattr(cause, "orig", None) or cause).strip() or type(cause).__name__
    return said.splitlines()[0]


def _advice(*, is_sqlite: bool) -> str:
    if is_sqlite:
        return "is it a SQLite file, and may this user read and write it and its folder? otherwise restore a backup"
    return "is the server running, and are host, port, database, user and password in GOODWILL_DATABASE_URL right?"
