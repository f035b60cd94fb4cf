"""Deliveries: sent once each and signed; tried again by the schedule; no subscription delays another."""

import asyncio
import json

import pytest

from app.domain.delivery import DELAYS, RETRY_AFTER_MAX
from app.domain.instant import HOUR, SECOND
from app.domain.message import MessageType
from app.domain.subscription import FAILING_MAX, Subscription, SubscriptionState
from app.operations.book_message import wire_id
from app.webhooks.sign import is_authentic
from tests.conftest import Bench
from tests.operations.delivering import (
    deliveries_of,
    delivering,
    on_loopback,
    opened,
    secret_of,
    states_of,
    stored,
    subscribed,
    told,
    tries_of,
    until,
    until_states,
)
from tests.operations.posting import interaction, post
from tests.webhooks.receivers import Behaviour, Request, answering, receiving, writing

FINE = answering("204 No Content")
AWAY = "http://127.0.0.1:9/hook"  # nobody listens there


@pytest.fixture
def bench(bench: Bench) -> Bench:
    return on_loopback(bench)


def refusing_first(behave: Behaviour) -> Behaviour:
    """Behaves so at the first request, and is fine from then on."""
    seen: list[Request] = []

    async def behave_so(request: Request, writer: asyncio.StreamWriter) -> None:
        seen.append(request)
        await (behave if len(seen) == 1 else FINE)(request, writer)

    return behave_so


async def test_a_message_reaches_its_receiver_signed_and_once(bench: Bench) -> None:
    await opened(bench, "ada")
    async with receiving(FINE) as receiver, delivering(bench.ledger):
        to = await subscribed(bench, receiver.url)
        (message,) = await told(bench, "ada")
        await until_states(bench, to, "delivered")
        await asyncio.sleep(0.05)

    (request,) = receiver.requests
    (attempt,) = await tries_of(bench, to, message.number)
    assert request.body == message.body
    assert request.headers["webhook-id"] == wire_id(message.message_id)
    assert is_authentic(await secret_of(bench, to), request.headers, request.body, now=bench.ledger.now())
    assert (attempt.ordinal, attempt.status, attempt.error) == (1, 204, None)


async def test_a_failure_is_tried_again_by_the_schedule_until_it_is_given_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.pump.REST_SECONDS_MAX", 0.01)  # the clock is moved ahead, rests are by the real one
    await opened(bench, "ada")
    async with receiving(answering("500 Oops", body=b"we are down")) as receiver, delivering(bench.ledger):
        to = await subscribed(bench, receiver.url)
        await told(bench, "ada")
        for tries, delay in enumerate(DELAYS, start=1):
            await until_tried(bench, to, tries)
            (owed,) = await deliveries_of(bench, to)
            assert owed.due_at is not None
            assert delay <= owed.due_at - bench.ledger.now() < delay * 1.11 + SECOND
            bench.clock.now = owed.due_at
            bench.ledger.soon_deliver.set()
        await until_states(bench, to, "given_up")

    attempts = await tries_of(bench, to, 1)
    assert len(receiver.requests) == len(DELAYS) + 1
    assert {each.error for each in attempts} == {"answered 500 Internal Server Error"}
    assert {each.excerpt for each in attempts} == {"we are down"}
    assert (await deliveries_of(bench, to))[0].reason == "attempts_exhausted"


async def until_tried(bench: Bench, to: Subscription, tries: int) -> None:
    async def is_tried() -> bool:
        (owed,) = await deliveries_of(bench, to)
        return owed.attempts == tries

    await until(is_tried)


@pytest.mark.parametrize(
    ("answer", "delay"),
    [
        (answering("429 Too Many Requests", "retry-after: 1"), DELAYS[0]),
        (answering("503 Service Unavailable", "retry-after: 3600"), HOUR),
        (answering("503 Service Unavailable", "retry-after: 9999999"), RETRY_AFTER_MAX),
        (answering("500 Oops", "retry-after: 3600"), DELAYS[0]),
        (answering("302 Found", "location: http://10.0.0.1/"), DELAYS[0]),
        (writing(b"", hang_up=True), DELAYS[0]),
    ],
)
async def test_a_receiver_can_delay_the_next_try_but_not_hasten_or_redirect_it(
    bench: Bench, answer: Behaviour, delay: int
) -> None:
    await opened(bench, "ada")
    async with receiving(answer) as receiver, delivering(bench.ledger):
        to = await subscribed(bench, receiver.url)
        await told(bench, "ada")
        await until_tried(bench, to, 1)

    (owed,) = await deliveries_of(bench, to)
    assert owed.due_at is not None
    assert delay <= owed.due_at - bench.ledger.now() < delay * 1.11 + 2 * SECOND
    assert (await stored(bench, to)).failing_since == bench.ledger.now()


async def test_gone_disables_at_once_and_tells_the_others(bench: Bench) -> None:
    await opened(bench, "ada")
    async with receiving(answering("410 Gone")) as gone, receiving(FINE) as fine, delivering(bench.ledger):
        to = await subscribed(bench, gone.url, description="the night shift")
        other = await subscribed(bench, fine.url, "subscription.*")
        await told(bench, "ada", "ada")
        await until_states(bench, other, "delivered")

    disabled = await stored(bench, to)
    assert (disabled.state, disabled.state_reason) == (SubscriptionState.DISABLED, "gone")
    assert set(await states_of(bench, to)) == {"held"}
    assert b'"the night shift","reason":"gone"' in fine.requests[0].body


async def test_five_days_of_nothing_but_failures_disable(bench: Bench) -> None:
    await opened(bench, "ada")
    async with delivering(bench.ledger):
        to = await subscribed(bench, AWAY)
        for _ in range(2):
            await told(bench, "ada")
            await until_tried_of_last(bench, to)
            assert (await stored(bench, to)).state is SubscriptionState.ACTIVE
            bench.clock.now += FAILING_MAX // 2
        await told(bench, "ada")
        await until(lambda: is_disabled(bench, to))

    assert (await stored(bench, to)).state_reason == "failing"
    assert "held" in await states_of(bench, to)


async def is_disabled(bench: Bench, to: Subscription) -> bool:
    return (await stored(bench, to)).state is SubscriptionState.DISABLED


async def until_tried_of_last(bench: Bench, to: Subscription) -> None:
    async def is_tried() -> bool:
        return all(each.attempts > 0 and not each.is_under_way for each in await deliveries_of(bench, to))

    await until(is_tried)


async def test_one_success_ends_the_row_of_failures(bench: Bench) -> None:
    await opened(bench, "ada")
    async with receiving(refusing_first(answering("500 Oops"))) as receiver, delivering(bench.ledger):
        to = await subscribed(bench, receiver.url)
        await told(bench, "ada")
        await until_tried(bench, to, 1)
        assert (await stored(bench, to)).failing_since is not None
        await told(bench, "ada")
        await until_states(bench, to, "pending", "delivered")

    assert (await stored(bench, to)).failing_since is None


async def test_a_slow_receiver_and_a_dead_one_delay_nobody_else(bench: Bench) -> None:
    await opened(bench, "ada")
    async with receiving(writing(b"", every=30)) as slow, receiving(FINE) as fine, delivering(bench.ledger):
        await subscribed(bench, slow.url)
        await subscribed(bench, AWAY)
        to = await subscribed(bench, fine.url)
        await told(bench, *["ada"] * 30)
        await until_states(bench, to, *["delivered"] * 30)

        assert 1 <= len(slow.requests) <= 2
        assert len({each.headers["webhook-id"] for each in fine.requests}) == len(fine.requests) == 30


async def test_in_order_the_next_of_a_customer_waits_and_other_customers_go_on(bench: Bench) -> None:
    await opened(bench, "ada", "bob")
    async with receiving(refusing_first(answering("500 Oops"))) as receiver, delivering(bench.ledger):
        to = await subscribed(bench, receiver.url, ordered=True)
        await told(bench, "ada")
        await until_tried(bench, to, 1)
        await told(bench, "ada", "bob", "ada", "bob", None)
        await until_states(bench, to, "pending", "pending", "delivered", "pending", "delivered", "delivered")
        bench.clock.now += DELAYS[0] * 2
        bench.ledger.soon_deliver.set()
        await until_states(bench, to, *["delivered"] * 6)

    assert [sent_of(each, "ada") for each in receiver.requests if sent_of(each, "ada")] == [1, 1, 2, 4]


def sent_of(request: Request, customer: str) -> int:
    data = json.loads(request.body)["data"]
    return int(data["n"]) if data["customer"] == customer else 0


async def test_a_message_goes_to_whoever_wants_one_of_its_types(bench: Bench) -> None:
    await opened(bench, "ada")
    deep = await subscribed(bench, AWAY, "debit.*", least_magnitude=50)
    all_of_them = await subscribed(bench, AWAY, "*")
    named = await subscribed(bench, AWAY, "account.about_to_be_delighted", segments=("gold",))
    await told(bench, "ada", magnitude=50)
    await told(bench, "ada", magnitude=49)
    about_to = MessageType.ACCOUNT_ABOUT_TO_BE_DELIGHTED
    await told(bench, "ada", "ada", kind=about_to, segment="gold")
    await told(bench, "ada", kind=about_to, segment="silver")

    assert [each.number for each in await deliveries_of(bench, deep)] == [1]
    assert [each.number for each in await deliveries_of(bench, all_of_them)] == [1, 2]
    assert [each.number for each in await deliveries_of(bench, named)] == [3, 4]


async def test_the_deliverer_is_woken_by_what_is_owed_to_someone_and_by_nothing_else(bench: Bench) -> None:
    await post(bench, interaction(1, "agent.insult_or_threat"))
    assert not bench.ledger.soon_deliver.is_set()

    await subscribed(bench, AWAY)
    bench.ledger.soon_deliver.clear()
    await post(bench, interaction(2))
    assert not bench.ledger.soon_deliver.is_set()
    await post(bench, interaction(3, "agent.insult_or_threat", customer="bob"))
    assert bench.ledger.soon_deliver.is_set()
