"""What the database refuses for a moment is said to be for a moment."""

import asyncio
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from app.database import Database
from app.domain.errors import DatabaseUnavailable
from tests.postgres import Server, execute


async def test_who_loses_a_circle_of_waits_may_try_again(postgres: Server) -> None:
    """The other one, a migration perhaps or an operator's statement, looks for circles later than we do."""
    url = postgres.create_database("circle_of_waits")
    other, database = await asyncpg.connect(url), Database(url)
    await other.execute("CREATE TABLE one (); CREATE TABLE two (); SET deadlock_timeout = '60s'")
    try:
        async with other.transaction():
            await other.execute("LOCK TABLE one")
            with pytest.raises(DatabaseUnavailable):
                await _close_the_circle(database, other)
    finally:
        await other.close()
        await database.close()


async def test_a_writer_that_falls_silent_keeps_the_others_waiting_for_a_time_only(
    postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.database.SILENT_WRITER_SECONDS", 1)
    url = postgres.create_database("silent_writer")
    silent, other = Database(url), Database(url)
    await execute(url, "CREATE TABLE one ()")
    locked, released = asyncio.Event(), asyncio.Event()
    vanished = asyncio.create_task(_lock_until(silent, locked, released))
    try:
        await locked.wait()
        async with other.write() as tx:
            await tx.execute(text("LOCK TABLE one"))
        released.set()
        with pytest.raises(DatabaseUnavailable):
            await vanished
    finally:
        await silent.close()
        await other.close()


async def _lock_until(database: Database, locked: asyncio.Event, released: asyncio.Event) -> None:
    async with database.write() as tx:
        await tx.execute(text("LOCK TABLE one"))
        locked.set()
        await released.wait()
        await tx.execute(text("SELECT 1"))


async def _close_the_circle(database: Database, other: Any) -> None:
    """The other one gets its table once we lost."""
    async with database.write() as tx:
        await tx.execute(text("LOCK TABLE two"))
        waits = asyncio.create_task(other.execute("LOCK TABLE two"))
        try:
            await tx.execute(text("LOCK TABLE one"))
        finally:
            await tx.rollback()
            await waits
