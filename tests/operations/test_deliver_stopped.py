"""A deliverer that is stopped in order: what is in flight is recorded, and the rest is due at once for the next."""

import asyncio

import pytest

from app.domain.delivery import Delivery
from tests.conftest import Bench
from tests.operations.delivering import (
    deliveries_of,
    delivering,
    on_loopback,
    opened,
    subscribed,
    told,
    until,
    until_states,
)
from tests.webhooks.receivers import Request, answering, holding, receiving

FINE = answering("204 No Content")


@pytest.fixture
def bench(bench: Bench) -> Bench:
    return on_loopback(bench)


async def slowly(request: Request, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(0.1)
    await FINE(request, writer)


def is_free(each: Delivery) -> bool:
    return not each.is_under_way


async def test_stopped_in_order_it_records_what_is_in_flight_and_claims_no_more(bench: Bench) -> None:
    await opened(bench, "ada")
    async with receiving(slowly) as receiver:
        to = await subscribed(bench, receiver.url)
        await told(bench, *["ada"] * 30)
        async with delivering(bench.ledger, stop_seconds=5.0):
            await until(lambda: len(receiver.requests) > 5)
        left = await deliveries_of(bench, to)
        sent = len(receiver.requests)
        assert all(map(is_free, left))
        assert [each.state.value for each in left].count("delivered") == sent < 30

        async with delivering(bench.ledger):
            await until_states(bench, to, *["delivered"] * 30)
    assert len(receiver.requests) == 30


async def test_what_is_not_answered_when_it_stops_is_due_at_once_and_not_counted_as_tried(bench: Bench) -> None:
    await opened(bench, "ada")
    released = asyncio.Event()
    async with receiving(holding(FINE, released)) as receiver:
        to = await subscribed(bench, receiver.url)
        await told(bench, "ada")
        async with delivering(bench.ledger):
            await until(lambda: len(receiver.requests) == 1)
        (owed,) = await deliveries_of(bench, to)
        assert (owed.is_under_way, owed.due_at, owed.attempts) == (False, bench.clock.now, 0)

        released.set()
        async with delivering(bench.ledger):
            await until_states(bench, to, "delivered")
    assert len(receiver.requests) == 2


@pytest.mark.parametrize("steps", range(3))
async def test_it_ends_although_it_is_stopped_just_as_it_wakes(bench: Bench, steps: int) -> None:
    async with asyncio.timeout(5):
        async with delivering(bench.ledger):
            await asyncio.sleep(0.3)
            bench.ledger.soon_deliver.set()
            for _ in range(steps):
                await asyncio.sleep(0)
