"""Clocks as processes: two at once beside sixteen that post, and one that is killed in the middle of its batches."""

import asyncio
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from sqlalchemy import make_url, text

from app.domain.instant import DAY
from tests.clocks import ClockProcess
from tests.conftest import Bench
from tests.operations.outages import count_due, fall_behind, is_as_if_undisturbed, run_late
from tests.operations.posting import ledger_of
from tests.operations.test_concurrency import POSTS_EACH, WRITERS, is_calm, is_sound, write
from tests.servers import ServerProcess, settings_of

DUE = 250
KILLS = 2
PATIENCE_SECONDS = 60.0


async def test_two_clocks_and_sixteen_clients_come_to_what_an_undisturbed_clock_comes_to(
    bench: Bench, tmp_path: Path
) -> None:
    outage = await fall_behind(bench, DUE)
    server = ServerProcess({**settings(bench), "GOODWILL_CLOCK": "false"}, tmp_path / "server.log")
    await server.start()
    writing = asyncio.gather(*[write(server, bench.token, number) for number in range(WRITERS)])
    async with clocks(bench, tmp_path, 2) as running:
        statuses = Counter(status for answers in await writing for status in answers)
        await until_nothing_is_due(bench)
        assert [await each.stop() for each in running] == [0, 0]
    await server.stop()

    assert statuses == {201: WRITERS * POSTS_EACH}
    is_sound(await ledger_of(bench), bench.book)
    is_calm([server])
    assert [each.complaints for each in running] == [""] * 2
    await is_as_if_undisturbed(bench, outage)


async def test_a_clock_killed_in_the_middle_of_a_batch_and_started_again_comes_to_what_an_undisturbed_one_comes_to(
    bench: Bench, tmp_path: Path
) -> None:
    outage = await fall_behind(bench, DUE)
    left = [await count_due(bench)]
    async with clocks(bench, tmp_path, 1) as (killed,):
        for _ in range(KILLS):
            await kill_in_the_middle_of_a_batch(bench, killed)
            left.append(await count_due(bench))
            await killed.start()
            await until_due_is_under(bench, left[-1])
        await until_nothing_is_due(bench)
        assert await killed.stop() == 0

    assert left[0] == DUE + DUE // 5
    assert left[-1] > 0
    await is_as_if_undisturbed(bench, outage)


async def kill_in_the_middle_of_a_batch(bench: Bench, clock_process: ClockProcess) -> None:
    """Hold it still until it is caught with the book's head locked: what it wrote is not committed."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while True:
        assert time.monotonic() < give_up_at
        clock_process.pause()
        await asyncio.sleep(0.05)  # for a commit that was sent already
        if await is_in_a_batch(bench):
            clock_process.kill()
            return
        clock_process.go_on()
        await asyncio.sleep(0.005)


async def is_in_a_batch(bench: Bench) -> bool:
    """Whether somebody writes: the file is locked, or the row of a book."""
    if bench.ledger.database.is_sqlite:
        with closing(sqlite3.connect(make_url(bench.url).database or "", timeout=0.0)) as file:
            try:
                file.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
            return False
    locks = "SELECT count(*) FROM pg_locks WHERE relation = 'books'::regclass AND mode = 'RowShareLock' AND granted"
    async with bench.ledger.database.read(bench.book) as tx:
        return bool((await tx.execute(text(locks))).scalar_one())


async def test_a_clock_three_days_late_comes_to_what_one_in_time_comes_to(bench: Bench) -> None:
    outage = await fall_behind(bench, 60)

    await run_late(bench, bench.book, outage.begun_at, by=3 * DAY)

    await is_as_if_undisturbed(bench, outage)


async def test_reads_are_exact_while_no_clock_runs_and_the_same_once_one_ran(bench: Bench, tmp_path: Path) -> None:
    await fall_behind(bench, 40, with_promises=False)
    before = await read(bench)
    assert await count_due(bench) == 40

    async with clocks(bench, tmp_path, 1):
        await until_nothing_is_due(bench)

    assert await read(bench) == before


async def read(bench: Bench) -> list[object]:
    """What the API says of some customers, their crossings, and the worklist, at the bench's instant."""
    async with bench.client() as client:
        answers = [
            await client.get(f"/v1/customers/customer-{number}{what}")
            for number in range(8)
            for what in ("", "/balance", "/crossings")
        ]
        listed = await client.get("/v1/customers", params={"limit": 100})
    return [answer.json() for answer in [*answers, listed]]


@asynccontextmanager
async def clocks(bench: Bench, folder: Path, count: int) -> AsyncGenerator[list[ClockProcess]]:
    running = [ClockProcess(settings(bench), folder / f"clock-{number}.log") for number in range(count)]
    try:
        await asyncio.gather(*[each.start() for each in running])
        yield running
    finally:
        for each in running:
            await each.stop()


def settings(bench: Bench) -> dict[str, str]:
    return settings_of(database_url=bench.url, master_key=bench.ledger.master_key.secret)


async def until_nothing_is_due(bench: Bench) -> None:
    await until_due_is_under(bench, 1)


async def until_due_is_under(bench: Bench, count: int) -> None:
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while await count_due(bench) >= count:
        assert time.monotonic() < give_up_at
        await asyncio.sleep(0.005)
