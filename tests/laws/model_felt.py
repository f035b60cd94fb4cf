"""What the model holds to be felt (DESIGN 3): each line weighed by itself, and standings found by bisection alone."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import fsum, log
from typing import Protocol

from tests.laws.model_rules import BIG, DAY, Limits, Policy

Place = tuple[str, str | None]
"""A standing and, if overdrawn, its depth."""
NOWHERE: Place = ("no_evidence", None)
HALF = 5e-7
"""Comparisons are rounded to 1e-6."""
LATER = 1000
"""Microseconds after which a comparison that turned has turned for everybody, whatever float noise says."""

Terms = list[tuple[float, float]]
"""(points, rate per microsecond): what is left after x is the sum of points * exp(-rate * x)."""


class Weighed(Protocol):
    """What a line must have to be weighed."""

    @property
    def points(self) -> int: ...
    @property
    def memory(self) -> str: ...
    @property
    def value_at(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Felt:
    """C, W, B and M of DESIGN 3, in points."""

    credits: float
    debits: float
    big: float
    fresh: float

    @property
    def balance(self) -> float:
        """The felt balance."""
        return self.credits - self.debits


def left_of(line: Weighed, days: float | None, at: int) -> float:
    """What is felt of a line's points."""
    return line.points * (1.0 if days is None else 0.5 ** ((at - line.value_at) / (days * DAY)))


def felt(lines: Iterable[Weighed], policy: Policy, at: int) -> Felt:
    """The brute-force sums over what is not reversed."""
    known = list(lines)
    good = [line for line in known if line.points > 0]
    lives = policy.lives
    return Felt(
        credits=fsum(left_of(line, lives[line.memory], at) for line in good),
        debits=-fsum(left_of(line, lives[line.memory], at) for line in known if line.points < 0),
        big=fsum(left_of(line, lives[line.memory], at) for line in good if line.points >= BIG),
        fresh=fsum(left_of(line, lives["fresh"], at) for line in good),
    )


def place_of(sums: Felt, last_points: int, limits: Limits) -> Place:
    """The table of DESIGN 3; `last_points` are those of the last effective line, 0 without one."""
    if round(sums.credits + sums.debits - limits.evidence, 6) < 0:
        return NOWHERE
    if round(sums.balance, 6) < 0:
        return "overdrawn", _depth(sums.balance, limits)
    if round(sums.big - limits.glow, 6) >= 0 and round(sums.balance - limits.glow, 6) >= 0:
        return "delighted", None
    is_clean = round(sums.credits - limits.clean_ratio * sums.debits, 6) >= 0
    is_fresh = round(sums.fresh - limits.fresh, 6) >= 0
    is_rising = round(sums.fresh - limits.rising_ratio * sums.credits, 6) >= 0
    return ("about_to_be_delighted" if last_points > 0 and is_clean and is_fresh and is_rising else "steady"), None


def _depth(balance: float, limits: Limits) -> str:
    if round(balance - limits.deep, 6) <= 0:
        return "deep"
    return "marked" if round(balance - limits.marked, 6) <= 0 else "slight"


def moves_by_time(
    lines: Sequence[Weighed], last_points: int, policy: Policy, limits: Limits, since: int, until: int
) -> list[tuple[int, Place, Place]]:
    """Every change of place by time alone in (since, until]: its instant (give or take LATER), from where to where.

    Between two instants at which some comparison turns the place is what it is in their middle.
    """
    if until <= since or not lines:
        return []
    turns = sorted(
        {
            since + x
            for terms, edge in _compared(lines, policy, limits, since)
            for x in _turns(terms, edge, until - since)
        }
    )
    begins = [since]
    begins += [at for before, at in zip([since, *turns], turns, strict=False) if at - before > LATER]
    found: list[tuple[int, Place, Place]] = []
    place: Place | None = None
    for at, end in zip(begins, [*begins[1:], until], strict=True):
        here = place_of(felt(lines, policy, (at + end) // 2), last_points, limits)
        if place is not None and here != place:
            found.append((at, place, here))
        place = here
    return found


def _compared(lines: Sequence[Weighed], policy: Policy, limits: Limits, at: int) -> list[tuple[Terms, float]]:
    """Every comparison of the table as fading terms, and the value at which its outcome turns."""
    plus = _terms([line for line in lines if line.points > 0], policy, at)
    minus = _terms([line for line in lines if line.points < 0], policy, at)
    big = _terms([line for line in lines if line.points >= BIG], policy, at)
    days = policy.lives["fresh"]
    fresh = [(left_of(line, days, at), _rate(days)) for line in lines if line.points > 0]
    momentum = [(sum(points for points, _ in fresh), _rate(days))]
    return [
        (plus + _times(-1.0, minus), limits.evidence - HALF),
        (plus + minus, -HALF),
        (plus + minus, limits.deep + HALF),
        (plus + minus, limits.marked + HALF),
        (plus + minus, limits.glow - HALF),
        (big, limits.glow - HALF),
        (plus + _times(limits.clean_ratio, minus), -HALF),
        (momentum, limits.fresh - HALF),
        (momentum + _times(-limits.rising_ratio, plus), -HALF),
    ]


def _terms(lines: Sequence[Weighed], policy: Policy, at: int) -> Terms:
    sums: dict[str, list[float]] = {}
    for line in lines:
        sums.setdefault(line.memory, []).append(left_of(line, policy.lives[line.memory], at))
    return [(fsum(parts), _rate(policy.lives[memory])) for memory, parts in sums.items()]


def _times(factor: float, terms: Terms) -> Terms:
    return [(factor * points, rate) for points, rate in terms]


def _rate(days: float | None) -> float:
    return 0.0 if days is None else log(2) / (days * DAY)


def _turns(terms: Terms, edge: float, span: int) -> list[int]:
    """When the sum passes the edge within (0, span], in microseconds, by Taylor's theorem and halving."""
    found: list[int] = []
    pieces = [(0.0, float(span))]
    while pieces:
        low, high = pieces.pop()
        height, slope, bend = _taylor(terms, edge, low, (low + high) / 2)
        half = (high - low) / 2
        if abs(height) > abs(slope) * half + bend * half * half / 2:
            continue
        if abs(slope) > bend * half or half < 0.5:
            found += _root(terms, edge, low, high)
        else:
            pieces += [((low + high) / 2, high), (low, (low + high) / 2)]
    return found


def _taylor(terms: Terms, edge: float, low: float, middle: float) -> tuple[float, float, float]:
    """Height and slope in the middle, and a bound of the bend from `low` on."""
    height, slope, bend = -edge, 0.0, 0.0
    for points, rate in terms:
        left = points * 2.0 ** (-rate * middle / log(2))
        height += left
        slope -= rate * left
        bend += rate * rate * abs(points) * 2.0 ** (-rate * low / log(2))
    return height, slope, bend


def _root(terms: Terms, edge: float, low: float, high: float) -> list[int]:
    """Where a monotone piece passes the edge, if it does."""

    def above(x: float) -> bool:
        return _taylor(terms, edge, x, x)[0] > 0

    if above(low) == above(high):
        return []
    return [round(_halved(above, low, high))]


def _halved(above: Callable[[float], bool], low: float, high: float) -> float:
    begun = above(low)
    while high - low > 0.5:
        middle = (low + high) / 2
        low, high = (middle, high) if above(middle) == begun else (low, middle)
    return high
