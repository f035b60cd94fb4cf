"""The sender beside a bare httpx loop: the same bodies to the same receiver, in a process of its own on loopback.

`python -m benchmarks.sender` prints messages a second, by one after the other and by sixteen at a time. The sender also
signs, checks the URL, bounds the answer and keeps an excerpt. At least 0.6 of the bare loop is asked for.
"""

import asyncio
import json
import multiprocessing
import os
import socket
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import cast

import httpx
import uvloop

from app.main import clock
from app.webhooks.send import Sender
from app.webhooks.sign import headers, new_secret

MESSAGES, ROUNDS = 1_000, 3
AT_ONCE = (1, 16)
RATIO_LEAST = 0.6
SECRET = new_secret(os.urandom)
BODIES = [
    json.dumps({"type": "debit.deep", "data": {"customer": f"customer-{number}", "note": "x" * 1_500}}).encode()
    for number in range(MESSAGES)
]
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok"

Post = Callable[[bytes], Awaitable[None]]


class Receiver(asyncio.Protocol):
    """Answers 200 to each request, at next to no cost."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.read = cast("asyncio.Transport", transport), b""

    def data_received(self, data: bytes) -> None:
        self.read += data
        head, end, body = self.read.partition(b"\r\n\r\n")
        if end and len(body) == int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]):
            self.read = b""
            self.transport.write(ANSWER)


def receive(listener: socket.socket) -> None:
    """Runs the receiver until it is ended."""

    async def serving() -> None:
        server = await asyncio.get_running_loop().create_server(Receiver, sock=listener)
        await server.serve_forever()

    uvloop.run(serving())


async def bare(url: str, at_once: int) -> float:
    """Messages a second by httpx alone."""
    async with httpx.AsyncClient(trust_env=False) as client:

        async def post(body: bytes) -> None:
            answer = await client.post(url, content=body, headers={"content-type": "application/json"})
            assert answer.status_code == httpx.codes.OK

        return await pace(post, at_once)


async def ours(url: str, at_once: int) -> float:
    """Messages a second by the sender, each signed."""
    async with Sender(resolve=nowhere, allow_loopback=True) as sender:

        async def post(body: bytes) -> None:
            now = clock()
            attempt = await sender.send(url, headers([SECRET], "msg_1", now // 1_000_000, body), body, now=now)
            assert attempt.succeeded, attempt

        return await pace(post, at_once)


async def nowhere(name: str) -> Sequence[str]:
    """No name is asked for: the receiver has an address."""
    raise OSError(name)


async def pace(post: Post, at_once: int) -> float:
    """How many of the bodies are posted in a second by so many at once."""
    bodies = iter(BODIES)

    async def work() -> None:
        for body in bodies:
            await post(body)

    begun = time.perf_counter()
    await asyncio.gather(*[work() for _ in range(at_once)])
    return MESSAGES / (time.perf_counter() - begun)


async def measure(url: str) -> None:
    """Both in turn, so that what else the machine does meets both."""
    print(f"{'at once':>7}  {'bare httpx/s':>12}  {'sender/s':>8}  {'ratio':>5}")
    for at_once in AT_ONCE:
        rounds = [(await bare(url, at_once), await ours(url, at_once)) for _ in range(ROUNDS)]
        theirs, mine = (statistics.median(paces) for paces in zip(*rounds, strict=True))
        print(f"{at_once:>7}  {theirs:>12,.0f}  {mine:>8,.0f}  {mine / theirs:>5.2f}")
        assert mine / theirs >= RATIO_LEAST


def main() -> None:
    """Start the receiver and measure against it."""
    listener = socket.create_server(("127.0.0.1", 0))
    process = multiprocessing.get_context("fork").Process(target=receive, args=(listener,), daemon=True)
    process.start()
    uvloop.run(measure(f"http://127.0.0.1:{listener.getsockname()[1]}/hook"))
    process.terminate()


if __name__ == "__main__":
    main()
