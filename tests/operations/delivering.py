"""Messages handed over in the tests, subscriptions to receivers on loopback, and a deliverer that runs."""

import asyncio
import itertools
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

from app.deliverer import deliverer_running
from app.domain.delivery import Delivery, DeliveryState, stored_states
from app.domain.message import Message, MessageType
from app.domain.subscription import Subscription
from app.operations.address import address_of
from app.operations.hand_over import hand_over
from app.operations.ledger import Ledger
from app.operations.record import record
from app.operations.subscribe import Wish, subscribe
from app.queries.books import book_key
from app.queries.deliveries import PastAttempt, attempts_of, listed_deliveries
from app.queries.subscriptions import subscription
from app.store.books import lock_head, save_head
from tests.conftest import Bench
from tests.operations.posting import account_of, interaction

PATIENCE_SECONDS = 60.0
ALL = tuple(DeliveryState)
_numbers = itertools.count(1)


def on_loopback(bench: Bench) -> Bench:
    """The bench, with webhooks allowed on this machine."""
    return replace(bench, ledger=replace(bench.ledger, allow_loopback=True, soon_deliver=asyncio.Event()))


async def opened(bench: Bench, *customers: str) -> None:
    """Accounts of these customers, of which nothing was told yet."""
    items = [interaction(f"opening-{next(_numbers)}", customer=each) for each in customers]
    await record(bench.ledger, bench.book, items, api_key_id=bench.key_id, silent=True)


async def told(
    bench: Bench, *customers: str | None, kind: MessageType = MessageType.DEBIT_DEEP, **fields: Any
) -> list[Message]:
    """Hand over a message of each customer, in one append; of the book for None."""
    ids = [None if each is None else (await account_of(bench, each)).account_id for each in customers]
    async with bench.ledger.database.write(bench.book) as tx:
        head = await lock_head(tx, bench.book)
        messages = [
            _message(bench, head.messages + place, customer, account_id, kind, fields)
            for place, (customer, account_id) in enumerate(zip(customers, ids, strict=True), start=1)
        ]
        await hand_over(bench.ledger, tx, bench.book, messages)
        await save_head(tx, replace(head, messages=messages[-1].number))
    bench.ledger.soon_deliver.set()
    return messages


def _message(
    bench: Bench, number: int, customer: str | None, account_id: UUID | None, kind: MessageType, fields: dict[str, Any]
) -> Message:
    now = bench.ledger.now()
    place = {"standing": "overdrawn", "depth": "slight"}
    data = {"customer": customer, "position": 1, "from": place, "to": place, "felt": {}, "balance": {}, "n": number}
    made = Message(
        number=number,
        message_id=bench.ledger.new_id(),
        type=kind,
        types=(kind,),
        at=now,
        created_at=now,
        account_id=account_id,
        position=None if account_id is None else 1,
        cause=None,
        segment=None,
        magnitude=40,
        to_standing=None,
        to_depth=None,
        body=json.dumps({"type": kind, "types": [kind], "timestamp": "2026-05-28T00:00:00Z", "data": data}).encode(),
    )
    return replace(made, **fields)


async def subscribed(bench: Bench, url: str, *types: str, **fields: Any) -> Subscription:
    """A subscription to a receiver."""
    wish = Wish(**{"url": url, "message_types": types or ("*",), "max_in_flight": 8, **fields})
    return (await subscribe(bench.ledger, bench.book, wish))[0]


async def stored(bench: Bench, of: Subscription) -> Subscription:
    """The subscription as it is now."""
    async with bench.ledger.database.read(bench.book) as tx:
        found = await subscription(tx, bench.book, of.subscription_id)
    assert found is not None
    return found


async def secret_of(bench: Bench, of: Subscription) -> str:
    """The newest secret that signs what is sent to it."""
    async with bench.ledger.database.read(bench.book) as tx:
        key = await book_key(tx, bench.book, bench.ledger.master_key)
    return address_of(bench.book, key, await stored(bench, of)).secrets[0].secret


async def deliveries_of(bench: Bench, of: Subscription) -> list[Delivery]:
    """All deliveries of a subscription, oldest first."""
    async with bench.ledger.database.read(bench.book) as tx:
        states = stored_states(ALL, of.state)
        found = await listed_deliveries(tx, bench.book, of.subscription_id, states, before=None, limit=10_000)
    return found[::-1]


async def tries_of(bench: Bench, of: Subscription, number: int) -> list[PastAttempt]:
    """The tries of a delivery, in order."""
    async with bench.ledger.database.read(bench.book) as tx:
        keys = bench.ledger.master_key, await book_key(tx, bench.book, bench.ledger.master_key)
        return await attempts_of(tx, bench.book, of.subscription_id, number, keys)


async def states_of(bench: Bench, of: Subscription) -> list[str]:
    """The state of each delivery, oldest first."""
    state = (await stored(bench, of)).state
    return [each.shown_state(state).value for each in await deliveries_of(bench, of)]


async def all_delivered(bench: Bench, of: Subscription) -> bool:
    """Whether there are deliveries, and all are made."""
    return set(await states_of(bench, of)) == {"delivered"}


@asynccontextmanager
async def delivering(ledger: Ledger, *, stop_seconds: float = 0.1) -> AsyncGenerator[None]:
    """The deliverer over this ledger; in the end it waits so long for what is in flight."""

    async def opened_ledger() -> Ledger:
        return ledger

    async with deliverer_running(opened_ledger, stop_seconds=stop_seconds):
        yield


async def until(holds: Callable[[], bool | Awaitable[bool]]) -> None:
    """Wait until it holds."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not (held if isinstance(held := holds(), bool) else await held):
        assert time.monotonic() < give_up_at
        await asyncio.sleep(0.01)


async def until_states(bench: Bench, of: Subscription, *states: str) -> None:
    """Wait until the deliveries are these."""

    async def are_these() -> bool:
        return await states_of(bench, of) == list(states)

    try:
        await until(are_these)
    except AssertionError:
        assert await states_of(bench, of) == list(states)
