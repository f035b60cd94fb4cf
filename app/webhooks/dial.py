"""Connections to vetted addresses, kept for a moment: each belongs to one name and what was vetted for it."""

import asyncio
import ssl
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpcore

READ_BYTES_MAX = 20_000  # of an answer, its head included
IDLE_SECONDS = 3.0  # less than servers wait before they close (5 s at the least), so that we seldom meet that moment
IDLE_MAX = 100


class EnoughRead(Exception):
    """The answer is longer than is read of any."""


@dataclass(frozen=True, slots=True)
class Line:
    """Where a connection leads, and in whose name: what two messages must share to share a connection. Of the
    addresses the first that answers is used."""

    scheme: str
    host: str
    port: int
    addresses: tuple[str, ...]


class Connection:
    """One connection, dialled at its first request; for one request at a time."""

    def __init__(
        self,
        line: Line,
        *,
        network: httpcore.AsyncNetworkBackend,
        ssl_context: ssl.SSLContext,
        connect_seconds: float,
    ) -> None:
        self.line = line
        self._network = _Network(network, line.addresses, connect_seconds)
        self._connection = httpcore.AsyncHTTPConnection(
            origin=httpcore.Origin(line.scheme.encode(), line.host.encode(), line.port),
            ssl_context=ssl_context,
            keepalive_expiry=IDLE_SECONDS,
            network_backend=self._network,
        )

    @property
    def is_reusable(self) -> bool:
        """Whether the last answer was read to its end and the other side keeps the line open."""
        return self._connection.is_idle() and not self._connection.has_expired()

    async def post(self, path: str, headers: list[tuple[bytes, bytes]], body: bytes) -> httpcore.Response:
        """The head of the answer. Reading on raises EnoughRead at the limit. The caller closes the response."""
        self._network.left = READ_BYTES_MAX
        line = self.line
        url = httpcore.URL(scheme=line.scheme, host=line.host, port=line.port, target=path)
        return await self._connection.handle_async_request(httpcore.Request("POST", url, headers=headers, content=body))

    async def close(self) -> None:
        """Hang up, however far the connection has come."""
        await self._connection.aclose()
        if self._network.opened is not None:  # httpcore forgets one whose handshake is cancelled
            await self._network.opened.aclose()


class IdleConnections:
    """Connections that wait for the next message on their line; a limited number, the oldest is closed first."""

    def __init__(self) -> None:
        self._waiting: dict[Connection, None] = {}

    async def take(self, line: Line) -> Connection | None:
        """One that can be used at once."""
        while True:  # who closes one lets others in meanwhile: look again
            connection = next((waiting for waiting in reversed(self._waiting) if waiting.line == line), None)
            if connection is None:
                return None
            del self._waiting[connection]
            if connection.is_reusable:
                return connection
            await connection.close()

    async def give_back(self, connection: Connection) -> None:
        """Keep it if it can be used again; the one that has waited longest may have to go for it."""
        if not connection.is_reusable:
            await connection.close()
            return
        self._waiting[connection] = None
        longest = next(iter(self._waiting))
        if len(self._waiting) > IDLE_MAX or not longest.is_reusable:
            del self._waiting[longest]
            await longest.close()

    async def close(self) -> None:
        """Close them all."""
        while self._waiting:
            connection, _ = self._waiting.popitem()
            await connection.close()


class _Network(httpcore.AsyncNetworkBackend):
    """The network for one connection. It dials the vetted addresses whatever host it is told, within one time limit for
    reaching the other side and shaking hands, and reads so many bytes of what comes (`left`), whatever it may be."""

    def __init__(
        self, network: httpcore.AsyncNetworkBackend, addresses: tuple[str, ...], connect_seconds: float
    ) -> None:
        self.left = READ_BYTES_MAX
        self.connect_by = 0.0
        self.opened: httpcore.AsyncNetworkStream | None = None
        self._network = network
        self._addresses = addresses
        self._connect_seconds = connect_seconds

    async def connect_tcp(
        self,
        host: str,  # noqa: ARG002 - the name, which would be resolved once more
        port: int,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.connect_by = asyncio.get_running_loop().time() + self._connect_seconds
        share = self._connect_seconds / len(self._addresses)
        *others, last = [
            partial(self._network.connect_tcp, address, port, share, local_address, socket_options)
            for address in self._addresses
        ]
        for dial in others:
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return self._metered(await dial())
        return self._metered(await last())

    def _metered(self, opened: httpcore.AsyncNetworkStream) -> "_Stream":
        self.opened = opened
        return _Stream(opened, self)


class _Stream(httpcore.AsyncNetworkStream):
    def __init__(self, stream: httpcore.AsyncNetworkStream, network: _Network) -> None:
        self._stream = stream
        self._network = network

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's
        if self._network.left == 0:
            raise EnoughRead
        read = await self._stream.read(min(max_bytes, self._network.left), timeout)
        self._network.left -= len(read)
        return read

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - httpcore's signature
    ) -> httpcore.AsyncNetworkStream:
        seconds_left = max(0.0, self._network.connect_by - asyncio.get_running_loop().time())
        return _Stream(await self._stream.start_tls(ssl_context, server_hostname, seconds_left), self._network)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore's
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
