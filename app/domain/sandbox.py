"""How far a sandbox's clock may be moved."""

from app.domain.duration import parse_duration
from app.domain.instant import DAY, YEAR
from app.domain.promise_request import span_of

ADVANCE_DAYS_MAX = 3660  # at once
AHEAD_MAX = 100 * YEAR  # in all: far from the year 9999, beyond which nothing can be foretold


def parse_advance(text: str) -> int | None:
    """An ISO 8601 duration such as `P90D` in microseconds; None unless it is above 0 and at most ADVANCE_DAYS_MAX."""
    parsed = parse_duration(text)
    span = 0 if parsed is None else span_of(parsed)
    return span if 0 < span <= ADVANCE_DAYS_MAX * DAY else None
