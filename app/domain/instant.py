"""Instants are whole microseconds since 1970 in UTC: exact to compare, to hash and to store.

The wire speaks RFC 3339; the conversion happens at the edges (decision 0002).
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

Instant = int

MICROSECOND = 1
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
YEAR = 365 * DAY

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_IN_UTC = _EPOCH.replace(tzinfo=None)  # whose text has no offset to be taken off again


def instant_of(moment: datetime) -> Instant:
    """The instant of a moment with an offset. Requires `moment.tzinfo`."""
    assert moment.tzinfo is not None
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment_of(instant: Instant) -> datetime:
    """The UTC moment of an instant between the years 1 and 9999."""
    return _EPOCH + timedelta(microseconds=instant)


@lru_cache(maxsize=64)
def wire_time(instant: Instant) -> str:
    """RFC 3339 in UTC, as the wire shows it. What is written in one append is of one instant."""
    return f"{(_EPOCH_IN_UTC + timedelta(microseconds=instant)).isoformat()}Z"
