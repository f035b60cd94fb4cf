"""Connections: one place that knows how SQLite and PostgreSQL are opened, locked and left.

A write transaction on SQLite is BEGIN IMMEDIATE on the one writer connection; readers are query_only. On
PostgreSQL writes are READ COMMITTED and begin by locking the book's head row; reads see one snapshot. There each
transaction says of which book it is, for row-level security (app/wall.py); that ends with the transaction.
"""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, suppress
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.engines import (
    BUSY_TIMEOUT_SECONDS,
    BY_INDEX,
    POOL_TIMEOUT_SECONDS,
    driver_url,
    postgres_engine,
    quoted,
    sqlite_engine,
)
from app.kept import Kept
from app.outages import answering
from app.sql import driver_of
from app.tables.grants import OVERSEER, SANDBOX

_P = ParamSpec("_P")
_T = TypeVar("_T")

WRITERS_MAX_POSTGRES = 10
READERS_MAX = 10
GLANCES_MAX = 4  # of a book there is one at a time
SILENT_WRITER_SECONDS = 60  # a machine that vanishes with a book locked must not keep all others from it

ROLLBACK_SECONDS = 2.0  # a server that says nothing more must not keep whoever waits no longer
LOG_TIMEOUT_SECONDS = 2

_READING = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_SET_BY_INDEX = [f"SET LOCAL {name} = {value}" for name, value in BY_INDEX.items()]
_GLANCING = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY"
_WRITING = "BEGIN ISOLATION LEVEL READ COMMITTED"


class Database:
    """The connections of one process to one database. Close it with `await close()`.

    `role` is whom PostgreSQL takes us for, so that the wall between the books holds; None: whoever the URL names. It is
    settled before anything is asked (app/walling.py), and so is the schema of the tables (app/upgrade.py). Who migrates
    is whoever `owner_url` names, or else the URL.
    """

    def __init__(
        self, url: str, *, role: str | None = None, schema: str | None = None, owner_url: str | None = None
    ) -> None:
        self.url = driver_url(url)
        self.owner_url = driver_url(owner_url) if owner_url else self.url
        self.role = self.wanted_role = role
        self.schema = schema
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            self._writers = self._on_sqlite(1, begin="BEGIN IMMEDIATE")
            self._readers = self._on_sqlite(READERS_MAX, begin="BEGIN", query_only=True)
            self._glances = self._on_sqlite(GLANCES_MAX, query_only=True, pool_reset_on_return=None)
        else:
            silent = {"idle_in_transaction_session_timeout": f"{SILENT_WRITER_SECONDS}s"}
            self._writers = self._on_postgres(WRITERS_MAX_POSTGRES, settings={**silent, **BY_INDEX})
            self._readers = self._on_postgres(READERS_MAX)
            self._glances = self._on_postgres(GLANCES_MAX, settings=BY_INDEX)

    def write(self, book: str) -> AbstractAsyncContextManager[AsyncConnection]:
        """One write transaction in a book: committed when the block ends, rolled back when it raises."""
        return self._write(_in_book(book))

    def empty(self, book: str) -> AbstractAsyncContextManager[AsyncConnection]:
        """The same by whoever may delete lines, too: those of a sandbox."""
        return self._write(_in_book(book), self._as(SANDBOX))

    @asynccontextmanager
    async def read(
        self, book: str, *, snapshot: str | None = None, by_index: bool = False
    ) -> AsyncGenerator[AsyncConnection]:
        """One snapshot for reading a book; that of another transaction if it is named.

        `by_index` keeps the plans of its statements, as an append does: for few rows of large statements.
        """
        begin = (_READING, _in_book(book), *(_SET_BY_INDEX if by_index else ()))
        async with answering(), self._begun(self._readers, *begin) as tx:
            if snapshot is not None:
                await tx.execute(text(f"SET TRANSACTION SNAPSHOT '{snapshot}'"))
            yield tx

    @asynccontextmanager
    async def oversee(self) -> AsyncGenerator[AsyncConnection]:
        """One snapshot for reading what is seen across the books: which there are, and what is due in each."""
        async with answering(), self._begun(self._readers, _READING, self._as(OVERSEER)) as tx:
            yield tx

    @asynccontextmanager
    async def glance(self, book: str) -> AsyncGenerator[AsyncConnection]:
        """A connection for a few single statements on the driver, in a book: each sees a snapshot of its own."""
        async with answering(), self._glances.held() as connection:
            if self.is_sqlite:
                yield connection
                return
            async with _transaction(connection, _GLANCING, _in_book(book)):
                yield connection

    @asynccontextmanager
    async def shared(self, tx: AsyncConnection) -> AsyncGenerator[str | None]:
        """While it lasts, others who begin to read see the snapshot of `tx`, which has not read yet.

        On PostgreSQL it has a name, and is there as long as `tx`. SQLite names none: nobody writes meanwhile.
        """
        if not self.is_sqlite:
            yield (await tx.execute(text("SELECT pg_export_snapshot()"))).scalar_one()
            return
        async with self._write():
            yield None

    @asynccontextmanager
    async def whole(self) -> AsyncGenerator[AsyncConnection]:
        """One write transaction of the owner's, past every wall."""
        if self.is_sqlite:
            async with self._write() as tx:
                yield tx
            return
        engine = postgres_engine(self.owner_url, 1, settings=self._path())
        try:
            async with answering(is_writing=True), engine.connect() as tx, _transaction(tx, _WRITING):
                yield tx
        finally:
            await engine.dispose()

    @asynccontextmanager
    async def apart(self, url: URL | None = None, **settings: str) -> AsyncGenerator[AsyncConnection]:
        """PostgreSQL: a connection with settings of its own, in no transaction; then it is closed. It is the owner's
        unless a URL is named."""
        own = {**self._path(), **settings}
        engine = postgres_engine(url or self.owner_url, 1, settings=own, isolation_level="READ COMMITTED")
        try:
            async with answering(), engine.connect() as connection:
                yield connection
        finally:
            await engine.dispose()

    async def empty_log(self) -> None:
        """On SQLite bring the -wal file into the database, so that nothing deleted is in it; if nobody reads it."""
        if self.is_sqlite:
            await asyncio.to_thread(_emptied, str(self.url.database))

    async def close(self) -> None:
        """Give every connection back."""
        for kept in (self._glances, self._writers, self._readers):
            await kept.close()

    @asynccontextmanager
    async def _write(self, *scopes: str) -> AsyncGenerator[AsyncConnection]:
        async with answering(is_writing=True), self._begun(self._writers, _WRITING, *scopes) as tx:
            yield tx

    @asynccontextmanager
    async def _begun(self, kept: Kept, *begin: str) -> AsyncGenerator[AsyncConnection]:
        async with kept.held() as tx, tx.begin() if self.is_sqlite else _transaction(tx, *begin):
            yield tx

    def _on_sqlite(self, most: int, **options: Any) -> Kept:
        return Kept(sqlite_engine(self.url, size=most, **options), most, seconds=BUSY_TIMEOUT_SECONDS)

    def _on_postgres(self, most: int, **options: Any) -> Kept:
        engine = postgres_engine(self.url, most, settled=self._settled, pool_reset_on_return=None, **options)
        return Kept(engine, most, seconds=POOL_TIMEOUT_SECONDS)

    def _settled(self) -> Mapping[str, str]:
        """No table that somebody made for a session alone stands before ours."""
        path = {"search_path": f"{self.schema}, pg_temp"} if self.schema else {}
        return {**path, **({"role": self.role} if self.role else {})}

    def _path(self) -> Mapping[str, str]:
        return {"search_path": self.schema} if self.schema else {}

    def _as(self, suffix: str) -> str:
        """As which of our roles a transaction is run, if we have any."""
        return f'SET LOCAL ROLE "{self.role}{suffix}"' if self.role else ""


def _in_book(book: str) -> str:
    """Of which book a transaction is. With BEGIN it is one round trip."""
    return f"SET LOCAL goodwill.book = {quoted(book)}"


@asynccontextmanager
async def _transaction(tx: AsyncConnection, *begin: str) -> AsyncGenerator[None]:
    """A transaction that is there from the beginning, for SQLAlchemy's statements and for those on the driver."""
    driver = driver_of(tx)
    try:
        await _say(driver, "; ".join(filter(None, begin)))
        yield
    except BaseException:
        if not driver.is_closed():
            with suppress(TimeoutError):
                await _say(driver, "ROLLBACK", seconds=ROLLBACK_SECONDS)
        raise
    await _say(driver, "COMMIT")


async def _say(driver: Any, text: str, *, seconds: float | None = None) -> None:
    """Begin or end a transaction. Who hears no answer cannot know whether that was done: the connection goes."""
    try:
        await driver.execute(text, timeout=seconds)
    except (asyncio.CancelledError, TimeoutError):
        driver.terminate()
        raise


def _emptied(path: str) -> None:
    with closing(sqlite3.connect(path, timeout=LOG_TIMEOUT_SECONDS)) as connection, suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


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
