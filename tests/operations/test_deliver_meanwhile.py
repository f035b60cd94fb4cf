"""A delivery in flight when its subscription, or its whole book, goes meanwhile; how often one that fails is asked."""

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
    states_of,
    subscribed,
    told,
    until,
    until_states,
)
from tests.operations.sandboxes import new_sandbox
from tests.operations.stories import stored
from tests.webhooks.receivers import answering, holding, receiving

FINE = answering("204 No Content")
STATUSES = ["204 No Content", "500 Oops", "410 Gone"]


async def _was_tried(box: Bench) -> bool:
    return bool((await stored(box, attempts, book=box.book))["attempts"])


@pytest.fixture
def bench(bench: Bench) -> Bench:
    return on_loopback(bench)


@pytest.mark.parametrize(("status", "state"), [*zip(STATUSES, ("delivered", "pending", "held"), strict=True)])
async def test_what_is_in_flight_when_a_sandbox_is_emptied_leaves_nothing(
    bench: Bench, caplog: pytest.LogCaptureFixture, status: str, state: str
) -> None:
    """Who subscribed stays, and the numbers of messages begin anew: what was in flight is not taken for them."""
    box = replace(bench, book=await new_sandbox(bench))
    await opened(box, "ada")
    released = asyncio.Event()
    async with receiving(holding(answering(status), released)) as receiver, delivering(bench.ledger):
        to = await subscribed(box, receiver.url, "debit.deep")
        await told(box, *["ada"] * 3)
        await until(lambda: len(receiver.requests) == 1)
        await empty_sandbox(bench.ledger, box.book)
        await opened(box, "ada")
        (message,) = await told(box, "ada")
        released.set()
        await until(lambda: any(each.body == message.body for each in receiver.requests))
        await until(lambda: _was_tried(box))
        await until_states(box, to, state)
        await asyncio.sleep(0.2)

    rows = await stored(bench, subscriptions, deliveries, attempts, book=box.book)
    assert {name: len(those) for name, those in rows.items()} == {"subscriptions": 1, "deliveries": 1, "attempts": 1}
    assert len(receiver.requests) == 2
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


async def test_a_receiver_that_fails_is_given_rests_however_much_it_is_owed(bench: Bench) -> None:
    await opened(bench, "ada")
    async with receiving(answering("500 Oops")) as receiver, delivering(bench.ledger):
        to = await subscribed(bench, receiver.url)
        await told(bench, *["ada"] * 30)
        await until(lambda: len(receiver.requests) >= 1)
        begun = asyncio.get_running_loop().time()
        await until(lambda: len(receiver.requests) >= 4)
        assert asyncio.get_running_loop().time() - begun > 0.3  # rests of 0.1, 0.2 and 0.4 s lie between

    assert len(receiver.requests) < 30
    assert set(await states_of(bench, to)) == {"pending"}


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
    async with bench.ledger.database.write(bench.book) as tx:
        await lock_subscription(tx, bench.book, to.subscription_id)
        recording = asyncio.create_task(take_turn(bench.ledger, queue, [failed], in_flight=0, room=1))
        await asyncio.sleep(0.2)
        assert await lock_delivery(tx, queue, message.message_id) == (message.number, True)
    assert (await recording).failed == 1
