"""What a change counts for that comes while a try is under way: another URL, and a wish to send it again."""

import asyncio
from dataclasses import replace

import pytest

from app.domain.instant import DAY
from app.domain.subscription import GONE, Subscription, SubscriptionState
from app.operations.disable import disable
from app.operations.redeliver import redeliver
from app.operations.subscribe import change
from app.store.subscriptions import save_failing
from tests.conftest import Bench
from tests.operations.delivering import (
    deliveries_of,
    delivering,
    on_loopback,
    opened,
    stored,
    subscribed,
    told,
    until,
    until_states,
)
from tests.webhooks.receivers import Request, answering, holding, receiving

FINE = answering("204 No Content")
OOPS = answering("500 Oops")


@pytest.fixture
def bench(bench: Bench) -> Bench:
    return on_loopback(bench)


async def test_another_url_has_not_failed_yet(bench: Bench) -> None:
    await opened(bench, "ada")
    async with receiving(OOPS) as before, receiving(OOPS) as after:
        to = await subscribed(bench, before.url)
        await told(bench, "ada")
        async with delivering(bench.ledger):
            await until(lambda: fails(bench, to))
        same = await change(bench.ledger, bench.book, to.subscription_id, {"url": before.url})
        assert same.failing_since == bench.clock.now
        bench.clock.now += 6 * DAY
        changed = await change(bench.ledger, bench.book, to.subscription_id, {"url": after.url})
        assert changed.failing_since is None
        async with delivering(bench.ledger):
            await until(lambda: len(after.requests) > 0)
            await until(lambda: fails(bench, to))

    found = await stored(bench, to)
    assert (found.state, found.failing_since) == (SubscriptionState.ACTIVE, bench.clock.now)


async def fails(bench: Bench, to: Subscription) -> bool:
    return (await stored(bench, to)).failing_since is not None


@pytest.mark.parametrize("status", ["410 Gone", "500 Oops"])
async def test_what_the_url_before_answers_late_says_nothing_of_the_one_after(bench: Bench, status: str) -> None:
    await opened(bench, "ada")
    released = asyncio.Event()
    late = holding(answering(status), released)
    async with receiving(late) as before, receiving(FINE) as after, delivering(bench.ledger):
        to = await subscribed(bench, before.url)
        (message,) = await told(bench, "ada")
        await until(lambda: len(before.requests) == 1)
        await change(bench.ledger, bench.book, to.subscription_id, {"url": after.url})
        released.set()
        await until(lambda: is_tried(bench, to))
        found = await stored(bench, to)
        assert (found.state, found.failing_since) == (SubscriptionState.ACTIVE, None)
        await redeliver(bench.ledger, bench.book, to.subscription_id, message.message_id)
        await until_states(bench, to, "delivered")


async def is_tried(bench: Bench, to: Subscription) -> bool:
    (owed,) = await deliveries_of(bench, to)
    return owed.attempts > 0


async def test_a_url_that_changes_between_a_failure_and_its_record_is_spared_too(bench: Bench) -> None:
    before = await subscribed(bench, "http://127.0.0.1:9/before")
    await change(bench.ledger, bench.book, before.subscription_id, {"url": "http://127.0.0.1:9/after"})

    failing = replace(before, failing_since=bench.clock.now)
    async with bench.ledger.database.write(bench.book) as tx:
        await save_failing(tx, bench.book, failing)
    url = before.sealed_url
    assert not await disable(bench.ledger, bench.book, before.subscription_id, GONE, sealed_url=url)

    found = await stored(bench, before)
    assert (found.state, found.failing_since) == (SubscriptionState.ACTIVE, None)


@pytest.mark.parametrize("status", ["204 No Content", "500 Oops"])
async def test_redelivered_while_a_try_is_under_way_it_is_sent_once_more_at_once(bench: Bench, status: str) -> None:
    await opened(bench, "ada")
    released = asyncio.Event()

    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        await (FINE if released.is_set() else holding(answering(status), released))(request, writer)

    async with receiving(behave) as receiver, delivering(bench.ledger):
        to = await subscribed(bench, receiver.url)
        (message,) = await told(bench, "ada")
        await until(lambda: len(receiver.requests) == 1)
        await redeliver(bench.ledger, bench.book, to.subscription_id, message.message_id)
        released.set()
        await until_states(bench, to, "delivered")

    assert len(receiver.requests) == 2
    assert (await deliveries_of(bench, to))[0].attempts == 1
