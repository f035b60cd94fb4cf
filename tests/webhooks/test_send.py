"""One message to one receiver: whatever it does, the attempt says so in words, and in time."""

import asyncio
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook

from app import __version__
from app.domain.instant import SECOND
from tests.postgres import free_port
from tests.webhooks.receivers import (
    BODY,
    MESSAGE_ID,
    OK,
    SECRET,
    Behaviour,
    Request,
    answering,
    on_loopback,
    receiving,
    sent,
    sent_to,
    writing,
)


async def test_the_receiver_gets_the_very_bytes_and_can_verify_them() -> None:
    async with receiving(answering("204 No Content")) as receiver, on_loopback() as sender:
        attempt = await sent(sender, receiver.url)

    [request] = receiver.requests
    assert (attempt.status, attempt.error, attempt.succeeded) == (204, None, True)
    assert 0 < attempt.duration < SECOND
    assert (request.line, request.body) == ("POST /hook?x=1 HTTP/1.1", BODY)
    assert Webhook(SECRET).verify(request.body, request.headers)["type"] == "debit.deep"
    assert request.headers["webhook-id"] == MESSAGE_ID
    assert {name: value for name, value in request.headers.items() if not name.startswith("webhook-")} == {
        "host": f"127.0.0.1:{receiver.port}",
        "content-type": "application/json",
        "content-length": str(len(BODY)),
        "user-agent": f"Goodwill/{__version__}",
        "accept": "*/*",
        "accept-encoding": "identity",
    }


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_2xx_is_success(status: int) -> None:
    attempt = await sent_to(answering(f"{status} Fine"))

    assert (attempt.status, attempt.succeeded) == (status, True)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, "answered 400 Bad Request"),
        (410, "answered 410 Gone"),
        (499, "answered 499"),
        (500, "answered 500 Internal Server Error"),
        (304, "answered 304: redirects are not followed"),
        (999, "answered 999"),
    ],
)
async def test_any_other_answer_is_a_failure_with_its_status(status: int, error: str) -> None:
    attempt = await sent_to(answering(f"{status} X"))

    assert (attempt.status, attempt.error, attempt.succeeded) == (status, error, False)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_never_followed(status: int) -> None:
    async with receiving(answering("200 OK")) as inside:
        attempt = await sent_to(answering(f"{status} Moved", f"location: {inside.url}"))

    assert (attempt.status, attempt.error) == (status, f"answered {status}: redirects are not followed")
    assert inside.connections == 0


@pytest.mark.parametrize(("status", "seconds"), [(429, 7), (503, 7), (500, None), (200, None)])
async def test_only_429_and_503_may_ask_to_wait(status: int, seconds: int | None) -> None:
    assert (await sent_to(answering(f"{status} X", "Retry-After: 7"))).retry_after == seconds


async def test_the_excerpt_of_a_big_answer_is_short_and_the_answer_counts() -> None:
    attempt = await sent_to(answering("500 X", body=b"<h1>Oh\x00 no</h1>\n" + b"a" * 19_000))

    assert attempt.error == "answered 500 Internal Server Error"
    assert attempt.excerpt is not None
    assert attempt.excerpt.startswith("<h1>Oh\ufffd no</h1> aaa")
    assert len(attempt.excerpt) == 1_000


@pytest.mark.parametrize(
    "head", [b"content-length: 1000000000\r\n\r\n", b"transfer-encoding: chunked\r\n\r\n", b"\r\n"]
)
@pytest.mark.parametrize("status", [200, 500])
async def test_of_a_gigabyte_only_the_beginning_is_read(head: bytes, status: int) -> None:
    count = 0

    async def pour(_request: Request, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        writer.write(b"HTTP/1.1 %d X\r\n" % status + head)
        while count < 16_000:
            count += 1
            writer.write(b"10000\r\n" + b"x" * 65_536 + b"\r\n" if b"chunked" in head else b"x" * 65_536)
            await writer.drain()

    attempt = await sent_to(pour)

    assert (attempt.status, attempt.succeeded) == (status, status == 200)
    assert count < 1_000


@pytest.mark.parametrize(
    ("behave", "status"),
    [
        (writing(*[bytes([byte]) for byte in OK + b"\r\n" * 9], every=0.1), None),
        (writing(OK + b"content-length: 99\r\n\r\n", *[b"x"] * 99, every=0.1), 200),
        (writing(every=9), None),
        (writing(OK, every=9), None),
    ],
    ids=["a slow head", "a slow body", "silence", "half a head"],
)
async def test_the_total_holds_however_slowly_it_drips(behave: Behaviour, status: int | None) -> None:
    begun = time.monotonic()
    attempt = await sent_to(behave, total_seconds=0.4)

    assert 0.35 < time.monotonic() - begun < 4
    assert attempt.status == status
    assert attempt.error == f"no {'complete ' if status else ''}answer within 0.4 s"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", "closed the connection before its answer was complete"),
        (OK, "closed the connection before its answer was complete"),
        (OK + b"content-length: 9\r\n\r\nabc", "closed the connection before its answer was complete"),
        (
            OK + b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
            "closed the connection before its answer was complete",
        ),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "the answer is not HTTP/1.1"),
        (b"\x16\x03\x01\0\0", "the answer is not HTTP/1.1"),
        (b"HTTP/2 200\r\n\r\n", "the answer is not HTTP/1.1"),
        (OK + b"content-length: no\r\n\r\n", "the answer is not HTTP/1.1"),
        (OK + b"content-length: 3\r\ncontent-length: 4\r\n\r\nabcd", "the answer is not HTTP/1.1"),
        (OK + b"transfer-encoding: chunked\r\n\r\nzz\r\n", "the answer is not HTTP/1.1"),
        (OK + b"x: " + b"y" * 30_000 + b"\r\n\r\n", "the head of the answer is longer than 20,000 bytes"),
        (OK + b"x: y\r\n" * 9_000 + b"\r\n", "the head of the answer is longer than 20,000 bytes"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 9_000, "the head of the answer is longer than 20,000 bytes"),
    ],
)
async def test_a_broken_answer_is_told_in_words(answer: bytes, error: str) -> None:
    attempt = await sent_to(writing(answer, hang_up=True))

    assert attempt.error == error


async def test_a_reset_is_told_in_words() -> None:
    async def reset(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    assert (await sent_to(reset)).error == "closed the connection before its answer was complete"


async def test_nobody_there_is_told_in_words() -> None:
    async with on_loopback() as sender:
        attempt = await sent(sender, f"http://127.0.0.1:{free_port()}/")

    assert (attempt.status, attempt.error) == (None, "did not connect: connection refused")


async def test_an_upgrade_is_no_success() -> None:
    attempt = await sent_to(writing(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\nhello", hang_up=True))

    assert attempt.error == "the answer is not HTTP/1.1"


@settings(max_examples=40)
@given(
    st.binary(max_size=200)
    | st.binary(max_size=100).map(OK.__add__)
    | st.binary(max_size=100).map((OK + b"transfer-encoding: chunked\r\n\r\n").__add__)
)
def test_no_answer_whatever_raises(answer: bytes) -> None:
    attempt = asyncio.run(sent_to(writing(answer, hang_up=True)))

    assert attempt.succeeded is (attempt.error is None)
    assert not attempt.succeeded or attempt.status in range(200, 300)


async def test_cancelling_passes_through_and_hangs_up() -> None:
    async with receiving(writing(OK)) as receiver, on_loopback() as sender:
        sending = asyncio.create_task(sent(sender, receiver.url))
        await receiver.asked.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await asyncio.wait_for(receiver.left.wait(), 4)


@pytest.mark.parametrize("url", ["http://10.0.0.1/", "http://example.com/", "https://10.0.0.1/", "nonsense"])
async def test_what_the_guard_refuses_is_an_attempt_too(url: str) -> None:
    async with on_loopback() as sender:
        attempt = await sent(sender, url)

    assert attempt.status is None
    assert attempt.error is not None
    assert attempt.error.startswith("refused: ")
