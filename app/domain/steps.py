"""Steps: the running totals that a late promise costs. They stand in a tariff's kind, or come with the promise."""

import re
from datetime import timedelta
from functools import partial
from itertools import pairwise
from typing import cast

from app.domain.document_place import Place, read_field, read_integer, read_object
from app.domain.tariff import POINTS_MIN, Step

STEPS_MAX = 20
AFTER_DAYS_MAX = 3650

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


def read_steps(place: Place, value: object) -> tuple[Step, ...]:
    """Steps in order, each later and not milder than the one before; faults are noted at their places."""
    listed = cast("list[object]", value) if isinstance(value, list) else None
    if listed is None or len(listed) > STEPS_MAX:
        place.refuse("wrong_type", f"a list of at most {STEPS_MAX} steps is accepted here.")
        return ()
    known_before = len(place.faults)
    steps = tuple(_read_step(place.at(index), step) for index, step in enumerate(listed))
    if len(place.faults) == known_before:
        _check_order(place, steps)
    return steps


def _read_step(place: Place, value: object) -> Step:
    fields = read_object(place, value, required=("after", "points"))
    return Step(
        after=read_field(place, fields, "after", _read_after, timedelta()),
        points=read_field(place, fields, "points", partial(read_integer, least=POINTS_MIN, most=-1), -1),
    )


def _read_after(place: Place, value: object) -> timedelta:
    after = parse_duration(value) if isinstance(value, str) else None
    if after is None or after > timedelta(days=AFTER_DAYS_MAX):
        place.refuse(
            "invalid_duration", f'an ISO 8601 duration such as "P3D" or "PT4H", at most {AFTER_DAYS_MAX} days.'
        )
        return timedelta()
    return after


def _check_order(place: Place, steps: tuple[Step, ...]) -> None:
    for index, (earlier, later) in enumerate(pairwise(steps), start=1):
        if later.after <= earlier.after:
            place.at(index).at("after").refuse("steps_out_of_order", "each step comes later than the one before.")
        if later.points > earlier.points:
            place.at(index).at("points").refuse("steps_rising", "a running total never gets milder.")
