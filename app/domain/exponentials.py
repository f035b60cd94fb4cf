"""Where sums of fading exponentials change direction and sign, by the derivative chain; never by stepping.

A sum is `d(x) = Σ coefficient · e^(-rate · x)` on `x >= 0` with rates >= 0; a constant is the term of rate 0.
Divided by its slowest term and differentiated it loses that term and keeps its kind, so n terms have at most
n - 1 real roots, and the roots of the derivative part the axis into pieces with at most one root each.
"""

from collections.abc import Callable, Iterable
from itertools import pairwise
from math import exp, inf, log, log1p

Term = tuple[float, float]
"""(rate per unit of x, coefficient)"""
Terms = tuple[Term, ...]
"""By rising rate, each rate once, no coefficient 0."""

ITERATIONS_MAX = 100
"""Newton needs 3 to 8, near a double root some 30; more gains nothing in double precision."""
CLOSE = 1e-9
"""Newton's last step, in units of x. The error left is of the order of its square: in days, far below a microsecond."""
SHORTER = 1 - 1e-12
"""Taken off a lower bound, relative: far more than float rounding can have added to it."""


def summed(terms: Iterable[Term]) -> Terms:
    """The same sum in the shape that this module wants: equal rates merged, zeros dropped, slowest first."""
    coefficients: dict[float, float] = {}
    for rate, coefficient in terms:
        assert rate >= 0
        coefficients[rate] = coefficients.get(rate, 0.0) + coefficient
    return tuple(sorted([each for each in coefficients.items() if each[1] != 0.0]))


def roots_max(terms: Terms) -> int:
    """An upper bound on the roots at x > 0, multiplicities counted: the sign changes of the partial sums.

    Laguerre's sharpening of Descartes' rule (Jameson, Mathematical Gazette 90 (2006), 223-234): with A(u) the sum
    of the coefficients of rates <= u, d(x) = x ∫ A(u) e^(-ux) du, and this transform never adds sign changes.
    """
    changes, before, total = 0, 0.0, 0.0
    for _, coefficient in terms:
        total += coefficient
        if total * before < 0.0:
            changes += 1
        if total != 0.0:
            before = total
    return changes


def monotone_pieces(terms: Terms, until: float) -> list[tuple[float, float]]:
    """Pieces that cover [0, until], with one sign change each at most; none at all where there can be no root."""
    bound = roots_max(terms)
    if bound == 0:
        return []
    return list(pairwise([0.0, *(turning_points(terms, until) if bound > 1 else ()), until]))


def turning_points(terms: Terms, until: float) -> list[float]:
    """Where in (0, until) the sum changes from rising to falling or back, in order; between them it is monotone."""
    return sign_changes(tuple((rate, -rate * coefficient) for rate, coefficient in terms if rate > 0.0), until)


def sign_changes(terms: Terms, until: float) -> list[float]:
    """Where in (0, until) the sum changes its sign, in order. A root that only touches 0 is no sign change."""
    if roots_max(terms) == 0:
        return []
    slowest = terms[0][0]
    divided = tuple([(rate - slowest, coefficient) for rate, coefficient in terms])
    if len(divided) == 2:
        root = log(-divided[1][1] / divided[0][1]) / divided[1][0]
        return [root] if 0.0 < root < until else []
    return [
        root_between(divided, low, high)
        for low, high in monotone_pieces(divided, until)
        if (value_at(divided, low) > 0.0) != (value_at(divided, high) > 0.0)
    ]


def value_at(terms: Terms, x: float) -> float:
    """The sum at x."""
    return sum([coefficient * exp(-rate * x) for rate, coefficient in terms])


def root_between(terms: Terms, low: float, high: float) -> float:
    """The one sign change in [low, high], `CLOSE` to it or closer; an end of the interval if float noise hides it.

    Newton, kept inside the shrinking bracket, on ln(P / N), with P and N what the positive and the negative terms
    add up to: nearly straight where d itself bends like an exponential, so that far roots cost no more than near ones.
    """
    root = _newton(terms, low, high, is_sure=True)
    assert root is not None
    return root


def root_before(terms: Terms, low: float, high: float) -> float | None:
    """To the last bit what `root_between` gives for any interval from `low` to `high` or beyond.

    None where it may differ with the interval: where Newton's way does not stay inside this one.
    """
    return _newton(terms, low, high, is_sure=False)


def _newton(terms: Terms, low: float, high: float, *, is_sure: bool) -> float | None:
    x = low
    begins_positive: bool | None = None
    for _ in range(ITERATIONS_MAX):
        height, slope = _log_ratio(terms, x)
        if begins_positive is None:
            begins_positive = height > 0.0
        if (height > 0.0) is begins_positive:
            low = x
        else:
            high, is_sure = x, True
        step = height / slope if slope else inf
        if not is_sure and not low < x - step < high:
            return None
        if abs(step) <= CLOSE:
            return min(max(x - step, low), high)
        x = x - step if low < x - step < high else (low + high) / 2
    return x


def _log_ratio(terms: Terms, x: float) -> tuple[float, float]:
    """ln(P / N) and its slope at x; a slope of 0 where either has faded below what a float can hold."""
    plus = minus = plus_slope = minus_slope = 0.0
    for rate, coefficient in terms:
        part = coefficient * exp(-rate * x)
        if part > 0.0:
            plus += part
            plus_slope -= rate * part
        else:
            minus -= part
            minus_slope += rate * part
    if plus == 0.0 or minus == 0.0:
        return plus - minus, 0.0
    return log(plus) - log(minus), plus_slope / plus - minus_slope / minus


def soonest(gap: float, terms: Iterable[Term], *, slack: float) -> float:
    """No x below this moves the sum down by a `gap` above 0, or up by one below 0, less `slack`; inf: no x at all.

    Only the terms that move it that way count. With P the sum of their sizes and R their mean rate, weighted by size,
    they have moved it by P (1 - e^(-R x)) at most (Jensen), which is P R x at first and never P.
    """
    return soonest_of(gap, paces(terms), slack=slack)


Paces = tuple[float, float, float, float]
"""The sizes of the terms that move a sum down, summed, and their drift, summed; the same of those that move it up."""


def paces(terms: Iterable[Term]) -> Paces:
    """How fast a sum moves at most, whichever level is asked for: what `soonest_of` wants to know of it."""
    down = falling = up = rising = 0.0
    for rate, coefficient in terms:
        if rate > 0.0:
            if coefficient > 0.0:
                down += coefficient
                falling += coefficient * rate
            else:
                up -= coefficient
                rising -= coefficient * rate
    return down, falling, up, rising


def soonest_of(gap: float, paced: Paces, *, slack: float) -> float:
    """`soonest` of a sum with these paces."""
    need = abs(gap) - slack
    if need <= 0.0:
        return 0.0
    size, drift = paced[:2] if gap > 0.0 else paced[2:]
    return inf if need >= size else -log1p(-need / size) * size / drift * SHORTER


def first_whole(holds: Callable[[int], bool], low: int, high: int, guess: int) -> int:
    """A whole t in (low, high] with `holds(t)` as at `high` and `holds(t - 1)` as at `low`; these two differ.

    The first such t wherever `holds` changes once; a guess next to it costs two or three questions.
    """
    before = holds(low)
    middle = min(max(guess, low + 1), high)
    reach = 1
    while high - low > 1:
        if holds(middle) is before:
            low, middle = middle, middle + reach
        else:
            high, middle = middle, middle - reach
        reach *= 4
        if not low < middle < high:
            middle = (low + high) // 2
    return high
