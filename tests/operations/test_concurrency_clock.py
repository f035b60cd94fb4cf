"""Clocks as processes: two at once beside sixteen that post, and one that is killed in the middle of its batches."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import func, select

from app.domain.crossing import Cause, advance
from app.domain.fold import fold
from app.domain.instant import DAY
from app.domain.interaction import Interaction
from app.domain.policy import Policy
from app.main import clock
from app.operations.record import record
from app.operations.verify import verify
from app.queries.accounts import all_accounts
from app.queries.audit import crossing_rows
from app.queries.ledger_lines import entries_by_account
from app.rows import crossing_of
from app.tables import accounts
from tests.clocks import ClockProcess
from tests.conftest import Bench
from tests.operations.posting import ledger_of
from tests.operations.test_concurrency import POSTS_EACH, WRITERS, is_calm, is_sound, write
from tests.servers import ServerProcess, settings_of

DUE = 3_000
KILLS = 3
OUTAGE_DAYS = 400  # the book stood still for so long: nearly everyone crossed
PATIENCE_SECONDS = 60.0
KINDS = ("product.failed", "moment.unexpected_gift", "apology.first", "data.breach")


async def test_two_clocks_and_sixteen_clients_record_each_crossing_once(bench: Bench, tmp_path: Path) -> None:
    await fall_behind(bench)
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
    assert [each.log for each in running] == ["Goodwill's clock runs\n"] * 2
    await records_what_the_fold_gives(bench)


async def test_a_clock_killed_in_the_middle_of_its_batches_and_started_again_records_each_crossing_once(
    bench: Bench, tmp_path: Path
) -> None:
    await fall_behind(bench)
    left = [DUE]
    async with clocks(bench, tmp_path, 1) as (killed,):
        while left[-1] and len(left) <= KILLS:
            await until_due_is_under(bench, left[-1])
            killed.kill()
            left.append(await count_due(bench))
            await killed.start()
        await until_nothing_is_due(bench)
        assert await killed.stop() == 0

    assert DUE > left[1] > 0
    await records_what_the_fold_gives(bench)


async def test_reads_are_exact_while_no_clock_runs_and_the_same_once_one_ran(bench: Bench, tmp_path: Path) -> None:
    await fall_behind(bench, count=40)
    bench.clock.now = clock()
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


async def fall_behind(bench: Bench, count: int = DUE) -> None:
    """Accounts whose last entry was booked long ago, by the clock of the machine."""
    bench.clock.now = clock() - OUTAGE_DAYS * DAY
    batch = [
        Interaction(source="crm", id=str(n), customer=f"customer-{n}", kind=KINDS[n % len(KINDS)]) for n in range(count)
    ]
    await record(bench.ledger, bench.book, batch, api_key_id=bench.key_id)
    assert await count_due(bench) == count


async def records_what_the_fold_gives(bench: Bench) -> None:
    """Every account's crossings are those of an undisturbed run, and the book verifies."""
    now, policy, times = clock(), Policy(), 0
    async with bench.ledger.database.read() as tx:
        rows = await crossing_rows(tx, bench.book, list(await all_accounts(tx, bench.book)))
        async for entries in entries_by_account(tx, bench.book):
            account_id = entries[0].account_id
            folded = fold(account_id, entries, (), policy)
            expected = [*folded.crossings, *advance(folded.account, policy, now)[1]]
            assert [crossing_of(row) for row in rows.get(account_id, [])] == expected
            times += sum(crossing.cause is Cause.TIME for crossing in expected)
    assert times > DUE
    assert (await verify(bench.ledger, bench.book)).findings == ()


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


async def count_due(bench: Bench) -> int:
    """How many accounts wait, by the clock of the machine."""
    query = select(func.count()).where(accounts.c.book == bench.book, accounts.c.look_again_at <= clock())
    async with bench.ledger.database.read() as tx:
        return int((await tx.execute(query)).scalar_one())
