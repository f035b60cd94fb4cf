"""Receivers that fail in every way until they are told to turn, and are fine from then on."""

import asyncio
import struct
from contextlib import suppress
from socket import SO_LINGER, SOL_SOCKET

from tests.webhooks.receivers import OK, Behaviour, Request, answering

FINE = answering("204 No Content")
GIGABYTE, CHUNK = 10**9, b"x" * 10**6
TRICKLED = 60  # bytes, and seconds


def until_turned(bad: Behaviour, turned: asyncio.Event) -> Behaviour:
    """Behaves so until it turns, and then is fine."""

    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        await (FINE if turned.is_set() else bad)(request, writer)

    return behave


def silent(turned: asyncio.Event) -> Behaviour:
    """Says nothing until it turns."""

    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        await turned.wait()
        await FINE(request, writer)

    return behave


def trickling(turned: asyncio.Event) -> Behaviour:
    """Says that all is well, and then a byte a second; the rest at once when it turns."""

    async def behave(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(OK + b"content-length: %d\r\n\r\n" % TRICKLED)
        for sent in range(TRICKLED):
            if turned.is_set():
                writer.write(b"x" * (TRICKLED - sent))
                return
            writer.write(b"x")
            await writer.drain()
            with suppress(TimeoutError):
                await asyncio.wait_for(turned.wait(), 1)

    return behave


async def resetting(_request: Request, writer: asyncio.StreamWriter) -> None:
    """Tears the connection down."""
    writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def endless(_request: Request, writer: asyncio.StreamWriter) -> None:
    """Answers 200 with a gigabyte, as far as anybody reads it."""
    writer.write(OK + b"content-length: %d\r\n\r\n" % GIGABYTE)
    for _ in range(GIGABYTE // len(CHUNK)):
        writer.write(CHUNK)
        await writer.drain()


def faults(turned: asyncio.Event, elsewhere: str) -> dict[str, Behaviour]:
    """What receivers can do; `elsewhere` is where one would send us on to."""
    bad: dict[str, Behaviour] = {
        "500": answering("500 Oops", body=b"we are down"),
        "429, retry-after": answering("429 Too Many Requests", "retry-after: 2"),
        "times out": silent(turned),
        "resets": resetting,
        "410": answering("410 Gone"),
        "1 byte a second": trickling(turned),
        "redirects": answering("302 Found", f"location: {elsewhere}"),
    }
    return {
        "fine": FINE,
        "1 GB": endless,
        **{name: until_turned(behave, turned) for name, behave in bad.items()},
    }
