"""What lies ahead of an account, cheaply: how long its place is sure to stay, by bounds and not by solving."""

from math import inf
from typing import NamedTuple

from app.domain.exponentials import Term, paces, soonest_of
from app.domain.instant import DAY, YEAR, Instant
from app.domain.memory import Felt, Masses, Vector, felt_at
from app.domain.policy import HalfLives, Thresholds
from app.domain.standing import Direction, Place, Standing, place_of, rounded

FORESIGHT = 10 * YEAR
"""No crossing is foretold further ahead, and no account stays unlooked at for longer."""
SLACK = 1e-6
"""In points: more than the rounding's half step and float noise together."""

_WITHOUT_MOMENTUM = frozenset({Standing.OVERDRAWN, Standing.DELIGHTED})


class Outlook(NamedTuple):
    """What lies ahead of an account follows from these alone; `last` is the direction of its last effective entry."""

    masses: Masses
    last: Direction | None
    half_lives: HalfLives
    limits: Thresholds

    def felt(self, t: Instant) -> Felt:
        """What is felt at `t >= masses.at`."""
        return felt_at(self.masses, self.half_lives, t)

    def place(self, t: Instant) -> Place:
        """Where the account stands at `t >= masses.at` if nothing happens."""
        return place_of(felt_at(self.masses, self.half_lives, t), self.last, self.limits)

    def mixed(self, weight: float) -> tuple[Term, ...]:
        """C + weight · W, per day."""
        _, credits_, debits, _, _ = self.masses
        return tuple(
            [
                (rate, credit + weight * debit)
                for rate, credit, debit in zip(self.half_lives.rates, credits_, debits, strict=False)
            ]
        )

    def big(self) -> tuple[Term, ...]:
        """B, per day."""
        return self._of(self.masses.big)

    def fresh(self, weight: float) -> tuple[Term, ...]:
        """M + weight · C, per day."""
        own = (self.half_lives.rates[-1], self.masses.fresh)
        return (own, *[(rate, weight * credit) for rate, credit in self._of(self.masses.credits)])

    def _of(self, vector: Vector) -> tuple[Term, ...]:
        return tuple(zip(self.half_lives.rates, vector, strict=False))


def stays(place: Place, last: Direction | None, before: Felt, after: Felt, limits: Thresholds) -> bool:
    """Whether the place is sure to be the same from one instant to a later one, by what is felt at both.

    All that is felt only fades: so between the two no comparison of `place_of` is further left or right than with
    each of its sums at whichever end is worse.
    """
    if place.standing is Standing.NO_EVIDENCE:
        return True
    if after.credits + after.debits - limits.evidence < SLACK:
        return False
    lowest, highest = after.credits - before.debits, before.credits - after.debits
    if place.standing is Standing.OVERDRAWN:
        levels = (0.0, limits.marked, limits.deep)
        return not [level for level in levels if lowest - SLACK < level < highest + SLACK]
    if place.standing is Standing.DELIGHTED:
        return lowest - limits.glow > SLACK and after.big - limits.glow > SLACK
    may_glow = highest - limits.glow > -SLACK and before.big - limits.glow > -SLACK
    return lowest > SLACK and not may_glow and _keeps_momentum(place, last, before, after, limits)


def _keeps_momentum(place: Place, last: Direction | None, before: Felt, after: Felt, limits: Thresholds) -> bool:
    """Momentum is neither lost nor, by a steady account, won."""
    if place.standing is Standing.ABOUT_TO_BE_DELIGHTED:
        return (
            after.credits - limits.clean_ratio * before.debits > SLACK
            and after.fresh - limits.fresh > SLACK
            and after.fresh - limits.rising_ratio * before.credits > SLACK
        )
    return (
        last is not Direction.CREDIT
        or before.fresh - limits.fresh < -SLACK
        or before.credits - limits.clean_ratio * after.debits < -SLACK
        or before.fresh - limits.rising_ratio * after.credits < -SLACK
    )


def look_again(outlook: Outlook, place: Place, felt: Felt) -> Instant:
    """A cheap instant from `masses.at` on, not later than the first change of place after it, at most FORESIGHT away.

    Each gap to another place over the fastest drift that could close it: conservative advancement (Mirtich 1996).
    Requires `place` and `felt` to be what they are at `masses.at`.
    """
    if place.standing is Standing.NO_EVIDENCE:
        return outlook.masses.at + FORESIGHT
    days = min(
        soonest_of(felt.credits + felt.debits - outlook.limits.evidence, paces(outlook.mixed(1.0)), slack=SLACK),
        _days_of_balance(outlook, felt, place.standing),
        _days_of_momentum(outlook, felt, place.standing),
    )
    return outlook.masses.at + int(min(days * DAY, FORESIGHT))


def _days_of_balance(outlook: Outlook, felt: Felt, standing: Standing) -> float:
    """No level of the felt balance that matters here is reached sooner, nor is a glow lost."""
    limits, drift = outlook.limits, paces(outlook.mixed(-1.0))
    glow, balance = felt.big - limits.glow, felt.credits - felt.debits
    days = soonest_of(balance, drift, slack=SLACK)
    if standing is Standing.OVERDRAWN:
        levels = (limits.marked, limits.deep)
        return min(days, *[soonest_of(balance - level, drift, slack=SLACK) for level in levels])
    if rounded(glow) >= 0:
        days = min(days, soonest_of(balance - limits.glow, drift, slack=SLACK))
    if standing is Standing.DELIGHTED:
        return min(days, soonest_of(glow, paces(outlook.big()), slack=SLACK))
    return days


def _days_of_momentum(outlook: Outlook, felt: Felt, standing: Standing) -> float:
    """Momentum is neither lost nor, by a steady account, won sooner: that takes all three, and `fresh` only falls."""
    limits = outlook.limits
    fresh = felt.fresh - limits.fresh
    if outlook.last is not Direction.CREDIT or standing in _WITHOUT_MOMENTUM or rounded(fresh) < 0:
        return inf
    clean = felt.credits - limits.clean_ratio * felt.debits
    rising = felt.fresh - limits.rising_ratio * felt.credits
    days_clean = soonest_of(clean, paces(outlook.mixed(-limits.clean_ratio)), slack=SLACK)
    days_rising = soonest_of(rising, paces(outlook.fresh(-limits.rising_ratio)), slack=SLACK)
    if standing is Standing.ABOUT_TO_BE_DELIGHTED:
        return min(days_clean, days_rising, soonest_of(fresh, paces(outlook.fresh(0.0)), slack=SLACK))
    return max(0.0 if rounded(clean) >= 0 else days_clean, 0.0 if rounded(rising) >= 0 else days_rising)
