"""Each claim has a lease of its own: only the try of the last one counts, and an error does not stop the others."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import insert

from app.domain.delivery import Queue
from app.domain.instant import SECOND
from app.operations.deliver import Tried, Turn, take_turn
from app.operations.sandbox import empty_sandbox
from app.tables import attempts
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
    tries_of,
    until,
    until_states,
)
from tests.operations.sandboxes import new_sandbox
from tests.webhooks.receivers import answering, holding, receiving

AWAY = "http://127.0.0.1:9/hook"  # nobody listens there
TAKEN = Attempt(status=204, duration=1, error=None)
FAILED = Attempt(status=500, duration=1, error="answered 500")


@pytest.fixture
def bench(bench: Bench) -> Bench:
    return on_loopback(bench)


async def turn_of(bench: Bench, queue: Queue, *tried: Tried) -> Turn:
    return await take_turn(bench.ledger, queue, tried, in_flight=0, room=8)


def came(bench: Bench, turn: Turn, attempt: Attempt) -> list[Tried]:
    """What became of all that was claimed."""
    assert turn.address is not None
    now, sent_to = bench.ledger.now(), turn.address.sealed_url
    return [Tried(parcel=each, sent_to=sent_to, begun_at=now, attempt=attempt) for each in turn.claimed]


@pytest.mark.parametrize("second", [TAKEN, FAILED])
async def test_what_was_claimed_twice_is_recorded_once_by_its_last_claim(bench: Bench, second: Attempt) -> None:
    """As when a machine is suspended for more than a minute while it waits for an answer."""
    await opened(bench, "ada")
    to = await subscribed(bench, AWAY)
    await told(bench, "ada", "ada")
    queue = Queue(bench.book, to.subscription_id)
    before = await turn_of(bench, queue)
    bench.clock.now += 61 * SECOND
    after = await turn_of(bench, queue)
    assert [each.number for each in before.claimed] == [each.number for each in after.claimed] == [1, 2]

    turn = await turn_of(bench, queue, *came(bench, before, TAKEN), *came(bench, after, second))

    assert (turn.delivered, turn.failed) == ((2, 0) if second is TAKEN else (0, 2))
    assert [(each.ordinal, each.status) for each in await tries_of(bench, to, 1)] == [(1, second.status)]
    late = await turn_of(bench, queue, *came(bench, before, FAILED), *came(bench, after, FAILED))
    assert (late.delivered, late.failed, late.given_up) == (0, 0, 0)


async def test_a_result_from_before_a_sandbox_was_emptied_says_nothing_of_the_same_number_after(bench: Bench) -> None:
    box = replace(bench, book=await new_sandbox(bench))
    await opened(box, "ada")
    to = await subscribed(box, AWAY)
    await told(box, "ada")
    queue = Queue(box.book, to.subscription_id)
    before = await turn_of(box, queue)
    await empty_sandbox(box.ledger, box.book)
    await opened(box, "ada")
    await told(box, "ada")
    after = await turn_of(box, queue)
    assert [each.number for each in before.claimed] == [each.number for each in after.claimed] == [1]

    assert (await turn_of(box, queue, *came(box, before, TAKEN))).delivered == 0
    assert await states_of(box, to) == ["pending"]
    assert (await turn_of(box, queue, *came(box, after, TAKEN))).delivered == 1


async def test_what_cannot_be_recorded_is_dropped_and_the_others_go_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("app.pump.ERROR_SECONDS", 0.05)
    await opened(bench, "ada")
    released = asyncio.Event()
    async with receiving(holding(answering("204 No Content"), released)) as receiver, delivering(bench.ledger):
        to = await subscribed(bench, receiver.url)
        await told(bench, "ada")
        await until(lambda: len(receiver.requests) == 1)
        row = {"book": bench.book, "subscription_id": to.subscription_id, "number": 1, "ordinal": 1}
        async with bench.ledger.database.whole() as tx:
            await tx.execute(insert(attempts).values(**row, begun_at=0, duration=0))
        released.set()
        await until(lambda: "could not be recorded" in caplog.text)
        await told(bench, "ada")
        await until_states(bench, to, "pending", "delivered")

    assert caplog.text.count("could not be recorded") == 1
    assert (await deliveries_of(bench, to))[0].is_under_way  # until its lease ends


async def test_two_deliverers_share_the_work(bench: Bench) -> None:
    await opened(bench, "ada")
    second = replace(bench.ledger, soon_deliver=asyncio.Event())
    async with receiving(answering("204 No Content")) as receiver:
        to = await subscribed(bench, receiver.url)
        await told(bench, *["ada"] * 60)
        async with delivering(bench.ledger), delivering(second):
            await until_states(bench, to, *["delivered"] * 60)

    assert len({each.headers["webhook-id"] for each in receiver.requests}) == len(receiver.requests) == 60
