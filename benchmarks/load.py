"""A load generator that is light: raw protocols over uvloop, keep-alive, a closed loop on each connection.

    python -m benchmarks.load < plan.json

In a process of its own. It prints a JSON object: how many answers came within the seconds after the warm-up, their
latencies, and its own processor time for each. An answer with another status than the expected one fails the run.
"""

import asyncio
import json
import sys
from dataclasses import asdict, dataclass
from time import perf_counter, process_time
from typing import Any, cast

import uvloop

from benchmarks.bodies import Source

CREATED, OK = b"201", b"200"
GIVE_UP_SECONDS = 60.0  # after the end: an answer that never comes fails the run
_LENGTH = b"content-length: "


class Unexpected(Exception):
    """A server answered something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to send where, for how long: all `seconds` after `warmup`, or `answers` in all if that is sooner.

    `to_the_last`: what was sent in time counts with the time it took, which suits requests that take long.
    """

    ports: list[int]
    connections: int
    seconds: float
    source: Source
    warmup: float = 0.3
    answers: int = 2**62
    to_the_last: bool = False

    def as_json(self) -> str:
        """The plan, for a process of its own."""
        return json.dumps(asdict(self))


class Run:
    """What all connections share."""

    def __init__(self, plan: Plan) -> None:
        self.requests = plan.source.requests()
        self.status = CREATED if plan.source.what == "post" else OK
        self.left = plan.answers
        self.all_answers = 0
        self.latencies: list[float] = []
        self.is_counting = False
        self.is_over = False
        self.open = plan.connections
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def fail(self, why: Exception) -> None:
        self.is_over = True
        if not self.done.done():
            self.done.set_exception(why)

    def closed(self) -> None:
        self.open -= 1
        if not self.open and not self.done.done():
            self.done.set_result(None)


class Connection(asyncio.Protocol):
    """Sends the next request when the answer to the last is whole."""

    _transport: asyncio.Transport

    def __init__(self, run: Run) -> None:
        self._run = run
        self._sent_at = 0.0
        self._got: list[bytes] = []
        self._missing = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        if self._missing > 0:
            self._got.append(data)
            self._missing -= len(data)
        else:
            self._begin(b"".join([*self._got, data]))
        if self._missing == 0:
            self._answered()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._run.is_over:
            self._run.fail(Unexpected(f"the server closed the connection: {exc}"))
        self._run.closed()

    def _send(self) -> None:
        run = self._run
        if run.is_over or run.left <= 0:
            run.is_over = True
            self._transport.close()
            return
        run.left -= 1
        request = next(run.requests)
        self._sent_at = perf_counter()
        self._transport.write(request)

    def _begin(self, data: bytes) -> None:
        end = data.find(b"\r\n\r\n")
        at = data.find(_LENGTH, 0, end)
        self._got = [data]
        self._missing = -1  # the head is not whole
        if end >= 0 and at < 0:
            self._run.fail(Unexpected(f"an answer without a length: {data[:500]!r}"))
            self._transport.close()
        elif end >= 0:
            self._missing = int(data[at + len(_LENGTH) : data.index(b"\r", at)]) - (len(data) - end - 4)

    def _answered(self) -> None:
        run, first = self._run, self._got[0]
        if run.is_counting:
            run.latencies.append(perf_counter() - self._sent_at)
        run.all_answers += 1
        if first[9:12] != run.status:
            run.fail(Unexpected(b"".join(self._got)[:2_000].decode(errors="replace")))
        self._got = []
        self._send()


async def load(plan: Plan) -> dict[str, Any]:
    """Send as planned; the counts and latencies (milliseconds)."""
    loop, run = asyncio.get_running_loop(), Run(plan)
    for number in range(plan.connections):
        await loop.create_connection(lambda: Connection(run), "127.0.0.1", plan.ports[number % len(plan.ports)])
    await asyncio.wait([run.done], timeout=plan.warmup)
    run.is_counting = True
    begun, used = perf_counter(), process_time()
    await asyncio.wait([run.done], timeout=plan.seconds)
    run.is_over = True
    if plan.to_the_last:
        await asyncio.wait_for(run.done, GIVE_UP_SECONDS)
    run.is_counting = False
    seconds, used = perf_counter() - begun, process_time() - used
    await asyncio.wait_for(run.done, GIVE_UP_SECONDS)
    return {
        "answers": len(run.latencies),
        "seconds": seconds,
        "all_answers": run.all_answers,
        "own_us": used / max(1, len(run.latencies)) * 1e6,
        **percentiles(run.latencies),
    }


def percentiles(seconds: list[float]) -> dict[str, float]:
    """p50, p95, p99 and the longest, in milliseconds."""
    ordered = sorted(seconds) or [0.0]
    named = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99, "max_ms": 1.0}
    return {name: ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1_000 for name, part in named.items()}


def main() -> None:
    """Load as the plan on standard input says."""
    given = json.load(sys.stdin)
    plan = Plan(**{**given, "source": Source(**given["source"])})
    print(json.dumps(uvloop.run(load(plan))))


if __name__ == "__main__":
    main()
