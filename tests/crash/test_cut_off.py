"""A connection that is lost between commit and answer: the same request again is answered as what was posted."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from sqlalchemy import make_url

from app.api import health
from app.database import Database
from tests.api.sentences import GIFT, Json, body_of, happening, problem_of
from tests.conftest import Bench
from tests.crash.cutting import Network, network_to
from tests.operations.posting import ledger_of
from tests.operations.promising import assert_sound
from tests.servers import running_servers


async def test_between_client_and_server(live: Bench, tmp_path: Path) -> None:
    secret = live.ledger.master_key.secret
    async with (
        running_servers(1, tmp_path, database_url=live.url, master_key=secret) as (server,),
        network_to(httpx.URL(server.url).port or 0) as network,
        server.client(live.token) as api,
    ):
        address = f"http://127.0.0.1:{network.port}/v1/interactions"
        network.cut_after = (GIFT.encode(),)
        with pytest.raises(httpx.TransportError):
            await api.post(address, json=story())
        again = await api.post(address, json=story())

    await is_there_once(live, again)
    assert network.cuts == 1
    assert "Traceback" not in server.log


async def test_between_server_and_postgresql(live: Bench) -> None:
    if live.ledger.database.is_sqlite:
        return  # no network lies between
    async with far_away(live) as (network, api):
        network.cut_after = (b"INSERT INTO entries", b"COMMIT")
        first = await api.post("/v1/interactions", json=story())
        again = await api.post("/v1/interactions", json=story())

    problem_of(first, 503, "database_unavailable")
    await is_there_once(live, again)
    assert network.cuts == 1


async def test_a_postgresql_that_is_silent_is_not_ready_until_it_speaks_again(
    live: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    if live.ledger.database.is_sqlite:
        return  # it is never far away
    async with far_away(live) as (network, api):
        before = await api.get("/readyz")
        with monkeypatch.context() as hasty:
            hasty.setattr(health, "ANSWER_SECONDS", 0.3)
            network.flows.clear()
            meanwhile = await api.get("/readyz")
        network.flows.set()
        after = await api.get("/readyz")

    assert (before.status_code, after.status_code) == (200, 200)
    assert "within 0.3 seconds" in problem_of(meanwhile, 503, "database_unavailable")["detail"]


@asynccontextmanager
async def far_away(bench: Bench) -> AsyncGenerator[tuple[Network, httpx.AsyncClient]]:
    """A server whose PostgreSQL is at the end of a network."""
    url = make_url(bench.url)
    async with network_to(url.port or 0) as network:
        database = Database(url.set(port=network.port).render_as_string(hide_password=False))
        async with replace(bench, ledger=replace(bench.ledger, database=database)).client() as api:
            yield network, api
        await database.close()


def story() -> Json:
    return happening("1", kind=GIFT, note="déçu ☃")


async def is_there_once(bench: Bench, again: httpx.Response) -> None:
    """The answer to the second request names the entry that the first one made."""
    (entry,) = await ledger_of(bench)
    assert again.status_code == 200, again.text
    answer = body_of(again)
    assert (answer["replayed"], answer["entry"]["id"], answer["entry"]["position"]) == (True, str(entry.entry_id), 1)
    await assert_sound(bench)
