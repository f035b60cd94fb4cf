"""What became of one try, as a value."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from app.domain.instant import SECOND, Instant, instant_of

EXCERPT_CHARACTERS_MAX = 1_000
_UTF8_BYTES_MAX = 4

_SECONDS = re.compile(r"\d{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try. `error` says in words why it failed and is None exactly if the receiver took the message: it gave a
    complete answer with 2xx in time. `status` may be known of a try that failed. `duration` in microseconds;
    `retry_after` in seconds, from a 429 or 503. `excerpt`: the beginning of the answer's body, safe to store and show.
    """

    status: int | None
    duration: Instant
    error: str | None
    excerpt: str | None = None
    retry_after: int | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the receiver took the message."""
        return self.error is None


def error_of(status: int) -> str | None:
    """What is wrong with a complete answer; None with 2xx."""
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return f"answered {status}: redirects are not followed"
    known = {code.value: f" {code.phrase}" for code in HTTPStatus}
    return f"answered {status}{known.get(status, '')}"


def excerpt_of(body: bytes) -> str | None:
    """At most 1,000 characters on one line; what is no UTF-8 or cannot be seen is replaced. None of an empty body."""
    text = body[: EXCERPT_CHARACTERS_MAX * _UTF8_BYTES_MAX].decode(errors="replace")[:EXCERPT_CHARACTERS_MAX]
    shown = (character if character.isprintable() else _replaced(character) for character in text)
    return "".join(shown) or None


def retry_after_of(status: int, headers: Sequence[tuple[bytes, bytes]], *, now: Instant) -> int | None:
    """The seconds that a 429 or 503 asks to wait, given as such or as a date; None if it asks for none."""
    if status not in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        return None
    asked = next((value.decode("latin-1").strip() for name, value in headers if name.lower() == b"retry-after"), "")
    return int(asked) if _SECONDS.fullmatch(asked) else _seconds_until(asked, now)


def _seconds_until(date: str, now: Instant) -> int | None:
    try:
        moment = parsedate_to_datetime(date)
        until = instant_of(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, TypeError, OverflowError):  # not a date, or one that no calendar has
        return None
    return max(0, -((now - until) // SECOND))


def _replaced(character: str) -> str:
    return " " if character in "\t\r\n" else "\N{REPLACEMENT CHARACTER}"
