"""A server of this release goes on while one of the next release starts, migrates, and serves beside it."""

import asyncio
import itertools
import secrets
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from sqlalchemy import text

from app.tables import REVISION
from tests.conftest import Bench
from tests.migrations.releases import NEXT_REVISION
from tests.migrations.test_schema import catalogue_of
from tests.operations.promising import assert_sound
from tests.postgres import Server
from tests.servers import ServerProcess, settings_of

WRITERS = 3
BREATH_SECONDS = 0.05  # so that whoever migrates gets a share of two cores, too
PATIENCE_SECONDS = 60.0


class NextServer(ServerProcess):
    """A server of the next release: today's code, which knows a few migrations more."""

    program = "tests.migrations.next_release"


@dataclass
class Load:
    """Writers and readers that ask one server after the other, until they are told to stop."""

    clients: list[httpx.AsyncClient]
    acknowledged: set[str] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    async def run(self, writer: int) -> None:
        for turn in itertools.count(writer):
            client = self.clients[turn % len(self.clients)]
            await self._post(client, f"customer-{turn % 3}")
            await self._ask(client, "GET", f"/v1/customers/customer-{turn % 3}?include=explanation,promises")
            await self._ask(client, "PATCH", f"/v1/customers/customer-{turn % 3}", json={"value": float(turn)})
            await self._ask(client, "GET", "/v1/customers?standing=overdrawn&order=stake")
            await asyncio.sleep(BREATH_SECONDS)

    async def _post(self, client: httpx.AsyncClient, customer: str) -> None:
        ids = [str(next(self.numbers)) for _ in range(3)]
        kinds = ("product.failed", "data.breach", "moment.unexpected_gift")
        items = [{"id": each, "customer": customer, "kind": kind} for each, kind in zip(ids, kinds, strict=True)]
        if await self._ask(client, "POST", "/v1/interactions/batch", json={"interactions": items}):
            self.acknowledged.update(ids)

    async def _ask(self, client: httpx.AsyncClient, method: str, path: str, **more: Any) -> bool:
        answer = await client.request(method, path, **more)
        if not answer.is_success:
            self.failures.append(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.is_success

    async def goes_on(self, count: int) -> None:
        """Wait until so many more are acknowledged."""
        wanted = len(self.acknowledged) + count
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.acknowledged) < wanted:
                assert self.failures == []
                await asyncio.sleep(0.01)


@pytest.fixture(params=["postgresql"])
def database_url(request: pytest.FixtureRequest, postgres: Server) -> Iterator[str]:
    """Only on PostgreSQL are there several releases at once."""
    name = f"side_by_side_{secrets.token_hex(8)}"
    yield postgres.create_database(name, template=request.getfixturevalue("postgres_template"))
    postgres.drop_database(name)


async def test_an_upgrade_under_load_fails_nobody(bench: Bench, tmp_path: Path) -> None:
    settings = settings_of(database_url=bench.url, master_key=bench.ledger.master_key.secret)
    old, new = ServerProcess(settings, tmp_path / "old.log"), NextServer(settings, tmp_path / "new.log")
    watch = await asyncpg.connect(bench.url)
    await _leave_half_an_index(bench, watch)
    try:
        await old.start()
        async with _load(old, bench.token) as load:
            async with watch.transaction():  # as a long report, or a dump
                await watch.fetch("SELECT count(*) FROM accounts")
                starting = asyncio.create_task(new.start())
                await _a_migration_waits(watch)
                await load.goes_on(30)
                assert await watch.fetchval("SELECT version_num FROM alembic_version") == REVISION
            await starting
            load.clients.append(new.client(bench.token))
            await load.goes_on(60)
        assert load.failures == []
        assert await watch.fetchval("SELECT version_num FROM alembic_version") == NEXT_REVISION
        assert "INVALID" not in str(await catalogue_of(bench.ledger.database))
        await _assert_nothing_is_lost(bench, watch, load)
    finally:
        await watch.close()
        for server in (old, new):
            await server.stop()


@asynccontextmanager
async def _load(server: ServerProcess, token: str) -> AsyncGenerator[Load]:
    """It ends with the block; each writer finishes what it asked last."""
    load = Load([server.client(token)])
    running = [asyncio.create_task(load.run(writer)) for writer in range(WRITERS)]
    try:
        yield load
    finally:
        for task in running:
            task.cancel()
        ended = await asyncio.gather(*running, return_exceptions=True)
        for client in load.clients:
            await client.aclose()
    assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended


async def _leave_half_an_index(bench: Bench, watch: Any) -> None:
    """As an upgrade does that is cut off while it builds one."""
    await watch.execute("SET lock_timeout = '50ms'")
    async with bench.ledger.database.whole() as posting:
        await posting.execute(text("LOCK TABLE entries IN ROW EXCLUSIVE MODE"))
        with pytest.raises(asyncpg.LockNotAvailableError):
            await watch.execute("CREATE INDEX CONCURRENTLY entries_by_kind ON entries (kind)")
    assert not await watch.fetchval("SELECT indisvalid FROM pg_index WHERE indexrelid = 'entries_by_kind'::regclass")


async def _a_migration_waits(watch: Any) -> None:
    waiting = (
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock' AND locktype = 'relation'"
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if await watch.fetchval(waiting):
                return
            await asyncio.sleep(0.01)


async def _assert_nothing_is_lost(bench: Bench, watch: Any, load: Load) -> None:
    booked = [row["external_id"] for row in await watch.fetch("SELECT external_id FROM entries WHERE source = 'crm'")]
    assert load.acknowledged <= set(booked)
    assert len(booked) == len(set(booked))
    await assert_sound(bench)
