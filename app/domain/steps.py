"""Steps: the running totals that a late promise costs. They stand in a tariff's kind, or come with the promise."""

from datetime import timedelta
from functools import partial
from itertools import pairwise
from typing import cast

from app.domain.document_place import Place, read_field, read_integer, read_object
from app.domain.duration import read_duration
from app.domain.tariff import POINTS_MIN, Step

STEPS_MAX = 20
AFTER_DAYS_MAX = 3650


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
        after=read_field(place, fields, "after", partial(read_duration, days_max=AFTER_DAYS_MAX), timedelta()),
        points=read_field(place, fields, "points", partial(read_integer, least=POINTS_MIN, most=-1), -1),
    )


def _check_order(place: Place, steps: tuple[Step, ...]) -> None:
    for index, (earlier, later) in enumerate(pairwise(steps), start=1):
        if later.after <= earlier.after:
            place.at(index).at("after").refuse("steps_out_of_order", "each step comes later than the one before.")
        if later.points > earlier.points:
            place.at(index).at("points").refuse("steps_rising", "a running total never gets milder.")
