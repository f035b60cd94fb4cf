"""How far a sandbox's clock may be moved, and how that is written."""

import pytest

from app.cli.demo_passage import span_asked
from app.domain.instant import DAY, HOUR, SECOND
from app.domain.sandbox import parse_advance


@pytest.mark.parametrize(
    ("text", "span"),
    [("P90D", 90 * DAY), ("P1W", 7 * DAY), ("P1DT12H", 36 * HOUR), ("PT1S", SECOND), ("P3660D", 3660 * DAY)],
)
def test_an_iso_8601_duration_is_an_advance(text: str, span: int) -> None:
    assert parse_advance(text) == span_asked(text) == span


@pytest.mark.parametrize("text", ["", "P", "PT0S", "P0D", "-P1D", "P1M", "P1Y", "P3660DT1S", "P999999999W", "P0.5D"])
def test_what_is_none_or_too_long_is_refused(text: str) -> None:
    assert parse_advance(text) is None


def test_the_terminal_takes_short_words_too() -> None:
    assert [span_asked(text) for text in ("90d", "12h", "2w", "90D")] == [90 * DAY, 12 * HOUR, 14 * DAY, 90 * DAY]
    assert [span_asked(text) for text in ("", "0d", "d", "90", "-1d", "1.5d", "3661d", "1y", "1d2h")] == [None] * 9
