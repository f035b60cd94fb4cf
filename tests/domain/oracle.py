"""Where an account stands when, proven without solving anything: interval after interval by Taylor's theorem.

Its own sums and its own table: it shares nothing with what it judges but the values that both are given.
"""

from collections.abc import Iterator
from math import log

from app.domain.account import Account
from app.domain.instant import DAY
from app.domain.policy import Policy
from app.domain.standing import Depth, Direction, Place, Standing

NOISE = 1e-9
"""Points; nearer than this to where a comparison turns nothing counts as proven."""

Fading = tuple[float, float]
"""(points, rate per microsecond)"""


def proven(account: Account, policy: Policy, low: int, high: int) -> Iterator[tuple[int, int, Place]]:
    """Intervals (microseconds from `masses.at`) in which the place is proven to be one and the same."""
    comparisons = compared(account, policy)
    last = account.last.direction if account.last else None
    stack: list[tuple[int, int, list[bool | None]]] = [(low, high, [None] * len(comparisons))]
    while stack:
        begins, ends, known = stack.pop()
        found = [
            (sign, False) if sign is not None else above(fadings, value, begins, ends)
            for sign, (fadings, value) in zip(known, comparisons, strict=True)
        ]
        signs = [sign for sign, _ in found]
        if None not in signs:
            yield begins, ends, table([bool(sign) for sign in signs], last)
        elif any(helps for sign, helps in found if sign is None) and ends - begins > 1:
            middle = (begins + ends) // 2
            stack += [(middle, ends, signs), (begins, middle, signs)]


def compared(account: Account, policy: Policy) -> list[tuple[list[Fading], float]]:
    """Every comparison of DESIGN section 3 as fading terms and the value at which its outcome turns."""
    lives, limits, masses = policy.half_lives, policy.thresholds, account.masses
    rates = [0.0 if h is None else log(2) / (h * DAY) for h in (lives.lasting, lives.passing, lives.deep)]
    rates.append(0.0 if lives.observed is None else log(2) / (lives.observed * DAY))
    plus = list(zip(masses.credits, rates, strict=True))
    minus = [(-points, rate) for points, rate in zip(masses.debits, rates, strict=True)]
    fresh = [(masses.fresh, 0.0 if lives.fresh is None else log(2) / (lives.fresh * DAY))]
    felt = plus + minus
    return [
        (plus + [(-points, rate) for points, rate in minus], limits.evidence - 5e-7),
        (felt, -5e-7),
        (felt, limits.deep + 5e-7),
        (felt, limits.marked + 5e-7),
        (list(zip(masses.big, rates, strict=True)), limits.glow - 5e-7),
        (felt, limits.glow - 5e-7),
        (plus + [(limits.clean_ratio * points, rate) for points, rate in minus], -5e-7),
        (fresh, limits.fresh - 5e-7),
        (fresh + [(-limits.rising_ratio * points, rate) for points, rate in plus], -5e-7),
    ]


def above(fadings: list[Fading], value: float, low: int, high: int) -> tuple[bool | None, bool]:
    """Whether the sum lies above the value all through [low, high]; None unless proven. And whether halving helps."""
    middle, half = (low + high) / 2, (high - low) / 2
    height, slope, bend = -value, 0.0, 0.0
    for points, rate in fadings:
        left = points * 2.0 ** (-rate * middle / log(2))
        height += left
        slope -= rate * left
        bend += rate * rate * abs(points) * 2.0 ** (-rate * low / log(2))
    moves = abs(slope) * half + bend * half * half / 2
    return (height > 0 if abs(height) > moves + NOISE else None), moves > NOISE


def table(signs: list[bool], last: Direction | None) -> Place:
    """The place where each comparison of `compared` lies above (or not) where it turns."""
    evidence, even, above_deep, above_marked, big, glows, clean, fresh, rising = signs
    if not evidence:
        return Place(standing=Standing.NO_EVIDENCE)
    if not even:
        depth = Depth.SLIGHT if above_marked else Depth.MARKED
        return Place(standing=Standing.OVERDRAWN, depth=depth if above_deep else Depth.DEEP)
    if big and glows:
        return Place(standing=Standing.DELIGHTED)
    if last is Direction.CREDIT and clean and fresh and rising:
        return Place(standing=Standing.ABOUT_TO_BE_DELIGHTED)
    return Place(standing=Standing.STEADY)
