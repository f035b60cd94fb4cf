"""Workers that are killed while they deliver: each message arrives at least once, at most twice, always the same.

One that is stopped in order leaves nothing under way."""

import asyncio
import random
from collections import defaultdict
from pathlib import Path

from sqlalchemy import update

from app.main import clock
from app.tables import deliveries
from tests.clocks import ClockProcess
from tests.conftest import Bench
from tests.operations.delivering import (
    all_delivered,
    deliveries_of,
    on_loopback,
    opened,
    subscribed,
    told,
    until,
)
from tests.servers import settings_of
from tests.webhooks.receivers import Receiver, answering, receiving

FINE = answering("204 No Content")
MESSAGES, KILLS = 150, 3


async def test_killed_workers_deliver_each_message_once_or_twice(bench: Bench, tmp_path: Path) -> None:
    bench = on_loopback(bench)
    bench.clock.now = clock()
    await opened(bench, "ada")
    settings = settings_of(database_url=bench.url, master_key=bench.ledger.master_key.secret)
    worker = ClockProcess({**settings, "GOODWILL_WEBHOOKS_ALLOW_LOOPBACK": "true"}, tmp_path / "work.log")
    async with receiving(FINE) as receiver:
        to = await subscribed(bench, receiver.url, "debit.deep")
        sent = await told(bench, *["ada"] * MESSAGES)
        for kill in range(1, KILLS + 1):
            await worker.start()
            await until(lambda: len(receiver.requests) > MESSAGES * kill // (KILLS + 2))  # noqa: B023 - within the round
            await asyncio.sleep(random.uniform(0, 0.02))
            await asyncio.to_thread(worker.kill)
        await end_all_leases(bench)
        await worker.start()
        received = len(receiver.requests)
        await until(lambda: len(receiver.requests) > received)
        assert await worker.stop() == 0
        assert all((each.due_at or 0) <= clock() for each in await deliveries_of(bench, to))  # under no lease
        await worker.start()
        await until(lambda: all_delivered(bench, to))
        assert await worker.stop() == 0

    assert_once_or_twice(receiver, {f"msg_{each.message_id.hex}": each.body for each in sent})
    assert "Traceback" not in worker.log


async def end_all_leases(bench: Bench) -> None:
    """As if a minute had passed."""
    async with bench.ledger.database.whole() as tx:
        await tx.execute(update(deliveries).where(deliveries.c.lease.is_not(None)).values(due_at=clock()))


def assert_once_or_twice(receiver: Receiver, bodies: dict[str, bytes]) -> None:
    received: dict[str, list[bytes]] = defaultdict(list)
    for request in receiver.requests:
        received[request.headers["webhook-id"]].append(request.body)
    assert set(received) == set(bodies)
    for message_id, copies in received.items():
        assert 1 <= len(copies) <= 2, message_id
        assert set(copies) == {bodies[message_id]}
