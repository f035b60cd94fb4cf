"""The next change of standing if nothing happens: when, to what, and which comparison brings it."""

from dataclasses import dataclass
from enum import StrEnum

from app.domain.account import Account
from app.domain.crossing import next_crossing_at
from app.domain.instant import MICROSECOND, Instant
from app.domain.memory import Felt, felt_at
from app.domain.policy import Policy, Thresholds
from app.domain.standing import Depth, Place, Standing, place_at, rounded


class Reason(StrEnum):
    """Which comparison of DESIGN section 3 turns, and which way."""

    TOO_LITTLE_FELT = "too_little_felt"
    BALANCE_REACHES_ZERO = "balance_reaches_zero"
    BALANCE_FALLS_BELOW_ZERO = "balance_falls_below_zero"
    OVERDRAFT_SHRINKS = "overdraft_shrinks"
    OVERDRAFT_GROWS = "overdraft_grows"
    BIG_CREDIT_STOPS_GLOWING = "big_credit_stops_glowing"
    BALANCE_FALLS_BELOW_GLOW = "balance_falls_below_glow"
    BALANCE_REACHES_GLOW = "balance_reaches_glow"
    DEBITS_WEIGH_TOO_MUCH = "debits_weigh_too_much"
    DEBITS_WEIGH_LITTLE = "debits_weigh_little"
    GOOD_NEWS_AGES = "good_news_ages"
    GOOD_NEWS_IS_USUAL = "good_news_is_usual"
    GOOD_NEWS_IS_MORE_THAN_USUAL = "good_news_is_more_than_usual"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """A change of place by time alone. `level` is the threshold crossed, in points; None where it is a ratio."""

    at: Instant
    place: Place
    reason: Reason
    level: float | None


def foretold(account: Account, policy: Policy, t: Instant) -> Ahead | None:
    """The first change of place after `t` if nothing happens; None if none is foreseen.

    Requires an account advanced to `t`.
    """
    at = next_crossing_at(account, policy, after=t)
    if at is None:
        return None
    lives, limits = policy.half_lives, policy.thresholds_of(account.segment)
    last = account.last.direction if account.last else None
    before, after = (place_at(account.masses, last, lives, limits, each) for each in (at - MICROSECOND, at))
    felt_before, felt_after = (felt_at(account.masses, lives, each) for each in (at - MICROSECOND, at))
    reason = _reason(before, after, felt_before, felt_after, limits)
    return Ahead(at=at, place=after, reason=reason, level=_level(reason, before, after, limits))


def _reason(before: Place, after: Place, felt_before: Felt, felt_after: Felt, limits: Thresholds) -> Reason:
    """Tried in the order of the table of standings."""
    if after.standing is Standing.NO_EVIDENCE:
        return Reason.TOO_LITTLE_FELT
    if Standing.OVERDRAWN in (before.standing, after.standing):
        return _of_overdraft(before, after)
    if after.standing is Standing.DELIGHTED:
        return Reason.BALANCE_REACHES_GLOW
    if before.standing is Standing.DELIGHTED:
        glows = rounded(felt_after.big - limits.glow) >= 0
        return Reason.BALANCE_FALLS_BELOW_GLOW if glows else Reason.BIG_CREDIT_STOPS_GLOWING
    if after.standing is Standing.STEADY:
        return _of_lost_momentum(felt_after, limits)
    clean = _is_clean(felt_before, limits)
    return Reason.GOOD_NEWS_IS_MORE_THAN_USUAL if clean else Reason.DEBITS_WEIGH_LITTLE


def _of_overdraft(before: Place, after: Place) -> Reason:
    if after.depth is None:
        return Reason.BALANCE_REACHES_ZERO
    if before.depth is None:
        return Reason.BALANCE_FALLS_BELOW_ZERO
    depths = list(Depth)
    shrinks = depths.index(after.depth) < depths.index(before.depth)
    return Reason.OVERDRAFT_SHRINKS if shrinks else Reason.OVERDRAFT_GROWS


def _of_lost_momentum(felt: Felt, limits: Thresholds) -> Reason:
    if not _is_clean(felt, limits):
        return Reason.DEBITS_WEIGH_TOO_MUCH
    return Reason.GOOD_NEWS_AGES if rounded(felt.fresh - limits.fresh) < 0 else Reason.GOOD_NEWS_IS_USUAL


def _is_clean(felt: Felt, limits: Thresholds) -> bool:
    return rounded(felt.credits - limits.clean_ratio * felt.debits) >= 0


def _level(reason: Reason, before: Place, after: Place, limits: Thresholds) -> float | None:
    glow = limits.glow
    levels: dict[Reason, float] = {
        Reason.TOO_LITTLE_FELT: limits.evidence,
        Reason.BALANCE_REACHES_ZERO: 0.0,
        Reason.BALANCE_FALLS_BELOW_ZERO: 0.0,
        Reason.OVERDRAFT_SHRINKS: limits.deep if before.depth is Depth.DEEP else limits.marked,
        Reason.OVERDRAFT_GROWS: limits.deep if after.depth is Depth.DEEP else limits.marked,
        Reason.BIG_CREDIT_STOPS_GLOWING: glow,
        Reason.BALANCE_FALLS_BELOW_GLOW: glow,
        Reason.BALANCE_REACHES_GLOW: glow,
        Reason.GOOD_NEWS_AGES: limits.fresh,
    }
    return levels.get(reason)
