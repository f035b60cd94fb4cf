"""PostgreSQL is down at the start, and goes away later: everything says so, waits, and goes on by itself."""

import asyncio
from pathlib import Path

import httpx
import pytest

from tests.api.sentences import Json, happening, problem_of
from tests.clocks import ClockProcess
from tests.conftest import Bench
from tests.operations.delivering import all_delivered, subscribed, until
from tests.operations.posting import ledger_of
from tests.operations.promising import assert_sound
from tests.postgres import Postgres
from tests.servers import ServerProcess, settings_of
from tests.webhooks.receivers import answering, receiving

ALERTING = "order.cancelled_by_company"


@pytest.fixture
def database_url(request: pytest.FixtureRequest, postgres: Postgres, postgres_template: str) -> str:
    return postgres.create_database("away", template=postgres_template)


async def test_a_database_that_is_away_is_waited_for(live: Bench, postgres: Postgres, tmp_path: Path) -> None:
    own = settings_of(database_url=live.url, master_key=live.ledger.master_key.secret)
    settings = {**own, "GOODWILL_WEBHOOKS_ALLOW_LOOPBACK": "true", "GOODWILL_DELIVERER": "false"}
    server, worker = ServerProcess(settings, tmp_path / "server.log"), ClockProcess(settings, tmp_path / "work.log")
    async with receiving(answering("204 No Content")) as receiver:
        to = await subscribed(live, receiver.url)
        await asyncio.to_thread(postgres.kill)
        await asyncio.gather(server.start(until="/healthz"), worker.start())
        async with server.client(live.token) as api:
            await is_away(api)
            await asyncio.to_thread(postgres.start)
            await is_back(api, "first")

            await asyncio.to_thread(postgres.kill)
            await is_away(api)
            await until(lambda: "the deliverer stands still: The database does not answer." in worker.log)
            await asyncio.to_thread(postgres.start)
            await is_back(api, "second")
            await until(lambda: all_delivered(live, to))
            for name in ("the clock runs again", "the deliverer runs again"):
                await until(lambda: name in worker.log)  # noqa: B023 - within the round
        await server.stop()
        assert await worker.stop() == 0

    assert "Not ready: The database does not answer." in server.log
    assert "Traceback" not in server.log + worker.log
    assert len(receiver.requests) == 2
    assert [entry.external_id for entry in await ledger_of(live)] == ["first", "second"]
    await assert_sound(live)


async def is_away(api: httpx.AsyncClient) -> None:
    """The process lives; it is not ready, and says why."""
    alive, ready = await api.get("/healthz"), await api.get("/readyz")
    refused = await api.post("/v1/interactions", json=story("unheard"))

    assert alive.status_code == 200
    for answer in (ready, refused):
        assert "does not answer" in problem_of(answer, 503, "database_unavailable")["detail"]
        assert answer.headers["retry-after"] == "1"


async def is_back(api: httpx.AsyncClient, own_id: str) -> None:
    """At once, for the first who asks."""
    answers = [await api.post("/v1/interactions", json=story(own_id)), await api.get("/readyz")]
    assert [answer.status_code for answer in answers] == [201, 200], answers[0].text


def story(own_id: str) -> Json:
    return happening(own_id, own_id, kind=ALERTING)
