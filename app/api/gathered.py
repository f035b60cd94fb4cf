"""Writes that go out together: a head and its body by themselves are a system call each, and wake the caller twice."""

from asyncio import AbstractEventLoop, Transport
from typing import Any

HELD_BYTES_MAX = 64 * 1024  # more is written at once, so that a caller who does not read is noticed


class Gathered:
    """A transport that holds what is written until the event loop's turn is over. All else it passes on."""

    def __init__(self, transport: Transport, loop: AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: list[bytes] = []
        self._size = 0
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        """Write the bytes, soon."""
        if not self._held:
            self._loop.call_soon(self._flush)
        self._held.append(data)
        self._size += len(data)
        if self._size > HELD_BYTES_MAX:
            self._flush()

    def close(self) -> None:
        """Close, when all is written."""
        self._flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def _flush(self) -> None:
        held, self._held, self._size = self._held, [], 0
        if held and not self.is_closing():  # whoever went away meanwhile reads nothing more
            self._transport.write(b"".join(held))
