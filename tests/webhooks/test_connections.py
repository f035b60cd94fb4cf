"""Connections are kept for the next message, few and not for long; nothing else is kept."""

import asyncio
import threading

import pytest

from app.webhooks import dial, resolve
from app.webhooks.resolve import SystemResolver
from tests.webhooks.receivers import OK, Behaviour, Receiver, answering, on_loopback, receiving, sent, writing


async def connections_of(behave: Behaviour, count: int = 3) -> Receiver:
    """How a receiver is met that gets so many messages, one after the other; all succeed."""
    async with receiving(behave) as receiver, on_loopback() as sender:
        for _ in range(count):
            assert (await sent(sender, receiver.url)).error is None
            await asyncio.sleep(0.01)
    return receiver


async def test_a_connection_is_used_again() -> None:
    assert (await connections_of(answering("200 OK"))).connections == 1


@pytest.mark.parametrize(
    "behave",
    [
        answering("200 OK", "connection: close"),
        writing(OK + b"content-length: 0\r\n\r\n", hang_up=True),
        writing(OK + b"\r\nuntil I hang up", hang_up=True),
        answering("200 OK", body=b"x" * 20_000),
        writing(b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n"),
    ],
    ids=["says so", "just closes", "ends by closing", "says too much", "is old"],
)
async def test_a_connection_is_not_used_again_if_the_other_side(behave: Behaviour) -> None:
    receiver = await connections_of(behave)

    assert (receiver.connections, len(receiver.requests)) == (3, 3)


async def test_a_connection_is_kept_for_a_moment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dial, "IDLE_SECONDS", 0.001)

    assert (await connections_of(answering("200 OK"))).connections == 3


async def test_messages_at_the_same_time_have_connections_of_their_own() -> None:
    async with receiving(writing(OK + b"content-length: 0\r\n\r\n", every=0.05)) as receiver, on_loopback() as sender:
        attempts = await asyncio.gather(*[sent(sender, receiver.url) for _ in range(5)])

    assert [attempt.error for attempt in attempts] == [None] * 5
    assert receiver.connections == 5


async def test_messages_at_the_same_time_may_all_find_that_what_waits_is_too_old(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dial, "IDLE_SECONDS", 0.1)
    async with receiving(writing(OK + b"content-length: 0\r\n\r\n", every=0.05)) as receiver, on_loopback() as sender:
        await asyncio.gather(*[sent(sender, receiver.url) for _ in range(5)])
        await asyncio.sleep(0.2)
        attempts = await asyncio.gather(*[sent(sender, receiver.url) for _ in range(5)])

    assert [attempt.error for attempt in attempts] == [None] * 5
    assert receiver.connections == 10


async def test_only_so_many_connections_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dial, "IDLE_MAX", 2)
    async with receiving(writing(OK + b"content-length: 0\r\n\r\n", every=0.05)) as receiver, on_loopback() as sender:
        await asyncio.gather(*[sent(sender, receiver.url) for _ in range(5)])

        assert len(sender._idle._waiting) == 2


async def test_no_cookie_is_kept() -> None:
    receiver = await connections_of(answering("200 OK", "set-cookie: a=b"))

    assert [request.headers.get("cookie") for request in receiver.requests] == [None] * 3


async def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving(answering("502 Bad Gateway")) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        await connections_of(answering("200 OK"))

    assert proxy.connections == 0


async def test_who_asks_for_a_name_that_is_being_asked_for_shares_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, answer = [], threading.Event()

    def slow(name: str) -> list[str]:
        asked.append(name)
        answer.wait(4)
        return ["93.184.216.34"]

    monkeypatch.setattr(resolve, "_addresses_of", slow)
    resolver = SystemResolver()
    waiting = [asyncio.ensure_future(resolver(name)) for name in ("a.example.com", "a.example.com", "b.example.com")]
    await asyncio.sleep(0.01)
    waiting[0].cancel()
    answer.set()

    assert [await future for future in waiting[1:]] == [["93.184.216.34"]] * 2
    assert sorted(asked) == ["a.example.com", "b.example.com"]
    await resolver("a.example.com")
    assert len(asked) == 3


async def test_a_name_that_nobody_has_is_an_error_of_the_system() -> None:
    with pytest.raises(OSError, match=r"not known|failure|No address"):
        await SystemResolver()("nobody.invalid")
