"""Durations: ISO 8601 text of whole weeks, days, hours, minutes and seconds."""

import re
from datetime import timedelta

from app.domain.document_place import Place

_DURATION = re.compile(
    r"P(?=[0-9T])(?:([0-9]{1,9})W)?(?:([0-9]{1,9})D)?"
    r"(?:T(?=[0-9])(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9})S)?)?"
)


def parse_duration(text: str) -> timedelta | None:
    """An ISO 8601 duration of whole weeks, days, hours, minutes and seconds, such as `P1DT12H`; None when it is none.

    Months and years are left out: how long they are depends on when they begin.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        return None
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    try:
        return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        return None


def duration_text(duration: timedelta) -> str:
    """The ISO 8601 duration of whole seconds in days and less, such as `P1DT12H`; `PT0S` for none."""
    minutes, seconds = divmod(duration.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days = f"{duration.days}D" if duration.days else ""
    rest = "".join(f"{number}{unit}" for number, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if number)
    return f"P{days}T{rest}" if rest else f"P{days or 'T0S'}"


def read_duration(place: Place, value: object, *, days_max: int) -> timedelta:
    """A duration of a document, of at most so many days; a fault is noted at its place."""
    found = parse_duration(value) if isinstance(value, str) else None
    if found is None or found > timedelta(days=days_max):
        place.refuse("invalid_duration", f'an ISO 8601 duration such as "P3D" or "PT4H", at most {days_max} days.')
        return timedelta()
    return found
