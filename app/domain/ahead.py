"""What lies ahead of an account, exactly: when its place changes by time alone, to the microsecond.

Masses are fixed between entries, so it is always computed from `masses.at` over the same horizon: who looks, when and
how often cannot change it. What cannot come first is not solved.
"""

from collections.abc import Iterator
from functools import cached_property, partial
from math import ceil
from typing import NamedTuple

from app.domain.exponentials import Term, first_whole, monotone_pieces, root_between, summed
from app.domain.instant import DAY, YEAR, Instant
from app.domain.memory import Felt, felt_at
from app.domain.outlook import SLACK, Outlook, stays
from app.domain.standing import HALF_STEP, Direction, Place, Standing, place_of

HORIZON = 1000 * YEAR
"""From `masses.at`: what has not moved by then is held never to. Instants must stay within the year 9999."""

_CREDITS, _DEBITS, _BIG, _FRESH = range(4)
"""Where the sums stand in Felt."""


class _Comparison(NamedTuple):
    """Whether `left - ratio · right - level`, rounded, is below 0, or `at_most` 0.

    `left` and `right` name sums of Felt, each of which only fades; `terms` are `left - ratio · right` per day.
    """

    left: int
    right: int
    ratio: float
    terms: tuple[Term, ...]
    level: float
    at_most: bool = False
    of_momentum: bool = False

    def may_turn(self, before: Felt, after: Felt) -> bool:
        """Whether it can turn between two instants, by what is felt at both."""
        worse, better = (before, after) if self.ratio > 0.0 else (after, before)
        lowest = after[self.left] - self.ratio * worse[self.right]
        highest = before[self.left] - self.ratio * better[self.right]
        return lowest - SLACK < self.level < highest + SLACK


class Ahead:
    """The changes of place that lie ahead, one by one."""

    def __init__(self, outlook: Outlook) -> None:
        self._outlook = outlook
        self._begun = outlook.masses.at
        self._known: dict[Instant, Felt] = {}

    def changes(self, after: Instant, until: Instant) -> Iterator[tuple[Instant, Place]]:
        """Every change of place in (after, until] if nothing happens, in order; `after >= masses.at`."""
        place = self._place(after)
        while (at := self._next_change(place, after, until)) is not None:
            place, after = self._place(at), at
            yield at, place

    def _next_change(self, place: Place, after: Instant, until: Instant) -> Instant | None:
        """The first instant in (after, until] with another place.

        The place itself decides, at each instant at which a comparison turns and just before: so float noise cannot
        stick.
        """
        if stays(place, self._outlook.last, self._felt(after), self._felt(until), self._outlook.limits):
            return None
        turn = self._first_turn(place, after, until)
        if turn is not None and self._is_elsewhere(place, turn - 1):
            return first_whole(partial(self._is_elsewhere, place), after, turn - 1, turn - 1)
        return turn

    def _first_turn(self, place: Place, after: Instant, until: Instant) -> Instant | None:
        """The first instant in (after, until] at which a comparison turns and the place is another."""
        found: Instant | None = None
        for comparison in self._deciding(place, self._felt(after)):
            if comparison.may_turn(self._felt(after), self._felt(until)):
                for turn in self._turns(comparison):
                    if after < turn <= until and self._is_elsewhere(place, turn):
                        found, until = turn, turn - 1
        return found

    def _deciding(self, place: Place, felt: Felt) -> Iterator[_Comparison]:
        """The comparisons that can lead away from a place."""
        outlook, limits = self._outlook, self._outlook.limits
        balance = partial(_Comparison, _CREDITS, _DEBITS, 1.0, outlook.mixed(-1.0))
        yield self._evidence()
        if place.standing is Standing.OVERDRAWN:
            yield from (balance(0.0), balance(limits.marked, at_most=True), balance(limits.deep, at_most=True))
            return
        if felt.big - limits.glow >= -HALF_STEP:
            yield balance(limits.glow)
        if place.standing is Standing.DELIGHTED:
            yield _Comparison(_BIG, _DEBITS, 0.0, outlook.big(), limits.glow)
            return
        if outlook.last is Direction.CREDIT and felt.fresh - limits.fresh >= -HALF_STEP:
            rising, clean = limits.rising_ratio, limits.clean_ratio
            yield self._fresh()
            yield _Comparison(_FRESH, _CREDITS, rising, outlook.fresh(-rising), 0.0, of_momentum=True)
            yield _Comparison(_CREDITS, _DEBITS, clean, outlook.mixed(-clean), 0.0, of_momentum=True)
        yield balance(0.0)

    def _evidence(self) -> _Comparison:
        return _Comparison(_CREDITS, _DEBITS, -1.0, self._outlook.mixed(1.0), self._outlook.limits.evidence)

    def _fresh(self) -> _Comparison:
        return _Comparison(_FRESH, _DEBITS, 0.0, self._outlook.fresh(0.0), self._outlook.limits.fresh)

    def _turns(self, comparison: _Comparison) -> list[Instant]:
        """When the comparison changes its outcome, as long as it counts."""
        if comparison.ratio < 0.0:
            return [self._evidence_ends]
        if comparison.left == _FRESH and not comparison.of_momentum:
            return [self._momentum_ends]
        return self._found(comparison, self._momentum_ends if comparison.of_momentum else self._evidence_ends)

    @cached_property
    def _evidence_ends(self) -> Instant:
        """When the evidence is lost, for good; at the latest the horizon."""
        horizon = self._begun + HORIZON
        return min([horizon, *self._found(self._evidence(), horizon)])

    @cached_property
    def _momentum_ends(self) -> Instant:
        """When `fresh` no longer holds, which only falls."""
        return min([self._evidence_ends, *self._found(self._fresh(), self._evidence_ends)])

    def _found(self, comparison: _Comparison, end: Instant) -> list[Instant]:
        begun, felt_at_, (left, right, ratio, terms, level, at_most, _) = self._begun, self._felt, comparison
        edge = HALF_STEP if at_most else -HALF_STEP

        def holds(t: Instant) -> bool:
            felt = felt_at_(t)
            difference = felt[left] - ratio * felt[right] - level
            return difference < edge or (at_most and difference == edge)

        shifted = summed([*terms, (0.0, -level - edge)])
        found: list[Instant] = []
        for low, high in monotone_pieces(shifted, (end - begun) / DAY):
            first, final = min(begun + round(low * DAY), end), min(begun + round(high * DAY), end)
            if holds(first) is not holds(final):
                root = begun + ceil(root_between(shifted, low, high) * DAY)
                found.append(first_whole(holds, first, final, root))
        return found

    def _is_elsewhere(self, place: Place, t: Instant) -> bool:
        return self._place(t) != place

    def _place(self, t: Instant) -> Place:
        return place_of(self._felt(t), self._outlook.last, self._outlook.limits)

    def _felt(self, t: Instant) -> Felt:
        felt = self._known.get(t)
        if felt is None:
            felt = self._known[t] = felt_at(self._outlook.masses, self._outlook.half_lives, t)
        return felt
