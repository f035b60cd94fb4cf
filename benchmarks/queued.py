"""100,000 queued deliveries: how long a claim takes, and how large a worker grows while it sends them.

`python -m benchmarks.queued [sqlite|postgresql]`. A claim is timed with all queued, for an `ordered` subscription, and
once all but SEEN of them are settled, which leaves their dead rows in the index.
"""

import asyncio
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from sqlalchemy import text, update

from app.domain.delivery import Queue
from app.domain.instant import SECOND
from app.domain.message import Message, MessageType
from app.main import clock
from app.operations.hand_over import hand_over
from app.store.books import lock_head, save_head
from app.store.deliveries import claim, due_query
from app.tables import deliveries
from benchmarks.on_both import on_both, process_settings
from tests.clocks import ClockProcess
from tests.conftest import Bench
from tests.operations.delivering import opened, subscribed
from tests.operations.posting import account_of
from tests.webhooks.receivers import answering, receiving

QUEUED, CHUNK, CLAIMS, SEEN, CUSTOMERS = 100_000, 5_000, 100, 2_000, 2_000
SENDING_SECONDS = 12
MEBIBYTES_MAX, MILLISECONDS_MAX = 150, 5.0


async def measure(bench: Bench) -> None:
    """Queue, claim, send, settle, claim."""
    customers = [f"customer-{number}" for number in range(CUSTOMERS)]
    await opened(bench, *customers)
    async with receiving(answering("204 No Content")) as receiver:
        to = await subscribed(bench, receiver.url, max_in_flight=64)
        await fill(bench, customers)
        queue = Queue(bench.book, to.subscription_id)
        await time_claims(bench, queue, f"{QUEUED:,} queued", ordered=False)
        await time_claims(bench, queue, f"{QUEUED:,} queued, in order", ordered=True)
        with tempfile.TemporaryDirectory() as folder:
            worker = await ClockProcess(process_settings(bench), Path(folder) / "log").start()
            await asyncio.sleep(SENDING_SECONDS)
            size = worker.peak_mebibytes
            await worker.stop()
    print(f"  a worker peaks at {size:.0f} MiB; {len(receiver.requests) / SENDING_SECONDS:.0f} a second delivered")
    await settle(bench)
    await time_claims(bench, queue, f"{SEEN:,} queued, the others just settled", ordered=False)
    await time_claims(bench, queue, "the same, in order", ordered=True)
    assert size < MEBIBYTES_MAX


async def fill(bench: Bench, customers: list[str]) -> None:
    """Messages of all customers in turn."""
    ids = [(await account_of(bench, customer)).account_id for customer in customers]
    for _ in range(0, QUEUED, CHUNK):
        async with bench.ledger.database.write(bench.book) as tx:
            head, now = await lock_head(tx, bench.book), bench.ledger.now()
            messages = [
                Message(
                    number=number,
                    message_id=bench.ledger.new_id(),
                    type=MessageType.DEBIT_DEEP,
                    types=(MessageType.DEBIT_DEEP,),
                    at=now,
                    created_at=now,
                    account_id=ids[number % CUSTOMERS],
                    position=1,
                    cause=None,
                    segment=None,
                    magnitude=40,
                    to_standing=None,
                    to_depth=None,
                    body=b'{"type":"debit.deep","data":{"note":"%s"}}' % (b"x" * 1_500),
                )
                for number in range(head.messages + 1, head.messages + CHUNK + 1)
            ]
            await hand_over(bench.ledger, tx, bench.book, messages)
            await save_head(tx, replace(head, messages=head.messages + CHUNK))


async def time_claims(bench: Bench, queue: Queue, when: str, *, ordered: bool) -> None:
    """The query of what is due, and whole claims of eight, each with its way to the database; they are given back."""
    asked: list[float] = []
    took: list[float] = []
    for _ in range(CLAIMS):
        async with bench.ledger.database.write(bench.book) as tx:
            await tx.execute(text("SELECT 1"))
            now, lease = clock(), bench.ledger.new_id()
            begun = time.perf_counter()
            await tx.execute(due_query(queue, now, limit=8))
            asked.append((time.perf_counter() - begun) * 1_000)
            begun = time.perf_counter()
            await claim(tx, queue, now, until=now + 60 * SECOND, lease=lease, limit=8, ordered=ordered)
            took.append((time.perf_counter() - begun) * 1_000)
    async with bench.ledger.database.write(bench.book) as tx:
        await tx.execute(update(deliveries).where(deliveries.c.lease.is_not(None)).values(lease=None, due_at=0))
    print(
        f"  {when}: the query takes {_in_words(asked)}; a claim, with its other statements, {_in_words(took)}",
        flush=True,
    )
    assert bench.ledger.database.is_sqlite or statistics.median(asked) < MILLISECONDS_MAX


def _in_words(took: list[float]) -> str:
    return f"{statistics.median(took):.1f} ms, p99 {sorted(took)[int(CLAIMS * 0.99)]:.1f} ms"


async def settle(bench: Bench) -> None:
    """As if the worker had gone on until SEEN are left."""
    own = deliveries.c
    async with bench.ledger.database.write(bench.book) as tx:
        settled = update(deliveries).where(own.settled_at.is_(None), own.number <= QUEUED - SEEN)
        await tx.execute(settled.values(state="delivered", settled_at=clock(), due_at=None, lease=None))


if __name__ == "__main__":
    on_both(measure)
