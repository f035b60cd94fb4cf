"""What is kept of an answer is safe to store and to show; what it asks for is understood or left alone."""

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.instant import SECOND, instant_of
from app.webhooks.attempt import EXCERPT_CHARACTERS_MAX, excerpt_of, retry_after_of

AT = datetime(2026, 5, 28, 12, tzinfo=UTC)
NOW = instant_of(AT)


def asked(value: str, status: int = 429) -> int | None:
    return retry_after_of(status, [(b"Server", b"x"), (b"Retry-After", value.encode())], now=NOW)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 36000 ", 36_000),
        ("999999999", 999_999_999),
        ("Thu, 28 May 2026 12:02:00 GMT", 120),
        ("Thursday, 28-May-26 12:02:00 GMT", 120),
        ("Thu May 28 12:02:00 2026", 120),
        ("Thu, 28 May 2026 11:00:00 GMT", 0),
        ("Thu, 28 May 2026 14:02:00 +0200", 120),
        ("Thu, 28 May 2026 12:02:00 -0000", 120),
        *((nonsense, None) for nonsense in ("", "-1", "1.5", "soon", "1e3", "\u0661", "9" * 10, "9" * 5_000, "12:00")),
        ("Thu, 99 May 2026 12:00:00 GMT", None),
        ("Thu, 28 May 99999 12:00:00 GMT", None),
    ],
)
def test_seconds_and_dates_are_understood(value: str, seconds: int | None) -> None:
    assert asked(value) == seconds
    assert asked(value, 503) == seconds


@pytest.mark.parametrize("status", [200, 301, 410, 500, 502])
def test_nobody_else_may_ask(status: int) -> None:
    assert asked("120", status) is None


def test_without_the_header_nothing_is_asked() -> None:
    assert retry_after_of(429, [], now=NOW) is None


def test_a_fraction_of_a_second_is_waited_out() -> None:
    assert retry_after_of(429, [(b"retry-after", format_datetime(AT).encode())], now=NOW - SECOND // 2) == 1


@given(st.text(max_size=60) | st.from_regex(r"[A-Z][a-z]{2}, \d{1,3} [A-Z][a-z]{2} \d{1,6} \d{1,3}:\d\d:\d\d .{0,9}"))
def test_whatever_is_asked_gives_a_delay_or_nothing(value: str) -> None:
    found = asked(value)

    assert found is None or found >= 0


@pytest.mark.parametrize(
    ("body", "excerpt"),
    [
        (b"", None),
        (b"ok", "ok"),
        ("déçu ☃".encode(), "déçu ☃"),
        (b"a\r\nb\tc", "a  b c"),
        (b"\x00\x1b[31m\x7f\xff\xfe", "\ufffd\ufffd[31m\ufffd\ufffd\ufffd"),
        ("\u202e\u2028\u200b".encode(), "\ufffd\ufffd\ufffd"),
        ("😡".encode() * 2_000, "😡" * 1_000),
    ],
)
def test_an_excerpt_shows_what_can_be_seen(body: bytes, excerpt: str | None) -> None:
    assert excerpt_of(body) == excerpt


@given(st.binary(max_size=6_000) | st.text(max_size=2_000).map(lambda text: text.encode()))
def test_an_excerpt_is_short_and_printable(body: bytes) -> None:
    excerpt = excerpt_of(body) or ""

    assert len(excerpt) <= EXCERPT_CHARACTERS_MAX
    assert excerpt.isprintable()
    assert (excerpt == "") is (body == b"")
