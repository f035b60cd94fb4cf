"""A process is killed while it prepares accounts for a policy: another one goes on where it was."""

import asyncio
import base64
import os
import sys
from pathlib import Path

from app.operations.adopt_policy import carry_adoption
from app.operations.verify import verify
from app.queries.adoptions import adoption_of
from tests.conftest import Bench
from tests.operations.adopting import LONG, begin, policies_of
from tests.operations.posting import interaction, post, posted

ROOT = Path(__file__).parents[2]
ACCOUNTS = 40
KILLED_AFTER = 5


async def test_an_adoption_goes_on_after_the_process_that_carried_it_was_killed(bench: Bench, tmp_path: Path) -> None:
    await post(bench, *[interaction(n, "moment.unexpected_gift", f"customer {n}") for n in range(ACCOUNTS)])
    bench.clock.pass_days(10)
    await begin(bench, LONG)
    environment = {
        **os.environ,
        "GOODWILL_DATABASE_URL": bench.url,
        "GOODWILL_DATA_DIR": str(tmp_path),
        "GOODWILL_MASTER_KEY": base64.b64encode(bench.ledger.master_key.secret).decode(),
    }
    command = (sys.executable, "-m", "tests.operations.adopting_process", bench.book)
    process = await asyncio.create_subprocess_exec(*command, env=environment, cwd=ROOT)

    while await prepared(bench) < KILLED_AFTER:
        assert process.returncode is None
        await asyncio.sleep(0.02)
    process.kill()
    await process.wait()
    done = await prepared(bench)
    assert KILLED_AFTER <= done < ACCOUNTS
    assert len((await policies_of(bench)).switches) == 1
    await posted(bench, interaction("meanwhile", "product.failed", "customer 3"))
    await carry_adoption(bench.ledger, bench.book)

    assert (await policies_of(bench)).in_force.half_lives == LONG.half_lives
    report = await verify(bench.ledger, bench.book)
    assert (report.findings, report.accounts) == ((), ACCOUNTS)


async def prepared(bench: Bench) -> int:
    async with bench.ledger.database.read() as tx:
        adoption = await adoption_of(tx, bench.book)
    return adoption.accounts_done if adoption else 0
