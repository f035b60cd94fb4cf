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


NOWHERE_YET = Place(standing=Standing.NO_EVIDENCE)


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
    if rounded(felt.credits + felt.debits - thresholds.evidence) < 0:
        return Place(standing=Standing.NO_EVIDENCE)
    if rounded(felt.balance) < 0:
        return Place(standing=Standing.OVERDRAWN, depth=_depth_of(felt.balance, thresholds))
    if rounded(felt.big - thresholds.glow) >= 0 and rounded(felt.balance - thresholds.glow) >= 0:
        return Place(standing=Standing.DELIGHTED)
    if last is Direction.CREDIT and _is_rising(felt, thresholds):
        return Place(standing=Standing.ABOUT_TO_BE_DELIGHTED)
    return Place(standing=Standing.STEADY)


def _depth_of(balance: float, thresholds: Thresholds) -> Depth:
    if rounded(balance - thresholds.deep) <= 0:
        return Depth.DEEP
    return Depth.MARKED if rounded(balance - thresholds.marked) <= 0 else Depth.SLIGHT


def _is_rising(felt: Felt, thresholds: Thresholds) -> bool:
    return (
        rounded(felt.credits - thresholds.clean_ratio * felt.debits) >= 0
        and rounded(felt.fresh - thresholds.fresh) >= 0
        and rounded(felt.fresh - thresholds.rising_ratio * felt.credits) >= 0
    )
