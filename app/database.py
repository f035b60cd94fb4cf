"""Connections: one place that knows how SQLite and PostgreSQL are opened, locked and left.

A write transaction on SQLite is BEGIN IMMEDIATE on the one writer connection; readers are query_only. On
PostgreSQL writes are READ COMMITTED and begin by locking the book's head row; reads see one snapshot.
"""

import asyncio
import re
import sqlite3
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

import asyncpg  # pyright: ignore[reportMissingTypeStubs] - it ships none
from sqlalchemy import URL, event, make_url, text
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DBAPIError,
    DisconnectionError,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.domain.errors import DatabaseUnavailable, StorageFull

_P = ParamSpec("_P")
_T = TypeVar("_T")

# lock_not_available, deadlock_detected, query_canceled, admin_shutdown, crash_shutdown, cannot_connect_now,
# too_many_connections, idle_in_transaction_session_timeout
_PASSING_STATES = {"25P03", "55P03", "40P01", "57014", "57P01", "57P02", "57P03", "53300"}

_DISK_FULL = "53100"

_ARGUMENT = re.compile(r"(?<=query argument \$)(\d+): .*", re.DOTALL)

BUSY_TIMEOUT_SECONDS = 60  # three processes may share one file; each append holds it for milliseconds
WRITERS_MAX_POSTGRES = 10
READERS_MAX = 10
POOL_TIMEOUT_SECONDS = 30
LOCK_TIMEOUT_SECONDS = 30
SILENT_WRITER_SECONDS = 60  # a machine that vanishes with a book locked must not keep all others from it


class Database:
    """The connections of one process to one database. Close it with `await close()`."""

    def __init__(self, url: str) -> None:
        self.url = driver_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            self._writer = _sqlite_engine(self.url, begin="BEGIN IMMEDIATE", size=1)
            self._reader = _sqlite_engine(self.url, begin="BEGIN", size=READERS_MAX, query_only=True)
        else:
            self._writer = _postgres_engine(
                self.url,
                WRITERS_MAX_POSTGRES,
                settings={"idle_in_transaction_session_timeout": f"{SILENT_WRITER_SECONDS}s"},
                isolation_level="READ COMMITTED",
            )
            self._reader = _postgres_engine(
                self.url,
                READERS_MAX,
                isolation_level="REPEATABLE READ",
                execution_options={"postgresql_readonly": True},
            )

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[AsyncConnection]:
        """One write transaction: committed when the block ends, rolled back when it raises."""
        async with _answering(), self._writer.begin() as tx:
            yield tx

    @asynccontextmanager
    async def read(self, *, snapshot: str | None = None) -> AsyncGenerator[AsyncConnection]:
        """One snapshot for reading; that of another transaction if it is named."""
        async with _answering(), self._reader.begin() as tx:
            if snapshot is not None:
                await tx.execute(text(f"SET TRANSACTION SNAPSHOT '{snapshot}'"))
            yield tx

    @asynccontextmanager
    async def shared(self, tx: AsyncConnection) -> AsyncGenerator[str | None]:
        """While it lasts, others who begin to read see the snapshot of `tx`, which has not read yet.

        On PostgreSQL it has a name, and is there as long as `tx`. SQLite names none: nobody writes meanwhile.
        """
        if not self.is_sqlite:
            yield (await tx.execute(text("SELECT pg_export_snapshot()"))).scalar_one()
            return
        async with self.write():
            yield None

    @asynccontextmanager
    async def apart(self, **settings: str) -> AsyncGenerator[AsyncConnection]:
        """PostgreSQL: a connection with settings of its own and in no transaction, closed when the block ends."""
        engine = _postgres_engine(self.url, 1, settings=settings, isolation_level="READ COMMITTED")
        try:
            async with _answering(), engine.connect() as connection:
                yield connection
        finally:
            await engine.dispose()

    async def close(self) -> None:
        """Give every connection back."""
        await self._writer.dispose()
        await self._reader.dispose()


def uninterrupted(operation: Callable[_P, Coroutine[Any, Any, _T]]) -> Callable[_P, Coroutine[Any, Any, _T]]:
    """The operation, carried to its commit or rollback even if whoever awaits it is cancelled meanwhile.

    A transaction that is dropped halfway keeps its lock until the driver notices: on SQLite a minute, for everyone.
    """

    @wraps(operation)
    async def carried(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        task = asyncio.ensure_future(operation(*args, **kwargs))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait([task])
            raise

    return carried


def driver_url(url: str) -> URL:
    """The URL with the driver that is ours, whichever it names. ValueError for another database or no URL at all."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ValueError("this is no URL of a database: use sqlite:///PATH or postgresql://…") from None
    match parsed.get_backend_name():
        case "sqlite" if parsed.database in (None, "", ":memory:"):
            raise ValueError("a ledger is kept in a file: use sqlite:///PATH")
        case "sqlite":
            return parsed.set(drivername="sqlite+aiosqlite")
        case "postgresql" | "postgres":
            return parsed.set(drivername="postgresql+asyncpg")
        case other:
            raise ValueError(f"{other} is not a database that Goodwill knows: use sqlite:///PATH or postgresql://…")


@asynccontextmanager
async def _answering() -> AsyncGenerator[None]:
    try:
        yield
    except (DBAPIError, PoolTimeout, OSError, asyncpg.PostgresError) as error:
        _forget_rows(error)
        refusal = _refusal_of(error)
        if refusal is None:
            raise
        raise refusal from error


def _forget_rows(error: BaseException | None) -> None:
    """Of an error, and of what led to it: what is wrong, and never with what. Whatever is raised may be in a log."""
    while error is not None:
        error.args = tuple(_without_row(each) if isinstance(each, str) else each for each in error.args)
        if isinstance(error, asyncpg.PostgresError):
            cast("Any", error).detail = None
        error = error.__cause__ or error.__context__


def _without_row(message: str) -> str:
    """Of what PostgreSQL or its driver says: no DETAIL, which shows the row, and no argument of a query."""
    return _ARGUMENT.sub(r"\1", message.partition("\nDETAIL:")[0])


def _refusal_of(error: Exception) -> DatabaseUnavailable | None:
    """What the database's state keeps from being done; None if the mistake is ours."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = sqlstate_of(error)
    if state == _DISK_FULL or getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
        return StorageFull()
    if not isinstance(error, DBAPIError) or isinstance(error, OperationalError | InterfaceError):
        return DatabaseUnavailable()
    is_no_database = isinstance(cause, sqlite3.DatabaseError) and type(error) is DatabaseError
    is_passing = is_no_database or error.connection_invalidated or state in _PASSING_STATES
    return DatabaseUnavailable() if is_passing else None


def sqlstate_of(error: BaseException | None) -> str | None:
    """PostgreSQL's code of what went wrong, if the error is one of its."""
    return getattr(getattr(error, "orig", error), "sqlstate", None)


def _postgres_engine(url: URL, size: int, *, settings: Mapping[str, str] | None = None, **options: Any) -> AsyncEngine:
    defaults = {
        "application_name": "goodwill",
        "lock_timeout": f"{LOCK_TIMEOUT_SECONDS}s",
        # A plan that was kept since the table was small scans all of a book that has grown: an import of 39,000 rows
        # took a second a batch in the end.
        "plan_cache_mode": "force_custom_plan",
    }
    engine = create_async_engine(
        url,
        pool_size=size,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        hide_parameters=True,  # an error in a log names no row
        pool_pre_ping=False,
        connect_args={"server_settings": {**defaults, **(settings or {})}, "timeout": 10},
        **options,
    )

    @event.listens_for(engine.sync_engine, "checkout")
    def _refuse_closed(connection: Any, _record: Any, _proxy: Any) -> None:
        """The pool then opens another: after a restart of PostgreSQL no request meets a connection of before it."""
        if connection.driver_connection.is_closed():
            raise DisconnectionError

    return engine


def _sqlite_engine(url: URL, *, begin: str, size: int, query_only: bool = False) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=size,
        max_overflow=0,
        pool_timeout=BUSY_TIMEOUT_SECONDS,
        hide_parameters=True,  # an error in a log names no row
        connect_args={"timeout": BUSY_TIMEOUT_SECONDS},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself: we do, explicitly
        cursor = connection.cursor()
        for pragma in _pragmas(query_only=query_only):
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _pragmas(*, query_only: bool) -> list[str]:
    return [
        f"PRAGMA busy_timeout={BUSY_TIMEOUT_SECONDS * 1000}",
        "PRAGMA journal_mode=WAL",
        "PRAGMA synchronous=FULL",
        "PRAGMA recursive_triggers=ON",  # or REPLACE would delete an entry without asking the triggers
        *(["PRAGMA query_only=ON"] if query_only else []),
    ]
