"""Many receivers that hang fill what is theirs of the room; the others go on."""

import asyncio

import pytest

from app.domain.message import MessageType
from app.domain.subscription import Subscription
from tests.conftest import Bench
from tests.operations.delivering import delivering, on_loopback, opened, subscribed, told, until, until_states
from tests.webhooks.receivers import Receiver, answering, receiving, writing

FINE = answering("204 No Content")
HANGING = writing(b"", every=30)
SETTLED = MessageType.SUBSCRIPTION_DISABLED


@pytest.fixture
def bench(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """With little room, so that few fill it."""
    monkeypatch.setattr("app.pump.IN_FLIGHT_MAX", 8)
    monkeypatch.setattr("app.pump.UNPROVEN_MAX", 6)
    return on_loopback(bench)


async def hung_up_on(bench: Bench, dead: Receiver, count: int) -> None:
    """So many subscriptions to a receiver that hangs, and much for each of them."""
    for _ in range(count):
        await subscribed(bench, dead.url, "debit.*")
    await told(bench, *["ada"] * 4)


async def sent_to(bench: Bench, to: Subscription) -> None:
    await told(bench, None, kind=SETTLED)
    await asyncio.wait_for(until_states(bench, to, "delivered"), 2)


async def test_one_that_hangs_takes_one_place_and_so_a_new_subscription_is_not_delayed(bench: Bench) -> None:
    await opened(bench, "ada")
    async with receiving(HANGING) as dead, receiving(FINE) as fine, delivering(bench.ledger):
        await hung_up_on(bench, dead, 5)
        await until(lambda: len(dead.requests) == 5)
        await sent_to(bench, await subscribed(bench, fine.url, SETTLED))
        assert len(dead.requests) == 5


async def test_however_many_hang_a_share_is_kept_for_receivers_that_are_proven(bench: Bench) -> None:
    await opened(bench, "ada")
    async with receiving(HANGING) as dead, receiving(FINE) as fine, delivering(bench.ledger):
        to = await subscribed(bench, fine.url, SETTLED)
        await sent_to(bench, to)
        await hung_up_on(bench, dead, 12)
        await until(lambda: len(dead.requests) >= 6)
        await told(bench, None, kind=SETTLED)
        await asyncio.wait_for(until_states(bench, to, "delivered", "delivered"), 2)
        assert len(dead.requests) == 6
