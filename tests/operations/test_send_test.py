"""Messages of the type `test`, of which few are sent at once."""

import asyncio

import pytest

from app.operations.ledger import TESTS_AT_ONCE_MAX
from tests.conftest import Bench
from tests.operations.delivering import on_loopback, subscribed, until
from tests.webhooks.receivers import answering, holding, receiving

FINE = answering("204 No Content")


@pytest.fixture
def bench(bench: Bench) -> Bench:
    return on_loopback(bench)


async def test_of_many_tests_at_once_some_wait_for_others(bench: Bench) -> None:
    released = asyncio.Event()
    async with receiving(holding(FINE, released)) as receiver, bench.client() as client:
        to = await subscribed(bench, receiver.url)
        async with asyncio.TaskGroup() as tasks:
            url = f"/v1/webhooks/{to.subscription_id}/test"
            tests = [tasks.create_task(client.post(url)) for _ in range(TESTS_AT_ONCE_MAX + 2)]
            await until(lambda: len(receiver.requests) == TESTS_AT_ONCE_MAX)
            await asyncio.sleep(0.1)
            assert len(receiver.requests) == TESTS_AT_ONCE_MAX
            released.set()
    assert {each.result().status_code for each in tests} == {200}
    assert len(receiver.requests) == TESTS_AT_ONCE_MAX + 2
