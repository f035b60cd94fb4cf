"""Times as files write them: with an offset, or local to a time zone that the mapping names."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

UNIX_SECONDS = "unix_seconds"
UNIX_MILLISECONDS = "unix_milliseconds"

_ISO = re.compile(
    r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?(?:[Zz]|[+-]\d\d(?::?\d\d)?))?)?", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class UnreadableTime(ValueError):
    """What was given is no time; the message says what would be accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTime:
    """A moment in UTC. `is_shifted`: the clocks of its time zone never showed the local time that was given."""

    moment: datetime
    is_shifted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeReader:
    """How a file writes times. `format` None is ISO 8601, else `unix_seconds`, `unix_milliseconds` or strptime's."""

    zone: ZoneInfo | None = None
    format: str | None = None

    def read(self, given: object) -> ReadTime:
        """The moment that `given` names. Raises UnreadableTime.

        A local time that occurs twice is the first of the two; one that never occurs is as much later as the
        clocks were put forward.
        """
        try:
            return self._settled(given if isinstance(given, datetime) else self._parsed(given))
        except (OverflowError, ValueError) as error:
            if isinstance(error, UnreadableTime):
                raise
            raise UnreadableTime("this is no time of the calendar.") from None

    def _parsed(self, given: object) -> datetime:
        if self.format in (UNIX_SECONDS, UNIX_MILLISECONDS):
            return _EPOCH + _since_epoch(given, self.format)
        if not isinstance(given, str):
            raise UnreadableTime("text is accepted here; for numbers name a time_format in the mapping.")
        if self.format is not None:
            return _by_format(given.strip(), self.format)
        bare = given.strip()
        if not _ISO.fullmatch(bare):
            raise UnreadableTime("accepted here: 2026-05-03 09:30:00, with T, a fraction or an offset, or a date.")
        return datetime.fromisoformat(bare.replace(" +", "+").replace(" -", "-").replace(" Z", "Z"))

    def _settled(self, given: datetime) -> ReadTime:
        if given.tzinfo is not None:
            return ReadTime(moment=given.astimezone(UTC))
        if self.zone is None:
            raise UnreadableTime("this time has no offset: name a time_zone in the mapping.")
        # fold=0: the first of two; in a gap, the offset of before it, which is what shifts the time forward.
        moment = given.replace(tzinfo=self.zone, fold=0).astimezone(UTC)
        return ReadTime(moment=moment, is_shifted=moment.astimezone(self.zone).replace(tzinfo=None) != given)


def _since_epoch(given: object, unit: str) -> timedelta:
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        raise UnreadableTime(f"a number of {unit} is accepted here.")
    try:
        number = float(given)
    except ValueError:
        raise UnreadableTime(f"a number of {unit} is accepted here.") from None
    return timedelta(seconds=number) if unit == UNIX_SECONDS else timedelta(milliseconds=number)


def _by_format(given: str, pattern: str) -> datetime:
    try:
        return datetime.strptime(given, pattern)  # noqa: DTZ007 - what lacks an offset is local, and settled next
    except ValueError:
        raise UnreadableTime(f"the mapping's time_format is accepted here: {pattern}.") from None
