"""What the database refuses for a moment is said to be for a moment."""

import asyncio
import traceback
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from app.database import Database
from app.domain.errors import DatabaseUnavailable
from app.sql import driver_of
from tests.crash.cutting import Network, network_to
from tests.operations.delivering import until
from tests.postgres import Server, execute

NAME = "canary"
LET_GO_SECONDS = 20


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
        async with other.write("acme") as tx:
            await tx.execute(text("LOCK TABLE one"))
        released.set()
        with pytest.raises(DatabaseUnavailable):
            await vanished
    finally:
        await silent.close()
        await other.close()


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("INSERT INTO told VALUES (:it, 1)", "told_pkey"),
        ("INSERT INTO told VALUES (:it, NULL)", "not-null"),
        ("INSERT INTO told VALUES (:it, 0)", "told_number_check"),
        ("INSERT INTO told (number) VALUES (:it)", "query argument"),
    ],
)
async def test_what_is_our_mistake_is_told_without_the_row(postgres: Server, sql: str, says: str) -> None:
    url = postgres.create_database(f"told_{says.replace(' ', '_').replace('-', '_')}")
    await execute(url, "CREATE TABLE told (it text PRIMARY KEY, number int NOT NULL CHECK (number > 0))")
    await execute(url, f"INSERT INTO told VALUES ('{NAME}', 1)")
    database = Database(url)
    try:
        with pytest.raises(DBAPIError) as error:
            async with database.write("acme") as tx:
                await tx.execute(text(sql), {"it": NAME})
    finally:
        await database.close()

    written = "".join(traceback.format_exception(error.value))
    assert says in written
    assert NAME not in written


async def _lock_until(database: Database, locked: asyncio.Event, released: asyncio.Event) -> None:
    async with database.write("acme") as tx:
        await tx.execute(text("LOCK TABLE one"))
        locked.set()
        await released.wait()
        await tx.execute(text("SELECT 1"))


async def _close_the_circle(database: Database, other: Any) -> None:
    """The other one gets its table once we lost."""
    async with database.write("acme") as tx:
        await tx.execute(text("LOCK TABLE two"))
        waits = asyncio.create_task(other.execute("LOCK TABLE two"))
        try:
            await tx.execute(text("LOCK TABLE one"))
        finally:
            await tx.rollback()
            await waits


async def test_a_server_that_takes_no_writes_for_now_is_to_be_asked_again(postgres: Server) -> None:
    """A standby after a failover, or one that was made read-only because its disk is nearly full."""
    url = postgres.create_database("read_only")
    database = Database(url)
    await execute(url, "CREATE TABLE one (); ALTER DATABASE read_only SET default_transaction_read_only = on")
    try:
        with pytest.raises(DatabaseUnavailable):
            async with database.write("acme") as tx:
                await tx.execute(text("INSERT INTO one DEFAULT VALUES"))
        with pytest.raises(DBAPIError):  # a write of our own where only reading is meant is a mistake of ours
            async with database.read("acme") as tx:
                await tx.execute(text("INSERT INTO one DEFAULT VALUES"))
    finally:
        await database.close()


async def test_a_server_that_breaks_off_as_one_connects_is_to_be_asked_again() -> None:
    """PostgreSQL as it is shut down at once: it takes the connection, and is gone."""

    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)
        writer.write(b"N")  # no TLS
        await reader.read(1000)
        writer.close()

    async with await asyncio.start_server(break_off, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        database = Database(f"postgresql://postgres@127.0.0.1:{port}/none")
        with pytest.raises(DatabaseUnavailable):
            async with database.read("acme") as tx:
                await tx.execute(text("SELECT 1"))
        await database.close()


async def test_whoever_is_cancelled_at_whatever_moment_leaves_no_transaction_behind(postgres: Server) -> None:
    url = postgres.create_database("cancelled_anywhere")
    database, other = Database(url), await asyncpg.connect(url)
    begun = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"

    async def write() -> None:
        async with database.write("acme") as tx:
            await tx.execute(text("SELECT 1"))

    try:
        for turns in range(60):
            writing = asyncio.create_task(write())
            for _ in range(turns):
                await asyncio.sleep(0.0001)
            writing.cancel()
            await asyncio.wait([writing])
            assert await other.fetchval(begun) == 0, turns
    finally:
        await other.close()
        await database.close()


@asynccontextmanager
async def _far_away(server: Server) -> AsyncGenerator[tuple[Network, Database]]:
    """A database at the end of a network."""
    url = make_url(server.url("postgres"))
    async with network_to(url.port or 0) as network:
        database = Database(url.set(port=network.port).render_as_string(hide_password=False))
        yield network, database
        await database.close()


async def test_whoever_waits_no_longer_for_a_server_that_fell_silent_is_let_go(
    postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.database.ROLLBACK_SECONDS", 0.1)
    async with _far_away(postgres) as (network, database):

        async def ask() -> int:
            async with database.read("acme") as tx:
                asked.set()
                await may_go_on.wait()
                return int(await driver_of(tx).fetchval("SELECT 1"))

        asked, may_go_on = asyncio.Event(), asyncio.Event()
        asking = asyncio.create_task(ask())
        await asked.wait()
        network.flows.clear()
        may_go_on.set()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(asking), 0.2)
        asking.cancel()
        done, _ = await asyncio.wait([asking], timeout=LET_GO_SECONDS)
        network.flows.set()
        assert done == {asking}
        assert await ask() == 1


async def test_a_rollback_that_is_not_answered_leaves_no_connection_to_the_next(
    postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.database.ROLLBACK_SECONDS", 0.1)
    async with _far_away(postgres) as (network, database):

        async def fail() -> None:
            async with database.read("acme"):
                network.flows.clear()
                raise LookupError

        with pytest.raises(LookupError):
            await fail()
        network.flows.set()
        async with asyncio.timeout(LET_GO_SECONDS), database.read("acme") as tx:
            assert await driver_of(tx).fetchval("SELECT current_setting('goodwill.book')") == "acme"


async def test_who_is_still_looking_at_the_end_leaves_no_connection(postgres: Server) -> None:
    url = postgres.create_database("looking_at_the_end")
    database, other = Database(url), await asyncpg.connect(url)
    left = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    async with database.glance("acme") as tx:
        await database.close()
        assert await driver_of(tx).fetchval("SELECT 1") == 1
        assert await other.fetchval(left) == 1

    async def is_gone() -> bool:
        return not await other.fetchval(left)

    await until(is_gone)
    await other.close()


async def test_no_plan_that_is_kept_is_compiled_or_shared_out_and_none_else_is_kept(postgres: Server) -> None:
    """Its cost is a guess, and would have PostgreSQL do either for a page of some accounts; the next one asks anew."""
    database = Database(postgres.create_database("kept_plans"))
    try:
        for begun, plans, workers in (
            (database.read("acme", by_index=True), "force_generic_plan", "0"),
            (database.glance("acme"), "force_generic_plan", "0"),
            (database.write("acme"), "force_generic_plan", "0"),
            (database.read("acme"), "force_custom_plan", "2"),
        ):
            async with begun as tx:
                names = ("jit", "plan_cache_mode", "max_parallel_workers_per_gather")
                found = [await driver_of(tx).fetchval(f"SHOW {name}") for name in names]
            assert found == ["off", plans, workers]
    finally:
        await database.close()
