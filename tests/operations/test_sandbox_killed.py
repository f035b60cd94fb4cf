"""A process is killed while it moves a sandbox's clock: the sandbox stands at an instant between, and goes on."""

import asyncio
import base64
import os
import sys
from pathlib import Path

from app.domain.instant import DAY
from app.main import clock
from tests.conftest import Bench
from tests.operations.posting import interaction, ledger_of, post, posted
from tests.operations.promising import assert_sound, making
from tests.operations.sandboxes import days_pass, head_of, new_sandbox

ROOT = Path(__file__).parents[2]
PROMISES, DAYS = 30, 60
KILLED_AFTER = 5


async def test_what_was_passed_is_kept_and_a_second_advance_completes(bench: Bench, tmp_path: Path) -> None:
    bench.clock.now = clock()
    sandbox = await new_sandbox(bench)
    due = [bench.clock.now + (10 + n) * DAY for n in range(PROMISES)]
    await post(bench, *[making(f"p{n}", customer=f"c{n % 9}", due_at=at) for n, at in enumerate(due)], book=sandbox)
    environment = {
        **os.environ,
        "GOODWILL_DATABASE_URL": bench.url,
        "GOODWILL_DATA_DIR": str(tmp_path),
        "GOODWILL_MASTER_KEY": base64.b64encode(bench.ledger.master_key.secret).decode(),
    }
    command = (sys.executable, "-m", "tests.operations.sandbox_process", sandbox, str(DAYS))
    process = await asyncio.create_subprocess_exec(*command, env=environment, cwd=ROOT)

    while (await head_of(bench, sandbox)).position < PROMISES + KILLED_AFTER:
        assert process.returncode is None
        await asyncio.sleep(0.02)
    process.kill()
    await process.wait()

    between = await head_of(bench, sandbox)
    assert 10 * DAY < between.clock_ahead < DAYS * DAY
    missed = (await ledger_of(bench, sandbox))[PROMISES:]
    assert max(entry.booked_at for entry in missed) <= clock() + between.clock_ahead
    await assert_sound(bench, sandbox)
    bench.clock.now = clock()
    assert (await posted(bench, interaction("meanwhile"), book=sandbox)).entry.booked_at > missed[-1].booked_at
    await days_pass(bench, sandbox, DAYS)

    assert len(await ledger_of(bench, sandbox)) == PROMISES + 3 * PROMISES + 1
    await assert_sound(bench, sandbox)
