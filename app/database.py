"""Connections: one place that knows how SQLite and PostgreSQL are opened, locked and left.

A write transaction on SQLite is BEGIN IMMEDIATE on the one writer connection; readers are query_only. On
PostgreSQL writes are READ COMMITTED and begin by locking the book's head row; reads see one snapshot.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.engines import BY_INDEX, driver_url, postgres_engine, sqlite_engine
from app.glances import GLANCES_MAX, Glances
from app.outages import answering
from app.sql import driver_of

_P = ParamSpec("_P")
_T = TypeVar("_T")

WRITERS_MAX_POSTGRES = 10
READERS_MAX = 10
SILENT_WRITER_SECONDS = 60  # a machine that vanishes with a book locked must not keep all others from it

_READING = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_WRITING = "BEGIN ISOLATION LEVEL READ COMMITTED"


class Database:
    """The connections of one process to one database. Close it with `await close()`."""

    def __init__(self, url: str) -> None:
        self.url = driver_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            self._writer = sqlite_engine(self.url, begin="BEGIN IMMEDIATE", size=1)
            self._reader = sqlite_engine(self.url, begin="BEGIN", size=READERS_MAX, query_only=True)
            glancer = sqlite_engine(self.url, size=GLANCES_MAX, query_only=True, pool_reset_on_return=None)
        else:
            self._writer = postgres_engine(
                self.url,
                WRITERS_MAX_POSTGRES,
                settings={"idle_in_transaction_session_timeout": f"{SILENT_WRITER_SECONDS}s", **BY_INDEX},
            )
            self._reader = postgres_engine(self.url, READERS_MAX)
            glancer = postgres_engine(self.url, GLANCES_MAX, settings=BY_INDEX, pool_reset_on_return=None)
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
        engine = postgres_engine(self.url, 1, settings=settings, isolation_level="READ COMMITTED")
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
