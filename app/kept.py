"""Connections that are kept at hand: the pool takes as long to hand one out and take it back as a statement takes."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.sql import driver_of


class Kept:
    """The connections of one engine, at most so many at once. Close them with `await close()`.

    Whoever waits so many seconds for one to be free gives up.
    """

    def __init__(self, engine: AsyncEngine, most: int, *, seconds: float) -> None:
        self.engine = engine
        self._seconds = seconds
        self._at_once = asyncio.Semaphore(most)
        self._idle: list[AsyncConnection] = []
        self._is_closed = False

    @asynccontextmanager
    async def held(self) -> AsyncGenerator[AsyncConnection]:
        """A connection; whoever begins a transaction on it ends it. TimeoutError if none is free for too long."""
        await self._turn()
        try:
            connection = await self._connection()
            try:
                yield connection
            except BaseException:
                await self._give_back(connection)
                raise
            if self._is_closed:  # a look-up has its answer before its transaction ends
                await self._give_back(connection)
            else:
                self._idle.append(connection)
        finally:
            self._at_once.release()

    async def close(self) -> None:
        """Give every connection back; one that is in use, when it is no more."""
        self._is_closed = True
        while self._idle:
            await self._idle.pop().close()
        await self.engine.dispose()

    async def _turn(self) -> None:
        if self._at_once.locked():
            async with asyncio.timeout(self._seconds):
                await self._at_once.acquire()
        else:
            await self._at_once.acquire()

    async def _connection(self) -> AsyncConnection:
        """One that is idle, unless the database closed it meanwhile; else another."""
        while self._idle:
            connection = self._idle.pop()
            if not is_closed(connection):
                return connection
            await self._give_back(connection)
        return await self.engine.connect()

    async def _give_back(self, connection: AsyncConnection) -> None:
        """To the pool; one that is closed, or whose pool is, is closed for good: nobody is to meet it there."""
        if not connection.invalidated and (self._is_closed or is_closed(connection)):
            await connection.invalidate()
        await connection.close()


def is_closed(connection: AsyncConnection) -> bool:
    """Whether PostgreSQL is known to have closed the connection; a file cannot."""
    return connection.dialect.name != "sqlite" and bool(driver_of(connection).is_closed())
