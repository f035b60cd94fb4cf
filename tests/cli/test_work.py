"""`goodwill work` and the clock of `goodwill serve`, as processes."""

import asyncio
import time
from pathlib import Path

import httpx
import pytest

from app.domain.instant import DAY
from app.main import clock
from tests.clocks import ClockProcess
from tests.conftest import Bench
from tests.operations.posting import account_of, interaction, post
from tests.servers import ServerProcess, settings_of

LONG_AGO_DAYS = 400
PATIENCE_SECONDS = 60.0


@pytest.mark.parametrize("clock_setting", [None, "false"])
async def test_serve_runs_the_clock_unless_it_is_told_not_to(
    bench: Bench, tmp_path: Path, clock_setting: str | None
) -> None:
    await begin_long_ago(bench)
    told = {} if clock_setting is None else {"GOODWILL_CLOCK": clock_setting}
    server = ServerProcess({**settings(bench), **told}, tmp_path / "server.log")
    await server.start()
    if clock_setting is None:
        await until_advanced(bench)
    async with server.client(bench.token) as client:
        metrics = await metrics_of(client)
    await server.stop()

    assert ((await account_of(bench)).look_again_at > clock()) == (clock_setting is None)
    assert metrics["goodwill_clock_crossings_total"] == ("0.0" if clock_setting else "1.0")
    assert metrics["goodwill_clock_accounts_advanced_total"] == ("0.0" if clock_setting else "1.0")
    assert metrics["goodwill_clock_lag_seconds"] == ("NaN" if clock_setting else metrics["goodwill_clock_lag_seconds"])
    assert server.log.count("Traceback") == 0


async def test_work_runs_the_clock_until_it_is_told_to_stop(bench: Bench, tmp_path: Path) -> None:
    await begin_long_ago(bench)
    working = await ClockProcess(settings(bench), tmp_path / "work.log").start()
    await until_advanced(bench)

    assert await working.stop() == 0
    assert working.complaints == ""


async def test_work_may_start_before_the_database_has_a_schema(tmp_path: Path) -> None:
    working = await ClockProcess({"GOODWILL_DATA_DIR": str(tmp_path / "data")}, tmp_path / "work.log").start()

    assert await working.stop() == 0
    assert working.complaints == ""


async def begin_long_ago(bench: Bench) -> None:
    bench.clock.now = clock() - LONG_AGO_DAYS * DAY
    await post(bench, interaction(1, "apology.first"))


async def until_advanced(bench: Bench) -> None:
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while (await account_of(bench)).look_again_at <= clock():
        assert time.monotonic() < give_up_at
        await asyncio.sleep(0.01)


async def metrics_of(client: httpx.AsyncClient) -> dict[str, str]:
    lines = (await client.get("/metrics")).text.splitlines()
    return dict(line.split(" ", 1) for line in lines if not line.startswith("#"))


def settings(bench: Bench) -> dict[str, str]:
    return settings_of(database_url=bench.url, master_key=bench.ledger.master_key.secret)
