"""Workers that are killed 50 times at random instants during 2,000 deliveries: how often each message arrived.

`python -m benchmarks.deliveries_killed [sqlite|postgresql]`. Two workers take turns: while one is dead and starts anew
the other goes on. A round is shorter than a lease, so that a message is in flight at one kill at most; after it the
leases are let end at once, and what was in flight is sent again undisturbed. What is killed in just that moment again
would come a third time.
"""

import asyncio
import random
import tempfile
import time
from collections import Counter
from pathlib import Path

from app.domain.instant import SECOND
from app.operations.book_message import wire_id
from app.operations.deliver import LEASE
from benchmarks.on_both import on_both, process_settings
from tests.clocks import ClockProcess
from tests.conftest import Bench
from tests.operations.delivering import all_delivered, opened, subscribed, told, until
from tests.operations.test_deliver_killed import assert_once_or_twice, end_all_leases
from tests.webhooks.receivers import Receiver, Request, answering, receiving

ROUNDS, MESSAGES, KILLS, WORKERS = 5, 400, 10, 2
FINE = answering("204 No Content")
ANSWER_SECONDS = 0.03  # so that a kill meets some in flight, and all kills some deliveries


async def slowly(request: Request, writer: asyncio.StreamWriter) -> None:
    """Fine, after a moment."""
    await asyncio.sleep(ANSWER_SECONDS)
    await FINE(request, writer)


async def measure(bench: Bench) -> None:
    """Kill, count, compare."""
    await opened(bench, "ada")
    bodies: dict[str, bytes] = {}
    with tempfile.TemporaryDirectory() as folder:
        workers = [ClockProcess(process_settings(bench), Path(folder) / f"{number}.log") for number in range(WORKERS)]
        async with receiving(slowly) as receiver:
            to = await subscribed(bench, receiver.url, "debit.deep")
            begun = time.monotonic()
            for _ in range(ROUNDS):
                sent = await told(bench, *["ada"] * MESSAGES)
                bodies |= {wire_id(each.message_id): each.body for each in sent}
                longest = await killed_now_and_then(workers, receiver)
                assert longest < LEASE / SECOND
                await end_all_leases(bench)
                await workers[0].start()
                await until(lambda: all_delivered(bench, to))
                await workers[0].stop()
        assert [worker.log for worker in workers if "Traceback" in worker.log] == []
    counts = Counter(Counter(each.headers["webhook-id"] for each in receiver.requests).values())
    print(f"  {len(bodies):,} deliveries, {ROUNDS * KILLS} kills in {time.monotonic() - begun:.0f} s:", end=" ")
    print(f"{counts[1]:,} came once, {counts[2]:,} twice, {counts.total() - counts[1] - counts[2]} more often")
    assert_once_or_twice(receiver, bodies)


async def killed_now_and_then(workers: list[ClockProcess], receiver: Receiver) -> float:
    """Each kill meets a worker after its share of the messages has come; how many seconds that took."""
    begun, before = time.monotonic(), len(receiver.requests)
    await asyncio.gather(*[worker.start() for worker in workers])
    for kill in range(1, KILLS + 1):
        share = before + MESSAGES * 9 // 10 * kill // KILLS
        await until(lambda: len(receiver.requests) >= share)  # noqa: B023 - within the round
        await asyncio.sleep(random.uniform(0, ANSWER_SECONDS))
        worker = workers[kill % len(workers)]
        await asyncio.to_thread(worker.kill)
        if kill <= KILLS - len(workers):
            await worker.start()
    return time.monotonic() - begun


if __name__ == "__main__":
    on_both(measure)
