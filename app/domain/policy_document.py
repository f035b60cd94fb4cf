"""The policy as a JSON document, and back: everything is checked here, so that no fold meets a bad policy."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import timedelta
from functools import partial

from app.domain.document_place import Place, read_field, read_names_and_values, read_object, read_text
from app.domain.duration import duration_text, read_duration
from app.domain.errors import InvalidPolicy
from app.domain.policy import HalfLives, Policy, Thresholds

HALF_LIFE_DAYS_MIN = 0.01  # a quarter of an hour; below, nothing is left by the time anyone looks
HALF_LIFE_DAYS_MAX = 36_500.0  # a century; what should last longer never fades: null
THRESHOLD_MIN = 0.01  # comparisons round to 1e-6; the wire shows two decimals
THRESHOLD_MAX = 1_000_000.0
SEGMENTS_MAX = 1_000
SEGMENT_LENGTH_MAX = 100
SPAN_DAYS_MAX = 30  # what is older is history, and a warning that is held back longer is none

HALF_LIFE_NAMES = tuple(field.name for field in fields(HalfLives))
SPAN_NAMES = ("alert_within", "quiet_for")
NEGATIVE_NAMES = ("marked", "deep")
THRESHOLD_NAMES = tuple(field.name for field in fields(Thresholds))


def policy_document(policy: Policy) -> str:
    """The policy as JSON text; its version is kept beside it, not in it."""
    document = {
        "half_lives": asdict(policy.half_lives),
        "thresholds": asdict(policy.thresholds),
        "segments": {name: asdict(thresholds) for name, thresholds in policy.segments.items()},
        **{name: duration_text(timedelta(microseconds=getattr(policy, name))) for name in SPAN_NAMES},
    }
    return json.dumps(document, sort_keys=True)


def parse_policy(document: object, version: int) -> Policy:
    """The policy that a JSON document describes. Raises `InvalidPolicy` with every fault found, nothing else."""
    place = Place()
    members = read_object(place, document, required=("half_lives", "thresholds"), optional=("segments", *SPAN_NAMES))
    thresholds = read_field(place, members, "thresholds", _read_thresholds, Thresholds())
    policy = Policy(
        version=version,
        half_lives=read_field(place, members, "half_lives", _read_half_lives, HalfLives()),
        thresholds=thresholds,
        segments=read_field(place, members, "segments", partial(_read_segments, book=thresholds), {}),
        **{name: _read_span(place.at(name), members[name]) for name in SPAN_NAMES if name in members},
    )
    if place.faults:
        detail = f"The policy cannot be adopted, for {len(place.faults)} reason(s); the one in force stays."
        raise InvalidPolicy(detail, faults=tuple(place.faults))
    return policy


def _read_half_lives(place: Place, value: object) -> HalfLives:
    known_before = len(place.faults)
    members = read_object(place, value, required=HALF_LIFE_NAMES)
    half_lives = HalfLives(**{name: _read_half_life(place.at(name), days) for name, days in members.items()})
    lasting, passing = half_lives.lasting, half_lives.passing
    exceeds = lasting is not None and (passing is None or passing > lasting)
    if len(place.faults) == known_before and exceeds:
        detail = "`passing` may not exceed `lasting`: what is bad would else outlive what is good (null is for ever)."
        place.at("passing").refuse("passing_exceeds_lasting", detail)
    return half_lives


def _read_half_life(place: Place, value: object) -> float | None:
    if value is None:
        return None
    return _read_number(place, value, HALF_LIFE_DAYS_MIN, HALF_LIFE_DAYS_MAX, "days, or null,")


def _read_thresholds(place: Place, value: object) -> Thresholds:
    return _thresholds(place, read_object(place, value, required=THRESHOLD_NAMES), Thresholds())


def _read_segments(place: Place, value: object, *, book: Thresholds) -> Mapping[str, Thresholds]:
    members = read_names_and_values(place, value)
    if len(members) > SEGMENTS_MAX:
        place.refuse("wrong_number", f"a policy has at most {SEGMENTS_MAX} segments.")
        return {}
    for name in members:
        read_text(place.at(name), name, longest=SEGMENT_LENGTH_MAX)
    return {name: _read_segment(place.at(name), own, book=book) for name, own in members.items()}


def _read_segment(place: Place, value: object, *, book: Thresholds) -> Thresholds:
    """What a segment leaves out it has from the book."""
    return _thresholds(place, read_object(place, value, optional=THRESHOLD_NAMES), book)


def _thresholds(place: Place, members: Mapping[str, object], otherwise: Thresholds) -> Thresholds:
    known_before = len(place.faults)
    own = {name: _read_threshold(place.at(name), name, value) for name, value in members.items()}
    thresholds = Thresholds(**{**asdict(otherwise), **own})
    if len(place.faults) == known_before and not thresholds.deep < thresholds.marked:
        detail = "`deep` must lie below `marked`; what a segment leaves out is the book's."
        place.at("deep").refuse("deep_not_below_marked", detail)
    return thresholds


def _read_threshold(place: Place, name: str, value: object) -> float:
    if name in NEGATIVE_NAMES:
        return _read_number(place, value, -THRESHOLD_MAX, -THRESHOLD_MIN, "points, below 0,")
    return _read_number(place, value, THRESHOLD_MIN, THRESHOLD_MAX, "points or times")


def _read_span(place: Place, value: object) -> int:
    """Whole microseconds."""
    return read_duration(place, value, days_max=SPAN_DAYS_MAX) // timedelta(microseconds=1)


def _read_number(place: Place, value: object, least: float, most: float, what: str) -> float:
    accepted = f"a number of {what} from {least:.10g} to {most:.10g} is accepted here."
    if isinstance(value, bool) or not isinstance(value, int | float):
        place.refuse("wrong_type", accepted)
    elif not least <= value <= most:  # NaN is none either
        place.refuse("out_of_range", accepted)
    else:
        return float(value)
    return most
