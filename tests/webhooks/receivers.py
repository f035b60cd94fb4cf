"""Real receivers on loopback that behave as a test says, and the network that leads to them."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import httpcore
import httpx

from app.main import clock
from app.webhooks.attempt import Attempt
from app.webhooks.send import Sender
from app.webhooks.sign import headers

SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
MESSAGE_ID = "msg_0123456789abcdef"
BODY = '{"type":"debit.deep","data":{"customer":"ada@example.com","note":"déçu ☃"}}'.encode()
OK = b"HTTP/1.1 200 OK\r\n"
PUBLIC, PUBLIC6 = "93.184.216.34", "2606:2800:220:1::1"


@dataclass(frozen=True)
class Request:
    line: str
    headers: dict[str, str]
    body: bytes


Behaviour = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Receiver:
    """What came in: connections, their names by SNI, requests; and the other side's hanging up."""

    port: int = 0
    connections: int = 0
    names: list[str | None] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?x=1"


@asynccontextmanager
async def receiving(
    behave: Behaviour, context: ssl.SSLContext | None = None, *, greeting: bytes = b""
) -> AsyncGenerator[Receiver]:
    """A receiver that does this with each request that it has read whole."""
    receiver = Receiver()
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        receiver.connections += 1
        writers.append(writer)
        writer.write(greeting)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                request = await _read(reader)
                receiver.requests.append(request)
                receiver.asked.set()
                await behave(request, writer)
                await writer.drain()
        receiver.left.set()

    if context is not None:
        context.sni_callback = lambda _socket, name, _context: receiver.names.append(name)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0.01)  # lets the handlers end


async def _read(reader: asyncio.StreamReader) -> Request:
    line, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (text.partition(":") for text in lines)}
    return Request(line, fields, await reader.readexactly(int(fields["content-length"])))


def answering(status: str, *lines: str, body: bytes = b"") -> Behaviour:
    head = "\r\n".join([f"HTTP/1.1 {status}", f"content-length: {len(body)}", *lines, "", ""]).encode()

    async def behave(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(head + body)

    return behave


def writing(*chunks: bytes, every: float = 0.0, hang_up: bool = False) -> Behaviour:
    """Writes these as they are."""

    async def behave(_request: Request, writer: asyncio.StreamWriter) -> None:
        for chunk in chunks:
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(every)
        if hang_up:
            writer.close()

    return behave


def holding(answer: Behaviour, released: asyncio.Event) -> Behaviour:
    """Answers once it is released."""

    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        await released.wait()
        await answer(request, writer)

    return behave


class Internet(httpcore.AsyncNetworkBackend):
    """A network on which public addresses lead to receivers on loopback; it notes what was dialled."""

    def __init__(self, *receivers: tuple[str, Receiver]) -> None:
        self.ports = {address: receiver.port for address, receiver in receivers}
        self.dialled: list[tuple[str, int]] = []
        self._loopback = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.dialled.append((host, port))
        if host not in self.ports:
            raise httpcore.ConnectError("no route")
        return await self._loopback.connect_tcp("127.0.0.1", self.ports[host], timeout, local_address, socket_options)


class Names:
    """A resolver that knows these names; the last answer of each stays."""

    def __init__(self, names: Mapping[str, Sequence[Sequence[str]]] | None = None) -> None:
        self.names = {name: list(answers) for name, answers in (names or {}).items()}

    async def __call__(self, name: str) -> Sequence[str]:
        answers = self.names.get(name, [[]])
        return answers.pop(0) if len(answers) > 1 else answers[0]


AUTHORITIES = httpx.create_ssl_context()  # the default, read once: that takes longer than most tests


def on_loopback(*, connect_seconds: float = 2.0, total_seconds: float = 5.0) -> Sender:
    return Sender(
        resolve=Names(),
        allow_loopback=True,
        ssl_context=AUTHORITIES,
        connect_seconds=connect_seconds,
        total_seconds=total_seconds,
    )


async def sent(sender: Sender, url: str, body: bytes = BODY) -> Attempt:
    now = clock()
    return await sender.send(url, headers([SECRET], MESSAGE_ID, now // 1_000_000, body), body, now=now)


async def sent_to(behave: Behaviour, **seconds: float) -> Attempt:
    """What becomes of a message to such a receiver."""
    async with receiving(behave) as receiver, on_loopback(**seconds) as sender:
        return await sent(sender, receiver.url)
