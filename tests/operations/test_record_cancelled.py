"""Whoever stops waiting for an append stops nothing: it is carried through, and holds nobody up."""

import asyncio
import time

import pytest

from app.operations.record import record
from app.operations.verify import verify
from tests.conftest import Bench
from tests.operations.posting import interaction


@pytest.mark.parametrize("milliseconds", [0.5, 3, 10, 30])
async def test_an_append_that_nobody_waits_for_holds_nobody_up(bench: Bench, milliseconds: float) -> None:
    for number in range(5):
        item = interaction(number)
        abandoned = asyncio.create_task(record(bench.ledger, bench.book, [item], api_key_id=bench.key_id))
        await asyncio.sleep(milliseconds / 1000)
        abandoned.cancel()
        await asyncio.wait([abandoned])

        begun = time.monotonic()
        await record(bench.ledger, bench.book, [interaction(100 + number)], api_key_id=bench.key_id)
        assert time.monotonic() - begun < 5

    assert (await verify(bench.ledger, bench.book)).is_sound
