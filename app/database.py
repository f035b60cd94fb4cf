"""Connections: one place that knows how SQLite and PostgreSQL are opened, locked and left.

A write transaction on SQLite is BEGIN IMMEDIATE on the one writer connection; readers are query_only. On
PostgreSQL writes are READ COMMITTED and begin by locking the book's head row; reads see one snapshot.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import URL, event, make_url, text
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.glances import GLANCES_MAX, Glances
from app.outages import answering
from app.sql import driver_of

_P = ParamSpec("_P")
_T = TypeVar("_T")

BUSY_TIMEOUT_SECONDS = 60  # three processes may share one file; each append holds it for milliseconds
WRITERS_MAX_POSTGRES = 10
READERS_MAX = 10
POOL_TIMEOUT_SECONDS = 30
LOCK_TIMEOUT_SECONDS = 30
SILENT_WRITER_SECONDS = 60  # a machine that vanishes with a book locked must not keep all others from it

_READING = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_WRITING = "BEGIN ISOLATION LEVEL READ COMMITTED"

# Every statement of an append or a look-up finds its rows by an index, in the order of its joins, however many there
# are. Without this a table that nobody has analysed yet is scanned for each batch; and a plan, once made, can be kept.
_BY_INDEX = {
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "join_collapse_limit": "1",
    "plan_cache_mode": "force_generic_plan",
}


class Database:
    """The connections of one process to one database. Close it with `await close()`."""

    def __init__(self, url: str) -> None:
        self.url = driver_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            self._writer = _sqlite_engine(self.url, begin="BEGIN IMMEDIATE", size=1)
            self._reader = _sqlite_engine(self.url, begin="BEGIN", size=READERS_MAX, query_only=True)
            glancer = _sqlite_engine(self.url, size=GLANCES_MAX, query_only=True, pool_reset_on_return=None)
        else:
            self._writer = _postgres_engine(
                self.url,
                WRITERS_MAX_POSTGRES,
                settings={"idle_in_transaction_session_timeout": f"{SILENT_WRITER_SECONDS}s", **_BY_INDEX},
            )
            self._reader = _postgres_engine(self.url, READERS_MAX)
            glancer = _postgres_engine(self.url, GLANCES_MAX, settings=_BY_INDEX, pool_reset_on_return=None)
        self._glances = Glances(glancer)

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[AsyncConnection]:
        """One write transaction: committed when the block ends, rolled back when it raises."""
        async with answering(is_writing=True), self._begun(self._writer, _WRITING) as tx:
            yield tx

    @asynccontextmanager
    async def read(self, *, snapshot: str | None = None) -> AsyncGenerator[AsyncConnection]:
        """One snapshot for reading; that of another transaction if it is named."""
        async with answering(), self._begun(self._reader, _READING) as tx:
            if snapshot is not None:
                await tx.execute(text(f"SET TRANSACTION SNAPSHOT '{snapshot}'"))
            yield tx

    @asynccontextmanager
    async def glance(self) -> AsyncGenerator[AsyncConnection]:
        """A connection in no transaction, for single statements on the driver: each sees a snapshot of its own."""
        async with answering(), self._glances.glance() as connection:
            yield connection

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
            async with answering(), engine.connect() as connection:
                yield connection
        finally:
            await engine.dispose()

    async def close(self) -> None:
        """Give every connection back."""
        await self._glances.close()
        await self._writer.dispose()
        await self._reader.dispose()

    def _begun(self, engine: AsyncEngine, begin: str) -> AbstractAsyncContextManager[AsyncConnection]:
        return engine.begin() if self.is_sqlite else _begun_on_postgres(engine, begin)


@asynccontextmanager
async def _begun_on_postgres(engine: AsyncEngine, begin: str) -> AsyncGenerator[AsyncConnection]:
    """A transaction that is there from the beginning, for SQLAlchemy's statements and for those on the driver."""
    async with engine.connect() as tx:
        driver = driver_of(tx)
        await driver.execute(begin)
        try:
            yield tx
        except BaseException:
            if not driver.is_closed():
                await driver.execute("ROLLBACK")
            raise
        await driver.execute("COMMIT")


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


def _postgres_engine(
    url: URL,
    size: int,
    *,
    settings: Mapping[str, str] | None = None,
    isolation_level: str = "AUTOCOMMIT",  # what begins a transaction also ends it, on the driver
    **options: Any,
) -> AsyncEngine:
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
        isolation_level=isolation_level,
        connect_args={"server_settings": {**defaults, **(settings or {})}, "timeout": 10},
        **options,
    )

    @event.listens_for(engine.sync_engine, "checkout")
    def _refuse_closed(connection: Any, _record: Any, _proxy: Any) -> None:
        """The pool then opens another: after a restart of PostgreSQL no request meets a connection of before it."""
        if connection.driver_connection.is_closed():
            raise DisconnectionError

    return engine


def _sqlite_engine(
    url: URL, *, size: int, begin: str | None = None, query_only: bool = False, **options: Any
) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=size,
        max_overflow=0,
        pool_timeout=BUSY_TIMEOUT_SECONDS,
        hide_parameters=True,  # an error in a log names no row
        connect_args={"timeout": BUSY_TIMEOUT_SECONDS},
        **options,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself: we do, explicitly
        cursor = connection.cursor()
        for pragma in _pragmas(query_only=query_only):
            cursor.execute(pragma)
        cursor.close()

    if begin is not None:

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
