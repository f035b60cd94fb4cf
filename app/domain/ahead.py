"""What lies ahead of an account, exactly: when its place changes by time alone, to the microsecond.

Masses are fixed between entries, so it is always computed from `masses.at` over the same horizon: who looks, when and
how often cannot change it. What cannot come first is not solved.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from math import ceil
from typing import NamedTuple

from app.domain.exponentials import (
    Term,
    Terms,
    first_whole,
    monotone_pieces,
    root_before,
    root_between,
    roots_max,
    summed,
)
from app.domain.instant import DAY, YEAR, Instant
from app.domain.memory import Felt, felt_at
from app.domain.outlook import SLACK, Outlook, stays
from app.domain.standing import HALF_STEP, NO_EVIDENCE, Direction, Place, Standing, place_of

HORIZON = 1000 * YEAR
"""From `masses.at`: what has not moved by then is held never to. Instants must stay within the year 9999."""

HALVINGS = 3
"""Of a span in which a comparison may turn twice, before it is solved: most that only seem to turn are seen not to."""

_CREDITS, _DEBITS, _BIG, _FRESH = range(4)
"""Where the sums stand in Felt."""


class _Comparison(NamedTuple):
    """Whether `left - ratio · right - level`, rounded, is below 0, or `at_most` 0.

    `left` and `right` name sums of Felt, each of which only fades. It counts until what it is `within` turns, once and
    for good; up to the horizon where that is None.
    """

    left: int
    right: int
    ratio: float
    within: "_Comparison | None"
    level: float = 0.0
    at_most: bool = False

    def holds(self, felt: Felt) -> bool:
        left, right, ratio, _, level, at_most = self
        difference = felt[left] - ratio * felt[right] - level
        return difference <= HALF_STEP if at_most else difference < -HALF_STEP

    def may_turn(self, before: Felt, after: Felt) -> bool:
        """Whether it can turn between two instants, by what is felt at both."""
        left, right, ratio, _, level, _ = self
        least, most = (before, after) if ratio > 0.0 else (after, before)
        return after[left] - ratio * least[right] - SLACK < level < before[left] - ratio * most[right] + SLACK

    def shifted(self, outlook: Outlook) -> Terms:
        """What changes its sign where the comparison turns."""
        edge = HALF_STEP if self.at_most else -HALF_STEP
        return summed([*self._terms(outlook), (0.0, -self.level - edge)])

    def _terms(self, outlook: Outlook) -> Iterable[Term]:
        if self.left == _CREDITS:
            return outlook.mixed(-self.ratio)
        return outlook.big() if self.left == _BIG else outlook.fresh(-self.ratio)


class Ahead:
    """The changes of place that lie ahead, one by one. `known` is what is felt at some instants, if anyone knows."""

    def __init__(self, outlook: Outlook, known: Mapping[Instant, Felt] | None = None) -> None:
        self._outlook = outlook
        self._begun = outlook.masses.at
        self._known = dict(known or {})
        self._ends: dict[int, Instant] = {}
        self._solved: dict[tuple[int, float, float], Sequence[Instant]] = {}

    def changes(self, after: Instant, until: Instant) -> Iterator[tuple[Instant, Place]]:
        """Every change of place in (after, until] if nothing happens, in order; `after >= masses.at`."""
        place = self._place(after)
        if self._stays(place, after, until, HALVINGS):
            return
        while (at := self._next_change(place, after, until)) is not None:
            place, after = self._place(at), at
            yield at, place

    def _stays(self, place: Place, after: Instant, until: Instant, halvings: int) -> bool:
        """Whether the place is sure to be the same in (after, until], by what is felt at both and between them."""
        last, felt, limits = self._outlook.last, self._felt(until), self._outlook.limits
        if place_of(felt, last, limits) != place:
            return False
        if stays(place, last, self._felt(after), felt, limits):
            return True
        middle = (after + until) // 2
        return (
            halvings > 0
            and self._stays(place, after, middle, halvings - 1)
            and self._stays(place, middle, until, halvings - 1)
        )

    def _next_change(self, place: Place, after: Instant, until: Instant) -> Instant | None:
        """The first instant in (after, until] with another place.

        The place itself decides, at each instant at which a comparison turns and just before, and at the last: so float
        noise cannot stick.
        """
        if place == NO_EVIDENCE:  # for good
            return None
        turn = self._first_turn(place, after, until)
        if turn is None and self._is_elsewhere(place, until):
            turn = until
        if turn is not None and self._is_elsewhere(place, turn - 1):
            return first_whole(partial(self._is_elsewhere, place), after, turn - 1, turn - 1)
        return turn

    def _first_turn(self, place: Place, after: Instant, until: Instant) -> Instant | None:
        """The first instant in (after, until] at which a comparison turns and the place is another."""
        found: Instant | None = None
        felt, last = self._felt(after), self._felt(until)
        for comparison in self._deciding(place, felt):
            if comparison.may_turn(felt, last):
                for turn in self._turns(comparison, after, until):
                    if after < turn <= until and self._is_elsewhere(place, turn):
                        found, until, last = turn, turn - 1, self._felt(turn - 1)
        return found

    def _deciding(self, place: Place, felt: Felt) -> Iterator[_Comparison]:
        """The comparisons that can lead away from a place; those first that often come first."""
        limits = self._outlook.limits
        evidence = _Comparison(_CREDITS, _DEBITS, -1.0, None, limits.evidence)
        balance = partial(_Comparison, _CREDITS, _DEBITS, 1.0, evidence)
        if place.standing is Standing.OVERDRAWN:
            yield balance(limits.deep, at_most=True)
            yield balance(limits.marked, at_most=True)
        elif felt.big - limits.glow >= -HALF_STEP:
            yield balance(limits.glow)
        if place.standing is Standing.DELIGHTED:
            yield _Comparison(_BIG, _DEBITS, 0.0, evidence, limits.glow)
        elif place.standing is not Standing.OVERDRAWN:
            yield from self._of_momentum(felt, evidence)
        yield balance(0.0)
        yield evidence

    def _of_momentum(self, felt: Felt, evidence: _Comparison) -> Iterator[_Comparison]:
        limits = self._outlook.limits
        if self._outlook.last is Direction.CREDIT and felt.fresh - limits.fresh >= -HALF_STEP:
            fresh = _Comparison(_FRESH, _DEBITS, 0.0, evidence, limits.fresh)
            yield fresh
            yield _Comparison(_FRESH, _CREDITS, limits.rising_ratio, fresh)
            yield _Comparison(_CREDITS, _DEBITS, limits.clean_ratio, fresh)

    def _turns(self, comparison: _Comparison, after: Instant, until: Instant) -> Sequence[Instant]:
        """When the comparison turns in (after, until], or at other times, or while it no longer counts."""
        left, _, ratio, _, level, _ = comparison
        known = self._solved.get((left, ratio, level))
        if known is not None:
            return known
        shifted = comparison.shifted(self._outlook)
        is_single = roots_max(shifted) < 2
        if is_single and self._holds(comparison, after) is self._holds(comparison, until):
            return ()
        if not is_single and not self._may_turn(comparison, after, until, HALVINGS):
            return ()
        turns = self._only_turn(comparison, shifted, until) if is_single else self._every_turn(comparison, shifted)
        self._solved[left, ratio, level] = turns
        return turns

    def _only_turn(self, comparison: _Comparison, shifted: Terms, until: Instant) -> Sequence[Instant]:
        """The one turn of a comparison that has no other, and comes until then."""
        root = root_before(shifted, 0.0, (until - self._begun) / DAY)
        if root is None:
            return self._every_turn(comparison, shifted)
        turn, holds = self._begun + ceil(root * DAY), partial(self._holds, comparison)
        is_exact = self._begun < turn <= until and holds(turn - 1) is not holds(turn) is holds(until)
        return (turn if is_exact else first_whole(holds, self._begun, until, turn),)

    def _may_turn(self, comparison: _Comparison, after: Instant, until: Instant, halvings: int) -> bool:
        """Whether it can turn in (after, until], by what is felt at both and at instants between them."""
        if not comparison.may_turn(self._felt(after), self._felt(until)):
            return False
        if halvings == 0 or self._holds(comparison, after) is not self._holds(comparison, until):
            return True
        middle = (after + until) // 2
        halves = ((after, middle), (middle, until))
        return any(self._may_turn(comparison, *half, halvings - 1) for half in halves)

    def _every_turn(self, comparison: _Comparison, shifted: Terms) -> Sequence[Instant]:
        """When the comparison turns, as long as it counts."""
        begun, end = self._begun, self._end_of(comparison.within)
        holds, found = partial(self._holds, comparison), list[Instant]()
        for low, high in monotone_pieces(shifted, (end - begun) / DAY):
            first, final = min(begun + round(low * DAY), end), min(begun + round(high * DAY), end)
            if holds(first) is not holds(final):
                root = begun + ceil(root_between(shifted, low, high) * DAY)
                found.append(first_whole(holds, first, final, root))
        return found

    def _end_of(self, comparison: _Comparison | None) -> Instant:
        """When the comparison turns for good; at the latest the horizon."""
        if comparison is None:
            return self._begun + HORIZON
        if comparison.left not in self._ends:
            turns = self._every_turn(comparison, comparison.shifted(self._outlook))
            self._ends[comparison.left] = min([self._end_of(comparison.within), *turns])
        return self._ends[comparison.left]

    def _holds(self, comparison: _Comparison, t: Instant) -> bool:
        return comparison.holds(self._felt(t))

    def _is_elsewhere(self, place: Place, t: Instant) -> bool:
        return self._place(t) != place

    def _place(self, t: Instant) -> Place:
        return place_of(self._felt(t), self._outlook.last, self._outlook.limits)

    def _felt(self, t: Instant) -> Felt:
        felt = self._known.get(t)
        if felt is None:
            felt = self._known[t] = felt_at(self._outlook.masses, self._outlook.half_lives, t)
        return felt
