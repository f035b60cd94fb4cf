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
    standing = place.standing
    if standing is Standing.NO_EVIDENCE:
        return True
    most_credits, most_debits, most_big, _ = before
    credits_, debits, big, _ = after
    lowest, highest = credits_ - most_debits, most_credits - debits
    if credits_ + debits - limits.evidence < SLACK:
        return False
    if standing is Standing.OVERDRAWN:
        return highest < -SLACK and not (
            lowest - SLACK < limits.marked < highest + SLACK or lowest - SLACK < limits.deep < highest + SLACK
        )
    glow = limits.glow
    if standing is Standing.DELIGHTED:
        return lowest - glow > SLACK and big - glow > SLACK
    may_glow = highest - glow > -SLACK and most_big - glow > -SLACK
    return lowest > SLACK and not may_glow and _keeps_momentum(standing, last, before, after, limits)


def _keeps_momentum(standing: Standing, last: Direction | None, before: Felt, after: Felt, limits: Thresholds) -> bool:
    """Momentum is neither lost nor, by a steady account, won."""
    most_credits, most_debits, _, most_fresh = before
    credits_, debits, _, fresh = after
    if standing is Standing.ABOUT_TO_BE_DELIGHTED:
        return (
            credits_ - limits.clean_ratio * most_debits > SLACK
            and fresh - limits.fresh > SLACK
            and fresh - limits.rising_ratio * most_credits > SLACK
        )
    return (
        last is not Direction.CREDIT
        or most_fresh - limits.fresh < -SLACK
        or most_credits - limits.clean_ratio * debits < -SLACK
        or most_fresh - limits.rising_ratio * credits_ < -SLACK
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
