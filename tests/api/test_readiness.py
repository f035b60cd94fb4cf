"""Readiness: whether it can serve, and how late what is due is, which is another matter."""

import asyncio

import httpx
import pytest

from app.api import health
from app.domain.instant import DAY, SECOND
from app.worker import clock_running
from tests.api.sentences import GIFT, got, posted
from tests.api.subscribing import made
from tests.conftest import Bench
from tests.operations.delivering import delivering, on_loopback, until
from tests.webhooks.receivers import answering, receiving

QUICK = 60.0


async def lags(api: httpx.AsyncClient) -> tuple[float, float]:
    told = await got(api, "/readyz")
    return told["clock_lag_seconds"], told["deliverer_lag_seconds"]


async def test_it_tells_of_the_database_and_that_nothing_waits(api: httpx.AsyncClient, bench: Bench) -> None:
    told = await got(api, "/readyz")

    assert told["database"]["kind"] == bench.url.partition(":")[0]
    assert 0 < told["database"]["seconds"] < QUICK
    assert {**told, "database": None} == {
        "status": "ok",
        "database": None,
        "clock_lag_seconds": 0,
        "deliverer_lag_seconds": 0,
    }


async def test_it_stays_ready_and_says_how_long_the_clock_has_left_what_is_due(
    api: httpx.AsyncClient, bench: Bench
) -> None:
    account = (await posted(api, kind=GIFT))["account"]
    assert account["next_crossing_at"] is not None
    bench.clock.pass_days(1_000)
    behind, _ = await lags(api)
    bench.clock.pass_days(1)
    later, _ = await lags(api)
    assert behind > DAY // SECOND
    assert later == pytest.approx(behind + DAY // SECOND)

    async def opened() -> object:
        return bench.ledger

    async with clock_running(opened):  # type: ignore[arg-type]
        await until(lambda: caught_up(api))


async def test_it_stays_ready_and_says_how_long_a_delivery_waits(bench: Bench) -> None:
    bench = on_loopback(bench)
    async with bench.client() as api, receiving(answering("200 OK")) as receiver:
        await made(api, receiver.url)
        await posted(api, kind="agent.insult_or_threat")
        assert await lags(api) == (0, 0)
        bench.clock.now += 90 * SECOND
        assert (await lags(api))[1] == 90

        async with delivering(bench.ledger):
            await until(lambda: delivered(api))
    assert len(receiver.requests) == 1


async def test_a_lag_that_is_not_found_out_in_time_is_null_and_no_outage(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def endless(_tx: object) -> None:
        await asyncio.sleep(QUICK)

    monkeypatch.setattr(health, "LAG_SECONDS", 0.05)
    monkeypatch.setattr(health, "next_due_by_book", endless)
    told = await got(api, "/readyz")
    assert (told["status"], told["clock_lag_seconds"], told["deliverer_lag_seconds"]) == ("ok", None, None)


async def caught_up(api: httpx.AsyncClient) -> bool:
    return (await lags(api))[0] == 0


async def delivered(api: httpx.AsyncClient) -> bool:
    return (await lags(api))[1] == 0
