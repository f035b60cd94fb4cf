"""Callers over raw sockets, and a server in this process whose patience is short."""

import asyncio
import json
import socket
import struct
import uuid
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager

import uvicorn

from app.api.protocol import Patience, protocol_with_problems
from app.main import Opened, create_app
from app.settings import Settings
from tests.conftest import Bench
from tests.operations.delivering import until

SHORT = Patience(head=0.4, request=1.2, reading=0.6)
TEST_SECONDS = 60  # for what should come at once


class Served:
    """A server in this process; `connections` are those that it holds."""

    def __init__(self, server: uvicorn.Server, port: int, token: str) -> None:
        self.server = server
        self.port = port
        self.token = token

    @property
    def connections(self) -> int:
        return len(self.server.server_state.connections)

    @property
    def tasks(self) -> int:
        return len(self.server.server_state.tasks)

    async def reset(self, sent: bytes, *, once: Callable[[], bool]) -> weakref.ref[object]:
        """Send it on a new connection and reset that; what the server still has of it."""
        _, writer = await self.connected()
        writer.write(sent)
        await until(once)
        (connection,) = self.server.server_state.connections
        linger = struct.pack("ii", 1, 0)
        writer.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()
        await until(lambda: not self.connections)
        return weakref.ref(connection)

    def post(self, content_length: int) -> bytes:
        """The head of a posting."""
        return (
            "POST /v1/interactions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {self.token}\r\nContent-Length: {content_length}\r\n\r\n"
        ).encode()

    async def connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def answer_to(self, pieces: AsyncIterator[bytes]) -> bytes:
        """All that is answered until the server ends the connection, while the pieces are being sent."""
        reader, writer = await self.connected()

        async def send() -> None:
            async for piece in pieces:
                writer.write(piece)
                await writer.drain()

        sending = asyncio.ensure_future(send())
        try:
            return await asyncio.wait_for(reader.read(), TEST_SECONDS)
        finally:
            sending.cancel()
            await asyncio.wait([sending])
            writer.close()


@asynccontextmanager
async def serving(bench: Bench, patience: Patience = SHORT) -> AsyncGenerator[Served]:
    app = create_app(Opened(Settings(database_url=bench.url), ledger=bench.ledger))
    http = protocol_with_problems(lambda: uuid.uuid4().hex, patience)  # noqa: TID251 - a root of its own
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, http=http, log_config=None, lifespan="off"))
    running = asyncio.ensure_future(server.serve(sockets=[listening]))
    await until(lambda: server.started)
    yield Served(server, listening.getsockname()[1], bench.token)
    server.should_exit = True
    await running


async def slowly(*pieces: bytes, then_for_ever: bytes = b"") -> AsyncIterator[bytes]:
    """The pieces, a tenth of a second apart; then, if asked, another one again and again."""
    for piece in pieces:
        yield piece
        await asyncio.sleep(0.1)
    while then_for_ever:
        yield then_for_ever
        await asyncio.sleep(0.1)


def code_of(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    problem = json.loads(body)
    assert b"content-type: application/problem+json" in head.lower()
    assert f"HTTP/1.1 {problem['status']} ".encode() in head
    return problem["status"], problem["code"]
