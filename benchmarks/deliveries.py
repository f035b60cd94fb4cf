"""Deliveries: from commit to first byte, and throughput beside a bare httpx loop.

`python -m benchmarks.deliveries [sqlite|postgresql]`; receivers on loopback, in the same process, so that they cost
both sides the same.
"""

import asyncio
import statistics
import time

import httpx

from app.domain.message import Message
from app.main import clock
from app.operations.hold import pause, resume
from benchmarks.on_both import on_both
from tests.conftest import Bench
from tests.operations.delivering import delivering, opened, subscribed, told
from tests.webhooks.receivers import answering, receiving, writing

SUBSCRIPTIONS, EACH_SECONDS, TOLD = 10, 0.05, 300
SENT, IN_FLIGHT = 2_000, 64
BARE_AT_ONCE, RATIO_LEAST = (1, 16, 64), 0.6
FINE = answering("204 No Content")


async def measure(bench: Bench) -> None:
    """Both, one after the other."""
    await opened(bench, "ada")
    await latency(bench)
    await throughput(bench)


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
        bare = {at_once: SENT / await posted_bare(receiver.url, messages, at_once) for at_once in BARE_AT_ONCE}
        receiver.requests.clear()
        async with delivering(bench.ledger):
            await resume(bench.ledger, bench.book, to.subscription_id)
            begun = time.perf_counter()
            while len(receiver.requests) < SENT:  # noqa: ASYNC110 - 5 ms are nothing here
                await asyncio.sleep(0.005)
            ours = SENT / (time.perf_counter() - begun)
    print(f"  {SENT:,} bodies, {IN_FLIGHT} at once: {ours:.0f}/s")
    for at_once, pace in bare.items():
        print(f"    beside bare httpx, {at_once} at once: {pace:.0f}/s: {ours / pace:.2f}")
    assert ours / max(bare.values()) >= RATIO_LEAST


async def posted_bare(url: str, messages: list[Message], at_once: int) -> float:
    """How many seconds httpx takes."""
    waiting = iter(messages)

    async def post(client: httpx.AsyncClient) -> None:
        for message in waiting:
            await client.post(url, content=message.body, headers={"content-type": "application/json"})

    async with httpx.AsyncClient(trust_env=False) as client:
        begun = time.perf_counter()
        await asyncio.gather(*[post(client) for _ in range(at_once)])
        return time.perf_counter() - begun


if __name__ == "__main__":
    on_both(measure)
