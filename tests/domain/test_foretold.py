"""What is foretold is the next crossing, and the reason given is the comparison that turns."""

import pytest
from hypothesis import given

from app.domain.account import Account
from app.domain.crossing import next_crossing_at
from app.domain.foretold import Ahead, Reason, foretold
from app.domain.memory import Felt, Masses, felt_at
from app.domain.policy import HalfLives, Policy, Thresholds
from app.domain.standing import Depth, Direction, Place, Standing, place_at, rounded
from tests.domain.strategies import NOON, account_of, policies_and_accounts

LASTING, PASSING, DEEP = 0, 1, 2


def compared(reason: Reason, felt: Felt, limits: Thresholds) -> float:
    """The left side of the comparison that a reason names."""
    ratios = {
        Reason.DEBITS_WEIGH_TOO_MUCH: felt.credits - limits.clean_ratio * felt.debits,
        Reason.DEBITS_WEIGH_LITTLE: felt.credits - limits.clean_ratio * felt.debits,
        Reason.GOOD_NEWS_IS_USUAL: felt.fresh - limits.rising_ratio * felt.credits,
        Reason.GOOD_NEWS_IS_MORE_THAN_USUAL: felt.fresh - limits.rising_ratio * felt.credits,
    }
    sums = {
        Reason.TOO_LITTLE_FELT: felt.credits + felt.debits,
        Reason.BIG_CREDIT_STOPS_GLOWING: felt.big,
        Reason.GOOD_NEWS_AGES: felt.fresh,
    }
    return {**ratios, **sums}.get(reason, felt.balance)


def turned(ahead: Ahead, before: Felt, after: Felt, limits: Thresholds) -> bool:
    """Whether the comparison that the reason names comes out otherwise just before than at the crossing."""
    differences = [rounded(compared(ahead.reason, felt, limits) - (ahead.level or 0.0)) for felt in (before, after)]
    at_most = ahead.reason in (Reason.OVERDRAFT_SHRINKS, Reason.OVERDRAFT_GROWS)
    held, holds = (each > 0 if at_most else each >= 0 for each in differences)
    return held is not holds


@given(policies_and_accounts)
def test_what_is_foretold_is_the_next_crossing_and_why(found: tuple[Policy, Account]) -> None:
    policy, account = found
    ahead = foretold(account, policy, NOON)
    at = next_crossing_at(account, policy, after=NOON)
    if ahead is None or at is None:
        assert (ahead, at) == (None, None)
        return

    last = account.last.direction if account.last else None
    lives, limits = policy.half_lives, policy.thresholds
    assert (ahead.at, ahead.place) == (at, place_at(account.masses, last, lives, limits, at))
    assert ahead.place != account.place
    before, after = (felt_at(account.masses, lives, each) for each in (at - 1, at))
    assert turned(ahead, before, after, limits)


def masses(
    credits_: float = 0.0, debits: float = 0.0, *, slot: int = PASSING, big: bool = False, fresh: float = 0.0
) -> Masses:
    """Lasting credits beside debits of one memory."""
    lasting = (credits_, 0.0, 0.0, 0.0)
    owed = [0.0] * 4
    owed[slot] = debits
    return Masses(
        at=NOON,
        credits=lasting,
        debits=(owed[0], owed[1], owed[2], owed[3]),
        big=lasting if big else (0.0, 0.0, 0.0, 0.0),
        fresh=fresh,
    )


STEADY, DELIGHTED = Place(standing=Standing.STEADY), Place(standing=Standing.DELIGHTED)
READY = Place(standing=Standing.ABOUT_TO_BE_DELIGHTED)
SLIGHT, MARKED = (Place(standing=Standing.OVERDRAWN, depth=depth) for depth in (Depth.SLIGHT, Depth.MARKED))
NOTHING = Place(standing=Standing.NO_EVIDENCE)
NEVER_OLD = Policy(half_lives=HalfLives(fresh=None))


@pytest.mark.parametrize(
    ("left", "policy", "place", "reason", "level"),
    [
        (masses(4.0), Policy(), NOTHING, Reason.TOO_LITTLE_FELT, 3.0),
        (masses(20.0, 30.0), Policy(), STEADY, Reason.BALANCE_REACHES_ZERO, 0.0),
        (masses(25.0, 20.0, slot=DEEP), Policy(), SLIGHT, Reason.BALANCE_FALLS_BELOW_ZERO, 0.0),
        (masses(0.0, 20.0), Policy(), SLIGHT, Reason.OVERDRAFT_SHRINKS, -15.0),
        (masses(0.0, 60.0), Policy(), MARKED, Reason.OVERDRAFT_SHRINKS, -50.0),
        (masses(46.0, 60.0, slot=DEEP), Policy(), MARKED, Reason.OVERDRAFT_GROWS, -15.0),
        (masses(45.0, big=True), Policy(), STEADY, Reason.BIG_CREDIT_STOPS_GLOWING, 15.0),
        (masses(45.0, 20.0, big=True), Policy(), STEADY, Reason.BALANCE_FALLS_BELOW_GLOW, 15.0),
        (masses(60.0, 50.0, big=True), Policy(), DELIGHTED, Reason.BALANCE_REACHES_GLOW, 15.0),
        (masses(19.0, 4.7, slot=DEEP, fresh=19.0), Policy(), STEADY, Reason.DEBITS_WEIGH_TOO_MUCH, None),
        (masses(18.0, 4.55, fresh=18.0), Policy(), READY, Reason.DEBITS_WEIGH_LITTLE, None),
        (masses(12.0, fresh=12.0), Policy(), STEADY, Reason.GOOD_NEWS_AGES, 10.0),
        (masses(75.0, fresh=12.0), Policy(), STEADY, Reason.GOOD_NEWS_IS_USUAL, None),
        (masses(100.0, fresh=12.0), NEVER_OLD, READY, Reason.GOOD_NEWS_IS_MORE_THAN_USUAL, None),
    ],
)
def test_each_reason_has_its_case(
    left: Masses, policy: Policy, place: Place, reason: Reason, level: float | None
) -> None:
    ahead = foretold(account_of(left, policy, Direction.CREDIT), policy, NOON)

    assert ahead is not None
    assert (ahead.place, ahead.reason, ahead.level) == (place, reason, level)


def test_nothing_is_foretold_of_who_is_without_evidence() -> None:
    assert foretold(account_of(masses(2.0), Policy()), Policy(), NOON) is None
