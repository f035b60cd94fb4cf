"""A process is killed while it prepares accounts for a policy: a clock goes on where it was."""

import asyncio
import sys
import time
from pathlib import Path

from app.domain.instant import DAY
from app.main import clock
from app.operations.verify import verify
from app.queries.adoptions import adoption_of
from tests.clocks import ClockProcess
from tests.conftest import Bench
from tests.operations.adopting import LONG, begin, policies_of
from tests.operations.posting import interaction, post, posted
from tests.operations.switched import leftovers
from tests.servers import ROOT, environment, settings_of

ACCOUNTS = 40
KILLED_AFTER = 5
PATIENCE_SECONDS = 60.0


async def test_an_adoption_goes_on_after_the_process_that_carried_it_was_killed(bench: Bench, tmp_path: Path) -> None:
    bench.clock.now = clock() - 10 * DAY
    await post(bench, *[interaction(n, "moment.unexpected_gift", f"customer {n}") for n in range(ACCOUNTS)])
    bench.clock.now = clock()
    await begin(bench, LONG)
    settings = settings_of(database_url=bench.url, master_key=bench.ledger.master_key.secret)
    command = (sys.executable, "-m", "tests.operations.adopting_process", bench.book)
    process = await asyncio.create_subprocess_exec(*command, env=environment(settings), cwd=ROOT)

    while await prepared(bench) < KILLED_AFTER:
        assert process.returncode is None
        await asyncio.sleep(0.02)
    process.kill()
    await process.wait()
    done = await prepared(bench)
    assert KILLED_AFTER <= done < ACCOUNTS
    assert len((await policies_of(bench)).switches) == 1
    await posted(bench, interaction("meanwhile", "product.failed", "customer 3"))
    working = await ClockProcess(settings, tmp_path / "work.log").start()
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while len((await policies_of(bench)).switches) == 1 or await leftovers(bench) != [0, 0]:
        assert time.monotonic() < give_up_at
        await asyncio.sleep(0.02)
    assert await working.stop() == 0

    assert working.complaints == ""
    assert (await policies_of(bench)).in_force.half_lives == LONG.half_lives
    report = await verify(bench.ledger, bench.book)
    assert (report.findings, report.accounts) == ((), ACCOUNTS)


async def prepared(bench: Bench) -> int:
    async with bench.ledger.database.read(bench.book) as tx:
        adoption = await adoption_of(tx, bench.book)
    return adoption.accounts_done if adoption else 0
