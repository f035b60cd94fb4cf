"""What is held, deleted, purged, sent again, and summed up."""

import json
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from app.domain.instant import DAY, MINUTE, SECOND
from app.domain.message import MessageType
from app.domain.webhook_errors import MessageExpired, UnknownDelivery, UnknownSubscription
from app.operations.hold import pause, resume
from app.operations.keep_tidy import KEPT, backlog, keep_tidy
from app.operations.redeliver import recover, redeliver
from app.operations.subscribe import unsubscribe
from app.store.outbox import FLOOD_MESSAGES, FLOOD_WINDOW
from app.tables import deliveries, messages
from tests.conftest import Bench
from tests.operations.delivering import (
    deliveries_of,
    delivering,
    on_loopback,
    opened,
    states_of,
    stored,
    subscribed,
    told,
    tries_of,
    until_states,
)
from tests.webhooks.receivers import Receiver, answering, receiving

FINE = answering("204 No Content")
AWAY = "http://127.0.0.1:9/hook"


@pytest.fixture
def bench(bench: Bench) -> Bench:
    return on_loopback(bench)


def received(receiver: Receiver) -> list[int]:
    return [json.loads(each.body)["data"]["n"] for each in receiver.requests]


async def test_what_is_held_is_offered_in_order_once_it_is_resumed(bench: Bench) -> None:
    await opened(bench, "ada")
    async with receiving(FINE) as receiver, delivering(bench.ledger):
        to = await subscribed(bench, receiver.url, max_in_flight=1)
        await pause(bench.ledger, bench.book, to.subscription_id)
        bench.clock.now += MINUTE
        await told(bench, "ada", created_at=bench.clock.now + DAY)  # due last, were it not for its number
        await told(bench, "ada", "ada")
        assert await states_of(bench, to) == ["held"] * 3
        assert (await backlog(bench.ledger)).held == 3

        await resume(bench.ledger, bench.book, to.subscription_id)
        await until_states(bench, to, *["delivered"] * 3)

    assert received(receiver) == [1, 2, 3]
    assert (await backlog(bench.ledger)).held == 0


async def test_what_a_deleted_subscription_is_owed_is_given_up(bench: Bench) -> None:
    await opened(bench, "ada")
    to = await subscribed(bench, AWAY)
    await told(bench, "ada", "ada")

    await unsubscribe(bench.ledger, bench.book, to.subscription_id)
    await told(bench, "ada")

    assert [each.reason for each in await deliveries_of(bench, to)] == ["subscription_deleted"] * 2
    assert ((await stored(bench, to)).sealed_url, (await stored(bench, to)).sealed_secrets) == (b"", b"")
    for again in (unsubscribe, pause, resume):
        with pytest.raises(UnknownSubscription):
            await again(bench.ledger, bench.book, to.subscription_id)


async def test_after_90_days_only_that_it_was_told_remains(bench: Bench) -> None:
    await opened(bench, "ada")
    async with receiving(FINE) as receiver, delivering(bench.ledger):
        to = await subscribed(bench, receiver.url)
        (old,) = await told(bench, "ada")
        await until_states(bench, to, "delivered")
    owed = await subscribed(bench, AWAY, ordered=True)
    (held,) = await told(bench, "ada")
    bench.clock.now += KEPT
    (young,) = await told(bench, "ada")
    bench.clock.now += SECOND

    await keep_tidy(bench.ledger)

    assert await states_of(bench, owed) == ["given_up", "pending"]
    assert [each.reason for each in await deliveries_of(bench, owed)] == ["expired", None]
    assert [each.has_body for each in await deliveries_of(bench, to)] == [False, False, True]
    assert await tries_of(bench, to, old.number) == []
    for message in (old, held):
        with pytest.raises(MessageExpired):
            await redeliver(bench.ledger, bench.book, to.subscription_id, message.message_id)
    assert young.number == 3


async def test_a_delivery_is_sent_again_under_the_same_id(bench: Bench) -> None:
    await opened(bench, "ada")
    async with receiving(FINE) as receiver, delivering(bench.ledger):
        to = await subscribed(bench, receiver.url)
        (message,) = await told(bench, "ada")
        await until_states(bench, to, "delivered")
        await redeliver(bench.ledger, bench.book, to.subscription_id, message.message_id)
        await until_states(bench, to, "delivered")

    first, second = receiver.requests
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)
    assert [each.attempts for each in await deliveries_of(bench, to)] == [2]
    with pytest.raises(UnknownDelivery):
        await redeliver(bench.ledger, bench.book, to.subscription_id, bench.ledger.new_id())


async def test_all_that_was_given_up_since_an_instant_is_recovered(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.operations.redeliver.BATCH", 2)
    monkeypatch.setattr("app.operations.redeliver.RECOVERED_MAX", 4)
    await opened(bench, "ada")
    to = await subscribed(bench, AWAY)
    await told(bench, *["ada"] * 7)
    await give_all_up(bench, to.subscription_id)
    since = bench.ledger.now()

    first = await recover(bench.ledger, bench.book, to.subscription_id, since=since, until=since + 1, after=0)
    assert (await states_of(bench, to)).count("pending") == first.recovered == 4
    assert first.after == 4
    rest = await recover(bench.ledger, bench.book, to.subscription_id, since=since, until=since + 1, after=first.after)
    assert (rest.recovered, rest.after) == (3, None)
    none = await recover(bench.ledger, bench.book, to.subscription_id, since=since + 1, until=since + 2, after=0)
    assert (none.recovered, none.after) == (0, None)


async def give_all_up(bench: Bench, subscription_id: UUID) -> None:
    async with bench.ledger.database.whole() as tx:
        given_up = update(deliveries).values(
            state="given_up", due_at=None, settled_at=bench.ledger.now(), reason="attempts_exhausted"
        )
        await tx.execute(given_up.where(deliveries.c.subscription_id == subscription_id))


async def test_of_a_flood_of_one_cause_what_comes_beyond_50_is_summed_up_once(bench: Bench) -> None:
    await opened(bench, "ada", "bob")
    deep = await subscribed(bench, AWAY, "debit.deep", least_magnitude=60)
    dropped = await subscribed(bench, AWAY, "balance.dropped")
    other = await subscribed(bench, AWAY, "policy.adopted")
    await told(bench, *["ada"] * (FLOOD_MESSAGES - 1), cause="strike")
    await told(bench, "bob", cause="calm")
    bench.clock.now += FLOOD_WINDOW - 1
    await told(bench, *["ada"] * 3, "bob", cause="strike", magnitude=61)
    await told(bench, "ada", cause="strike")

    assert len(await deliveries_of(bench, deep)) == 1
    assert await keep_tidy(bench.ledger) == 0
    bench.clock.now += FLOOD_WINDOW
    assert [await keep_tidy(bench.ledger), await keep_tidy(bench.ledger)] == [1, 0]
    await told(bench, "ada", cause="strike", magnitude=61)  # told one by one again

    *_, summary, after = await deliveries_of(bench, deep)
    assert (summary.type, after.type) == (MessageType.CAUSE_SUMMARY, MessageType.DEBIT_DEEP)
    assert await deliveries_of(bench, dropped) == await deliveries_of(bench, other) == []


async def test_a_summary_says_how_many_and_which_are_worst(bench: Bench) -> None:
    await opened(bench, "ada", "bob")
    async with receiving(FINE) as receiver, delivering(bench.ledger):
        to = await subscribed(bench, receiver.url, "debit.deep", least_magnitude=60)
        await told(bench, *["ada"] * (FLOOD_MESSAGES + 12), "bob", cause="a strike", magnitude=50)
        await told(bench, "bob", cause="a strike", magnitude=99)
        bench.clock.now += FLOOD_WINDOW
        await keep_tidy(bench.ledger)
        await until_states(bench, to, "delivered")

    told_data = json.loads(receiver.requests[0].body)["data"]
    assert told_data["count"] == 14
    assert len(told_data["worst"]) == 10
    assert (told_data["worst"][0]["customer"], told_data["look"]) == ("bob", "/v1/messages?cause=a%20strike")


async def test_the_numbers_of_a_books_messages_are_gapless(bench: Bench) -> None:
    await opened(bench, "ada")
    async with receiving(answering("410 Gone")) as gone, delivering(bench.ledger):
        to = await subscribed(bench, gone.url)
        await told(bench, "ada")
        await until_states(bench, to, "held")
    await told(bench, "ada")

    async with bench.ledger.database.read(bench.book) as tx:
        numbers = list((await tx.execute(select(messages.c.number).order_by(messages.c.number))).scalars())
        count = (await tx.execute(select(func.count()).select_from(messages))).scalar_one()
    assert numbers == list(range(1, count + 1)) == [1, 2, 3]


async def test_in_a_flood_nothing_is_lost_or_told_twice_whatever_clocks_say(bench: Bench) -> None:
    """Of three servers one is ahead and one behind: all that is held back until the summary is written is in it."""
    await opened(bench, "ada")
    to = await subscribed(bench, AWAY, "debit.deep")
    for ahead in (SECOND, 0, -SECOND):
        bench.clock.now += ahead
        await told(bench, *["ada"] * (FLOOD_MESSAGES if ahead > 0 else 1), cause="strike")
    bench.clock.now += FLOOD_WINDOW + 2 * SECOND
    assert await keep_tidy(bench.ledger) == 1
    bench.clock.now -= SECOND
    await told(bench, "ada", cause="strike")

    owed = await deliveries_of(bench, to)
    assert [each.type for each in owed] == [MessageType.DEBIT_DEEP] * FLOOD_MESSAGES + [
        MessageType.CAUSE_SUMMARY,
        MessageType.DEBIT_DEEP,
    ]
