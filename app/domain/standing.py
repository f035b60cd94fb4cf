"""Where an account stands: a pure function of masses, the last direction, thresholds and the instant."""

from dataclasses import dataclass
from enum import StrEnum

from app.domain.instant import Instant
from app.domain.memory import Felt, Masses, felt_at
from app.domain.policy import HalfLives, Thresholds


class Standing(StrEnum):
    """The standings of DESIGN section 3, by the order in which they are tried."""

    NO_EVIDENCE = "no_evidence"
    OVERDRAWN = "overdrawn"
    DELIGHTED = "delighted"
    ABOUT_TO_BE_DELIGHTED = "about_to_be_delighted"
    STEADY = "steady"


class Depth(StrEnum):
    """How deep an overdrawn account is."""

    SLIGHT = "slight"
    MARKED = "marked"
    DEEP = "deep"


class Direction(StrEnum):
    """The sign of an entry's points, in the field's words."""

    CREDIT = "credit"
    DEBIT = "debit"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A standing and, when overdrawn, its depth: what a crossing leads from and to."""

    standing: Standing
    depth: Depth | None = None


NO_EVIDENCE = NOWHERE_YET = Place(standing=Standing.NO_EVIDENCE)
SLIGHT, MARKED, DEEP = (Place(standing=Standing.OVERDRAWN, depth=depth) for depth in Depth)
DELIGHTED = Place(standing=Standing.DELIGHTED)
ABOUT_TO_BE_DELIGHTED = Place(standing=Standing.ABOUT_TO_BE_DELIGHTED)
STEADY = Place(standing=Standing.STEADY)

HALF_STEP = 5e-7
"""Half of the step to which differences are rounded, so that `rounded(d) < 0` is `d < -HALF_STEP`, and
`rounded(d) <= 0` is `d <= HALF_STEP`: to the last bit, and at a tenth of the price."""


def direction_of(points: int) -> Direction:
    """Credit above 0, debit below, neutral at 0."""
    if points == 0:
        return Direction.NEUTRAL
    return Direction.CREDIT if points > 0 else Direction.DEBIT


def rounded(difference: float) -> float:
    """Half-even to 1e-6, so that a reversal restores the standing exactly; -0 is 0."""
    return round(difference, 6) + 0.0


def place_at(
    masses: Masses, last: Direction | None, half_lives: HalfLives, thresholds: Thresholds, t: Instant
) -> Place:
    """The place at `t >= masses.at`; `last` is the direction of the last effective credit or debit."""
    return place_of(felt_at(masses, half_lives, t), last, thresholds)


def place_of(felt: Felt, last: Direction | None, thresholds: Thresholds) -> Place:
    """The first standing of the table in DESIGN section 3 that holds; every comparison on the rounded difference."""
    felt_credits, felt_debits, big, _ = felt
    if felt_credits + felt_debits - thresholds.evidence < -HALF_STEP:
        return NO_EVIDENCE
    balance = felt_credits - felt_debits
    if balance < -HALF_STEP:
        return _overdrawn(balance, thresholds)
    if big - thresholds.glow >= -HALF_STEP and balance - thresholds.glow >= -HALF_STEP:
        return DELIGHTED
    if last is Direction.CREDIT and _is_rising(felt, thresholds):
        return ABOUT_TO_BE_DELIGHTED
    return STEADY


def _overdrawn(balance: float, thresholds: Thresholds) -> Place:
    if balance - thresholds.deep <= HALF_STEP:
        return DEEP
    return MARKED if balance - thresholds.marked <= HALF_STEP else SLIGHT


def _is_rising(felt: Felt, thresholds: Thresholds) -> bool:
    felt_credits, felt_debits, _, fresh = felt
    return (
        felt_credits - thresholds.clean_ratio * felt_debits >= -HALF_STEP
        and fresh - thresholds.fresh >= -HALF_STEP
        and fresh - thresholds.rising_ratio * felt_credits >= -HALF_STEP
    )
