"""A process's services are prepared once for all who wait for them."""

import asyncio
import gc
from typing import Any, NoReturn
from uuid import RFC_4122

import pytest

from app import main
from app.domain.errors import DatabaseUnavailable
from app.main import Opened, clock, ordered_id
from app.settings import Settings

WAITERS = 5


async def test_who_waits_for_a_silent_database_waits_for_one_attempt_and_not_for_those_of_all_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    attempts: list[asyncio.Future[None]] = []
    unheard: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unheard.append(context))

    async def silent(*_: object) -> NoReturn:
        attempts.append(asyncio.get_running_loop().create_future())
        await attempts[-1]
        raise DatabaseUnavailable

    monkeypatch.setattr(main, "_prepared", silent)
    service = Opened(Settings(database_url="sqlite:///nowhere"))
    impatient = asyncio.create_task(service.ledger())
    patient = [asyncio.create_task(service.ledger()) for _ in range(WAITERS)]
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.wait([impatient])
    assert len(attempts) == 1

    attempts[0].set_result(None)
    ends = await asyncio.gather(*patient, return_exceptions=True)
    assert [type(end) for end in ends] == [DatabaseUnavailable] * WAITERS
    assert len(attempts) == 1

    alone = asyncio.create_task(service.ledger())
    await asyncio.sleep(0.01)
    alone.cancel()
    await asyncio.wait([alone])
    attempts[1].set_result(None)
    await asyncio.sleep(0.01)
    await service.close()
    del service, alone, impatient, patient, ends
    gc.collect()
    assert unheard == []


def test_ids_of_what_is_written_in_order_are_of_version_7_and_sort_by_their_instants() -> None:
    begun = clock() // 1000
    ids = [ordered_id() for _ in range(1_000)]
    ended = clock() // 1000

    assert len(set(ids)) == len(ids)
    assert {(each.version, each.variant) for each in ids} == {(7, RFC_4122)}
    in_order = [(each.int >> 80, each.int >> 64 & 0xFFF) for each in ids]
    assert in_order == sorted(in_order)
    assert len(set(in_order)) > 10
    assert begun <= in_order[0][0] <= in_order[-1][0] <= ended
