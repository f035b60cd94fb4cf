"""Post one message to one URL, and say what became of it. Nothing that the other side does raises."""

import asyncio
import os
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from types import TracebackType
from typing import Self

import certifi
import httpcore

from app import __version__
from app.domain.instant import SECOND, Instant
from app.webhooks.attempt import Attempt, error_of, excerpt_of, retry_after_of
from app.webhooks.dial import Connection, EnoughRead, IdleConnections, Line
from app.webhooks.guard import NameNotResolved, Resolve, Target, UrlRefused, checked_url, vetted
from app.webhooks.words import words_of

CONNECT_SECONDS = 5.0  # for the name; then for reaching one of its addresses and shaking hands
TOTAL_SECONDS = 15.0  # for all of it, to the last byte of the answer
IN_FLIGHT_MAX = 256  # files are limited too, often to 1,024

_HEADERS = (
    (b"content-type", b"application/json"),
    (b"user-agent", f"Goodwill/{__version__}".encode()),
    (b"accept", b"*/*"),
    (b"accept-encoding", b"identity"),  # what is read is bounded as it comes, so nothing is unpacked
)


Headers = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class _Answer:
    """What has come so far."""

    status: int | None = None
    headers: Headers = field(default_factory=Headers)
    body: bytearray = field(default_factory=bytearray)


class Sender:
    """Sends, and keeps connections for a moment. An asynchronous context manager; one for each process.

    By httpcore, the engine of httpx, since all that httpx adds must not happen here: no redirect is followed, no cookie
    kept, no proxy of the environment used, nothing unpacked, and no URL (some hold a secret) is logged.
    """

    def __init__(
        self,
        *,
        resolve: Resolve,
        allow_loopback: bool,
        ssl_context: ssl.SSLContext | None = None,
        network: httpcore.AsyncNetworkBackend | None = None,
        connect_seconds: float = CONNECT_SECONDS,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        self._resolve = resolve
        self._allow_loopback = allow_loopback
        self._ssl_context = ssl_context
        self._network = network or _internet()
        self._connect_seconds = connect_seconds
        self._total_seconds = total_seconds
        self._idle = IdleConnections()
        self._in_flight = asyncio.Semaphore(IN_FLIGHT_MAX)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._idle.close()

    async def send(self, url: str, headers: Mapping[str, str], body: bytes, *, now: Instant) -> Attempt:
        """Check the URL, vet every address of its name, dial one of these, post the body with the headers (those of
        `sign.headers`; ours come besides), read the answer. Cancelling it hangs up."""
        answer = _Answer()
        async with self._in_flight:
            begun = asyncio.get_running_loop().time()
            error = await self._error_of_sending(url, headers, body, answer)
            duration = asyncio.get_running_loop().time() - begun
        return Attempt(
            status=answer.status,
            duration=int(duration * SECOND),
            error=error,
            excerpt=excerpt_of(bytes(answer.body)),
            retry_after=None if answer.status is None else retry_after_of(answer.status, answer.headers, now=now),
        )

    async def _error_of_sending(self, url: str, headers: Mapping[str, str], body: bytes, answer: _Answer) -> str | None:
        try:
            async with asyncio.timeout(self._total_seconds):
                target = checked_url(url, allow_loopback=self._allow_loopback)
                line = Line(target.scheme, target.host, target.port, await self._addresses_of(target))
                await self._post(target, line, _fields(target, headers, body), body, answer)
        except NameNotResolved as refused:
            return refused.reason
        except UrlRefused as refused:
            return f"refused: {refused.reason}"
        except TimeoutError:
            complete = "complete " if answer.status else ""
            return f"no {complete}answer within {self._total_seconds:g} s"
        except httpcore.ConnectTimeout:
            return f"did not connect within {self._connect_seconds:g} s"
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError, EnoughRead) as error:
            return words_of(error)
        assert answer.status is not None
        return error_of(answer.status)

    async def _addresses_of(self, target: Target) -> tuple[str, ...]:
        try:
            async with asyncio.timeout(self._connect_seconds):
                return await vetted(target, self._resolve)
        except TimeoutError:
            raise NameNotResolved(f"the name does not resolve within {self._connect_seconds:g} s") from None

    async def _post(self, target: Target, line: Line, headers: Headers, body: bytes, answer: _Answer) -> None:
        connection = await self._connection(line)
        try:
            response = await connection.post(target.path, headers, body)
            answer.status, answer.headers = response.status, response.headers
            with suppress(EnoughRead):  # of a body the beginning is enough
                async for chunk in response.aiter_stream():
                    answer.body += chunk
            await response.aclose()
        finally:
            await self._idle.give_back(connection)

    async def _connection(self, line: Line) -> Connection:
        waiting = await self._idle.take(line)
        if waiting is not None:
            return waiting
        context = self._ssl_context or _authorities(os.environ.get("SSL_CERT_FILE"))
        return Connection(line, network=self._network, ssl_context=context, connect_seconds=self._connect_seconds)


def _fields(target: Target, headers: Mapping[str, str], body: bytes) -> Headers:
    """All header fields, in ASCII."""
    own = [(b"host", target.authority.encode()), *_HEADERS, (b"content-length", str(len(body)).encode())]
    return own + [(name.encode(), value.encode()) for name, value in headers.items()]


@cache
def _authorities(file: str | None) -> ssl.SSLContext:
    """Those of certifi, or of the file that the environment names. Read once, and not before anything is to be sent."""
    return ssl.create_default_context(cafile=file or certifi.where())


def _internet() -> httpcore.AsyncNetworkBackend:
    backend = httpcore.AnyIOBackend()
    assert isinstance(backend, httpcore.AsyncNetworkBackend)  # what its type says less plainly
    return backend
