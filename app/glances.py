"""Connections at hand for single statements: the pool takes as long to hand one out as a statement takes."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.sql import driver_of

GLANCES_MAX = 4  # at once; of a book there is one at a time


class Glances:
    """The connections of one engine that look at the database in no transaction. Close them with `await close()`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._at_once = asyncio.Semaphore(GLANCES_MAX)
        self._idle: list[AsyncConnection] = []
        self._is_closed = False

    @asynccontextmanager
    async def glance(self) -> AsyncGenerator[AsyncConnection]:
        """A connection for statements on the driver, each of which sees a snapshot of its own."""
        async with self._at_once:
            connection = await self._connection()
            try:
                yield connection
            except BaseException:
                await connection.close()
                raise
            if self._is_closed:  # a look-up has its answer before its transaction ends
                await connection.invalidate()  # the pool is gone that would close it
                await connection.close()
            else:
                self._idle.append(connection)

    async def close(self) -> None:
        """Give every connection back; one that is in use, when it is no more."""
        self._is_closed = True
        for connection in self._idle:
            await connection.close()
        await self._engine.dispose()

    async def _connection(self) -> AsyncConnection:
        """One that is idle, unless the database closed it meanwhile; else another."""
        while self._idle:
            connection = self._idle.pop()
            if not is_closed(connection):
                return connection
            await connection.close()
        return await self._engine.connect()


def is_closed(connection: AsyncConnection) -> bool:
    """Whether PostgreSQL is known to have closed the connection; a file cannot."""
    return connection.dialect.name != "sqlite" and bool(driver_of(connection).is_closed())
