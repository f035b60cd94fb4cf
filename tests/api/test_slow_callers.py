"""Callers that are too slow or say too much, over raw sockets to a real server whose patience is short."""

import asyncio
import gc
import json
from collections.abc import AsyncGenerator

import pytest

from app.api import protocol
from app.api.protocol import HEAD_BYTES_MAX, Patience
from tests.api.raw_calls import SHORT, TEST_SECONDS, Served, code_of, serving, slowly
from tests.api.sentences import happening
from tests.conftest import Bench
from tests.operations.delivering import until

# What is below the application knows no database.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

IDLE_MAX = 200


@pytest.fixture
async def served(bench: Bench) -> AsyncGenerator[Served]:
    async with serving(bench) as server:
        yield server


async def test_a_head_that_does_not_end_is_timed_out_however_it_drips(served: Served) -> None:
    head = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
    answers = await asyncio.gather(
        served.answer_to(slowly(head)),
        served.answer_to(slowly(b"G")),
        served.answer_to(slowly(head, then_for_ever=b"X-Drip: 1\r\n")),
    )

    assert [code_of(answer) for answer in answers] == [(408, "request_timeout")] * 3


async def test_a_body_that_does_not_end_is_timed_out_and_nothing_of_it_posted(bench: Bench, served: Served) -> None:
    body = json.dumps(happening("slow")).encode()
    head = served.post(len(body))
    answers = await asyncio.gather(
        served.answer_to(slowly(head, body[:-1])),
        served.answer_to(slowly(head, *[bytes([byte]) for byte in body[:-1]])),
    )

    assert [code_of(answer) for answer in answers] == [(408, "request_timeout")] * 2
    async with bench.client() as api:
        assert (await api.get("/v1/customers/ada")).status_code == 404


async def test_a_request_that_takes_longer_than_its_head_may_is_served(bench: Bench) -> None:
    body = json.dumps(happening("steady")).encode()
    pieces = [body[:10], body[10:20], body[20:30], body[30:40], body[40:50], body[50:]]
    async with serving(bench, Patience(head=SHORT.head)) as served:
        answer = await served.answer_to(
            slowly(served.post(len(body)).replace(b"Host", b"Connection: close\r\nHost"), *pieces)
        )

    assert answer.startswith(b"HTTP/1.1 201 ")


async def test_a_server_that_stops_waits_for_the_rest_of_a_request_for_a_short_time(bench: Bench) -> None:
    async with serving(bench, Patience(head=SHORT.head, request=600.0)) as served:
        answering = asyncio.create_task(served.answer_to(slowly(served.post(2) + b"{")))
        await until(lambda: served.tasks == 1)
        served.server.should_exit = True
        answer = await answering

    assert code_of(answer) == (408, "request_timeout")


async def test_whoever_says_nothing_is_left_and_keeps_nobody_waiting(served: Served) -> None:
    idle = [await served.connected() for _ in range(IDLE_MAX)]
    reader, writer = await served.connected()
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert (await asyncio.wait_for(reader.read(), TEST_SECONDS)).startswith(b"HTTP/1.1 200 ")
    assert await asyncio.wait_for(asyncio.gather(*[each.read() for each, _ in idle]), TEST_SECONDS) == [b""] * IDLE_MAX
    assert served.connections == 0
    for _, each in [*idle, (reader, writer)]:
        each.close()


async def test_whoever_says_nothing_of_a_request_is_left_too(served: Served) -> None:
    """An empty line, first or after an answer; the rest of a body whose request was refused before."""
    ask = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    unknown = b"POST /v1/interactions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n"
    answers = await asyncio.gather(
        served.answer_to(slowly(b"\r\n")),
        served.answer_to(slowly(ask, b"\r\n")),
        served.answer_to(slowly(unknown + b"{", b"}")),
    )

    assert [answer[9:12] for answer in answers] == [b"", b"200", b"401"]
    assert served.connections == 0


async def test_a_head_has_its_time_from_its_first_byte(bench: Bench) -> None:
    async with serving(bench, Patience(head=1.0)) as served:
        reader, writer = await served.connected()
        for piece in (b"GET /healthz HTTP/1.1\r\n", b"Host: x\r\nConnection: close\r\n\r\n"):
            await asyncio.sleep(0.6)
            writer.write(piece)

        assert (await asyncio.wait_for(reader.read(), TEST_SECONDS)).startswith(b"HTTP/1.1 200 ")
        writer.close()


async def test_a_connection_too_many_is_told_so_and_there_is_room_when_another_ends(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "CONNECTIONS_MAX", 2)
    ask = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    idle = [await served.connected() for _ in range(2)]
    refused = await served.answer_to(slowly(ask))
    await asyncio.wait_for(idle[0][0].read(), TEST_SECONDS)
    await until(lambda: not served.connections)

    assert code_of(refused) == (429, "too_many_requests")
    assert b"\r\nretry-after: 1\r\n" in refused.lower()
    assert (await served.answer_to(slowly(ask))).startswith(b"HTTP/1.1 200 ")
    for _, writer in idle:
        writer.close()


async def test_nothing_is_kept_of_a_connection_that_is_gone(bench: Bench, served: Served) -> None:
    """After its answer, or before: then another request may wait behind it."""
    ask = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
    body = json.dumps(happening("gone")).encode()
    answered = await served.reset(ask, once=lambda: served.server.server_state.total_requests == 1)
    async with bench.ledger.database.write(bench.book):  # it waits for its turn
        waiting = await served.reset(served.post(len(body)) + body + ask, once=lambda: served.tasks == 1)
    await until(lambda: not served.tasks)
    gc.collect()

    assert [answered(), waiting()] == [None, None]


async def test_a_head_is_refused_beyond_its_limit_and_read_up_to_it(served: Served) -> None:
    def sized(size: int) -> bytes:
        return b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: " + b"x" * size + b"\r\n\r\n"

    in_one = await served.answer_to(slowly(sized(HEAD_BYTES_MAX)))
    endless = await served.answer_to(slowly(b"GET / HTTP/1.1\r\nX: ", then_for_ever=b"x" * 20_000))
    many = await served.answer_to(slowly(b"GET / HTTP/1.1\r\n", then_for_ever=b"X: x\r\n" * 5_000))
    address = await served.answer_to(slowly(b"GET /" + b"a" * HEAD_BYTES_MAX + b" HTTP/1.1\r\n\r\n"))
    within = await served.answer_to(slowly(sized(HEAD_BYTES_MAX - 100)))

    assert [code_of(each) for each in (in_one, endless, many, address)] == [(431, "head_too_large")] * 4
    assert within.startswith(b"HTTP/1.1 200 ")


async def test_a_large_body_is_no_large_head(served: Served) -> None:
    """The second request begins in the very packet with which the first one's body ends."""
    padding = b" " * 50_000
    body = json.dumps(happening("large")).encode() + padding
    second = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = await served.answer_to(slowly(served.post(len(body)) + body + second[:20], second[20:]))

    assert answer.startswith(b"HTTP/1.1 201 ")
    assert b"HTTP/1.1 200 " in answer


async def test_whoever_does_not_read_is_cut_off(served: Served) -> None:
    reader, writer = await served.connected()
    writer.write(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
    await asyncio.sleep(0.1)
    held = served.connections
    await until(lambda: not served.connections)
    writer.close()

    assert held == 1
    assert not reader.at_eof()
