"""What happens to a delivery in flight when its subscription, or its whole book, goes meanwhile."""

import asyncio
from dataclasses import replace

import pytest

from app.domain.delivery import Queue
from app.operations.deliver import Tried, take_turn
from app.operations.sandbox import empty_sandbox
from app.operations.subscribe import unsubscribe
from app.store.deliveries import lock_delivery
from app.store.subscriptions import lock_subscription
from app.tables import attempts, deliveries, subscriptions
from app.webhooks.attempt import Attempt
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
from tests.operations.sandboxes import new_sandbox
from tests.operations.stories import stored
from tests.webhooks.receivers import Request, answering, holding, receiving

FINE = answering("204 No Content")
STATUSES = ["204 No Content", "500 Oops", "410 Gone"]


@pytest.fixture
def bench(bench: Bench) -> Bench:
    return on_loopback(bench)


@pytest.mark.parametrize("status", STATUSES)
async def test_what_is_in_flight_when_a_sandbox_is_emptied_leaves_nothing(
    bench: Bench, caplog: pytest.LogCaptureFixture, status: str
) -> None:
    box = replace(bench, book=await new_sandbox(bench))
    await opened(box, "ada")
    released = asyncio.Event()

    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        await (FINE if released.is_set() else holding(answering(status), released))(request, writer)

    async with receiving(behave) as receiver, delivering(bench.ledger):
        to = await subscribed(box, receiver.url)
        await told(box, *["ada"] * 3)
        await until(lambda: len(receiver.requests) > 0)
        await empty_sandbox(bench.ledger, box.book)
        released.set()
        await opened(box, "ada")
        await told(box, "ada")
        await until_states(box, to, "delivered")
        await asyncio.sleep(0.3)

    rows = await stored(bench, subscriptions, deliveries, attempts, book=box.book)
    assert [(row["ordinal"], row["status"]) for row in rows["attempts"]] == [(1, 204)]
    assert [row["failing_since"] for row in rows["subscriptions"]] == [None]
    assert len(rows["deliveries"]) == 1
    assert [record.getMessage() for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []


@pytest.mark.parametrize("status", STATUSES)
async def test_what_is_in_flight_when_its_subscription_is_deleted_is_given_up(
    bench: Bench, caplog: pytest.LogCaptureFixture, status: str
) -> None:
    await opened(bench, "ada")
    released = asyncio.Event()
    async with receiving(holding(answering(status), released)) as receiver, delivering(bench.ledger):
        to = await subscribed(bench, receiver.url)
        await told(bench, *["ada"] * 3)
        await until(lambda: len(receiver.requests) == 1)
        await unsubscribe(bench.ledger, bench.book, to.subscription_id)
        released.set()
        await asyncio.sleep(0.3)

    assert {each.reason for each in await deliveries_of(bench, to)} == {"subscription_deleted"}
    assert (await stored(bench, attempts))["attempts"] == []
    assert len(receiver.requests) == 1
    assert [record.getMessage() for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []


async def test_who_records_waits_for_the_subscription_before_it_holds_a_delivery(bench: Bench) -> None:
    """Whoever changes a subscription locks it first, and then deliveries: the other way round both would wait."""
    await opened(bench, "ada")
    to = await subscribed(bench, "http://127.0.0.1:9/hook")
    (message,) = await told(bench, "ada")
    queue = Queue(bench.book, to.subscription_id)
    (parcel,) = (await take_turn(bench.ledger, queue, [], in_flight=0, room=1)).claimed
    failed = Tried(
        parcel=parcel,
        sent_to=to.sealed_url,
        begun_at=bench.ledger.now(),
        attempt=Attempt(status=500, duration=1, error="answered 500"),
    )
    async with bench.ledger.database.write() as tx:
        await lock_subscription(tx, bench.book, to.subscription_id)
        recording = asyncio.create_task(take_turn(bench.ledger, queue, [failed], in_flight=0, room=1))
        await asyncio.sleep(0.2)
        assert await lock_delivery(tx, queue, message.message_id) == (message.number, True)
    assert (await recording).failed == 1
