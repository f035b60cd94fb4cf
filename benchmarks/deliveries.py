"""Deliveries: from commit to first byte, throughput beside a bare httpx loop, and 100,000 queued.

`python -m benchmarks.deliveries` measures a SQLite file and a PostgreSQL of its own (with fsync); receivers on
loopback, in the same process, so that they cost both sides the same.
"""

import asyncio
import os
import statistics
import tempfile
import time
import uuid
from contextlib import closing
from pathlib import Path

import httpx
from sqlalchemy import text

from app.database import Database
from app.domain.api_key import Scope
from app.domain.delivery import Queue
from app.domain.instant import SECOND
from app.domain.message import Message
from app.main import clock, migrate
from app.operations.hold import pause, resume
from app.operations.ledger import Ledger
from app.operations.manage_keys import create_key
from app.sealing.keys import MasterKey
from app.store.deliveries import claim
from tests.clocks import ClockProcess
from tests.conftest import Bench, Clock
from tests.operations.delivering import delivering, opened, subscribed, told
from tests.postgres import Postgres
from tests.servers import settings_of
from tests.webhooks.receivers import answering, receiving, writing

SUBSCRIPTIONS, EACH_SECONDS, TOLD = 10, 0.05, 300
SENT, IN_FLIGHT = 2_000, 64
QUEUED, CHUNK, CLAIMS = 100_000, 5_000, 50
MEBIBYTE = 1024
FINE = answering("204 No Content")


class Present(Clock):
    """The real clock, where a bench wants one."""

    def __call__(self) -> int:
        return clock()


async def measure(url: str) -> None:
    """Everything on one database."""
    database = Database(url)
    async with database.write() as tx:
        await tx.run_sync(migrate)
    ledger = Ledger(
        database=database,
        master_key=MasterKey(os.urandom(32)),
        now=clock,
        new_id=uuid.uuid4,
        entropy=os.urandom,
        allow_loopback=True,
    )
    key, token = await create_key(ledger, "acme", name="bench", scopes=[Scope.ADMIN], source="crm")
    bench = Bench(ledger=ledger, url=url, clock=Present(), book="acme", key_id=key.key_id, token=token.text)
    await opened(bench, "ada")
    print(url.partition(":")[0])
    await latency(bench)
    await throughput(bench)
    await queued(bench)
    await database.close()


async def latency(bench: Bench) -> None:
    """Each message goes to one of ten subscriptions; one of them never answers."""
    arrived: dict[str, int] = {}

    async def arrive(request: object, writer: asyncio.StreamWriter) -> None:
        arrived[request.headers["webhook-id"]] = clock()  # type: ignore[attr-defined]
        await FINE(request, writer)  # type: ignore[arg-type]

    waits: list[float] = []
    async with receiving(arrive) as fine, receiving(writing(b"", every=60)) as dead, delivering(bench.ledger):
        for number in range(SUBSCRIPTIONS):
            await subscribed(bench, dead.url if number == 0 else fine.url, segments=(f"s{number}",))
        committed: dict[str, int] = {}
        for number in range(TOLD):
            (message,) = await told(bench, "ada", segment=f"s{number % SUBSCRIPTIONS}")
            committed[f"msg_{message.message_id.hex}"] = clock()
            await asyncio.sleep(EACH_SECONDS)
        await asyncio.sleep(1)
    waits = sorted((arrived[each] - committed[each]) / 1_000 for each in arrived)
    p50, p99 = statistics.median(waits), waits[int(len(waits) * 0.99)]
    print(f"  commit to first byte, one of ten dead: {len(waits)} arrived, p50 {p50:.1f} ms, p99 {p99:.1f} ms")


async def throughput(bench: Bench) -> None:
    """The same bodies: posted by a bare loop of httpx, and delivered."""
    async with receiving(FINE) as receiver:
        to = await subscribed(bench, receiver.url, segments=("many",), max_in_flight=IN_FLIGHT)
        await pause(bench.ledger, bench.book, to.subscription_id)
        messages: list[Message] = await told(bench, *["ada"] * SENT, segment="many")
        bare = SENT / await posted_bare(receiver.url, messages)
        receiver.requests.clear()
        async with delivering(bench.ledger):
            await resume(bench.ledger, bench.book, to.subscription_id)
            begun = time.perf_counter()
            while len(receiver.requests) < SENT:  # noqa: ASYNC110 - 5 ms are nothing here
                await asyncio.sleep(0.005)
            ours = SENT / (time.perf_counter() - begun)
    print(f"  {SENT:,} bodies, {IN_FLIGHT} at once: {ours:.0f}/s beside {bare:.0f}/s of bare httpx: {ours / bare:.2f}")


async def posted_bare(url: str, messages: list[Message]) -> float:
    """How many seconds httpx takes."""
    waiting = iter(messages)

    async def post(client: httpx.AsyncClient) -> None:
        for message in waiting:
            await client.post(url, content=message.body, headers={"content-type": "application/json"})

    limits = httpx.Limits(max_connections=IN_FLIGHT, max_keepalive_connections=IN_FLIGHT)
    async with httpx.AsyncClient(limits=limits) as client:
        begun = time.perf_counter()
        await asyncio.gather(*[post(client) for _ in range(IN_FLIGHT)])
        return time.perf_counter() - begun


async def queued(bench: Bench) -> None:
    """What a claim takes, and how large a worker grows."""
    async with receiving(FINE) as receiver:
        to = await subscribed(bench, receiver.url, segments=("queue",))
        for _ in range(0, QUEUED, CHUNK):
            await told(bench, *["ada"] * CHUNK, segment="queue")
        queue, lease = Queue(bench.book, to.subscription_id), bench.ledger.new_id()
        took: list[float] = []
        for _ in range(CLAIMS):
            async with bench.ledger.database.write() as tx:
                await tx.execute(text("SELECT 1"))
                begun = time.perf_counter()
                now = clock()
                await claim(tx, queue, now, until=now + 60 * SECOND, lease=lease, limit=8, ordered=False)
                took.append((time.perf_counter() - begun) * 1_000)
        settings = settings_of(database_url=bench.url, master_key=bench.ledger.master_key.secret)
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "log"
            worker = await ClockProcess({**settings, "GOODWILL_WEBHOOKS_ALLOW_LOOPBACK": "true"}, log).start()
            await asyncio.sleep(10)
            assert worker._process is not None  # noqa: SLF001 - its size is what is measured
            size = peak_mebibytes(worker._process.pid)  # noqa: SLF001
            await worker.stop()
    print(f"  {QUEUED:,} queued: a claim takes {statistics.median(took):.1f} ms, at worst {max(took):.1f} ms;", end=" ")
    print(f"a worker peaks at {size:.0f} MiB ({len(receiver.requests):,} delivered in 10 s)")


def peak_mebibytes(pid: int) -> float:
    """The most that a process ever held."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / MEBIBYTE


def main() -> None:
    """Both databases."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(f"sqlite:///{folder}/bench.sqlite3"))
    with closing(Postgres(settings={"fsync": "on", "full_page_writes": "on"})) as server:
        server.create_database("bench")
        asyncio.run(measure(server.url("bench")))


if __name__ == "__main__":
    main()
