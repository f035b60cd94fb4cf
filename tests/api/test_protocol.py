"""What is no HTTP request at all, over a raw socket to a real server."""

import asyncio
import json
import os
from collections.abc import AsyncGenerator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.servers import ServerProcess, settings_of

GOOD = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /v1/interactions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
MALFORMED = {
    "an unknown method": b"FOO /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    "a chunk that is none": CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
    "a length that is no number": POST + b"Content-Length: -1\r\n\r\n{}",
    "a path of other bytes": b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[ServerProcess]:
    database_url = f"sqlite:///{tmp_path / 'goodwill.sqlite3'}"
    settings = settings_of(database_url=database_url, master_key=os.urandom(32))
    process = await ServerProcess(settings, tmp_path / "log").start()
    yield process
    await process.stop()


async def test_what_is_no_request_gets_a_problem_document(server: ServerProcess) -> None:
    for name, sent in MALFORMED.items():
        head, body = answer_in(await said(server, sent))
        problem = json.loads(body)
        assert head["status"] == "HTTP/1.1 400 Bad Request", name
        assert head["content-type"] == "application/problem+json"
        assert head["content-length"] == str(len(body))
        assert head["connection"] == "close"
        assert head["cache-control"] == "no-store"
        assert (problem["code"], problem["status"]) == ("malformed_request", 400)
        assert problem["request_id"] == head["x-request-id"]
    assert "Traceback" not in server.log


async def test_a_second_request_may_be_malformed_after_the_first_is_answered(server: ServerProcess) -> None:
    reader, writer = await connected(server)
    writer.write(GOOD)
    first = await reader.readuntil(b'{"status":"ok"}')
    writer.write(MALFORMED["an unknown method"])
    second = await reader.read()
    writer.close()

    assert first.startswith(b"HTTP/1.1 200 OK")
    assert answer_in(second)[0]["status"] == "HTTP/1.1 400 Bad Request"


async def test_no_request_is_given_the_answer_to_another(server: ServerProcess) -> None:
    """What follows at once on a request that is being served: the connection ends, and nothing false is said."""
    assert await said(server, GOOD + MALFORMED["an unknown method"]) == b""

    reader, writer = await connected(server)
    writer.write(CHUNKED)
    refused = await reader.readuntil(b"}")
    writer.write(b"zz\r\n")
    assert refused.startswith(b"HTTP/1.1 401")
    assert b"400 Bad Request" not in await reader.read()
    writer.close()


async def connected(server: ServerProcess) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    address = urlsplit(server.url)
    assert address.hostname is not None
    return await asyncio.open_connection(address.hostname, address.port)


async def said(server: ServerProcess, sent: bytes) -> bytes:
    """All that the server says until it ends the connection."""
    reader, writer = await connected(server)
    writer.write(sent)
    try:
        return await asyncio.wait_for(reader.read(), 20)
    finally:
        writer.close()


def answer_in(said: bytes) -> tuple[dict[str, str], bytes]:
    head, _, body = said.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return {**headers, "status": status}, body
