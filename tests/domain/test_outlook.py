"""What is sure to stay does, whoever solves nothing: against the place itself, instant by instant."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.account import Account
from app.domain.crossing import outlook_of
from app.domain.instant import DAY
from app.domain.memory import Masses
from app.domain.outlook import stays
from app.domain.policy import HalfLives, Policy
from app.domain.standing import ABOUT_TO_BE_DELIGHTED, STEADY, Direction, Place
from tests.domain.strategies import NOON, account_of, glowing, policies_and_accounts

SAMPLES = 40


def is_said_to_stay(account: Account, policy: Policy, begins: int, ends: int) -> bool:
    outlook = outlook_of(account, policy)
    place = outlook.place(begins)
    return stays(place, outlook.last, outlook.felt(begins), outlook.felt(ends), outlook.limits)


@settings(max_examples=1000, deadline=None)
@given(both=policies_and_accounts, after=st.integers(0, 400 * DAY), span=st.integers(1, 400 * DAY))
def test_a_place_that_is_said_to_stay_is_the_same_at_every_instant_between(
    both: tuple[Policy, Account], after: int, span: int
) -> None:
    policy, account = both
    begins, ends = NOON + after, NOON + after + span
    if is_said_to_stay(account, policy, begins, ends):
        outlook = outlook_of(account, policy)
        places = {outlook.place(begins + span * n // SAMPLES) for n in range(SAMPLES + 1)}
        assert places == {outlook.place(begins)}


def test_a_glow_that_is_only_just_reached_is_not_said_to_stay_away() -> None:
    account, begins, ends = glowing(90.0, 1e-7), NOON + 280 * DAY, NOON + 290 * DAY
    assert [outlook_of(account, Policy()).place(at) for at in (begins, ends)] == [STEADY, STEADY]
    assert not is_said_to_stay(account, Policy(), begins, ends)


def usual_credits(points: float) -> Masses:
    """Credits of which none is big, of which 12 points are fresh."""
    return Masses(at=NOON, credits=(points, 0.0, 0.0, 0.0), fresh=12.0)


@pytest.mark.parametrize(
    ("points", "policy", "place", "days"),
    [
        (79.9, Policy(), ABOUT_TO_BE_DELIGHTED, 1),  # good news becomes usual
        (60.0, Policy(), ABOUT_TO_BE_DELIGHTED, 4),  # good news ages
        (80.5, Policy(half_lives=HalfLives(fresh=None)), STEADY, 3),  # what was usual fades, and the news does not
    ],
)
def test_momentum_that_is_lost_or_won_by_time_is_not_said_to_stay(
    points: float, policy: Policy, place: Place, days: int
) -> None:
    account = account_of(usual_credits(points), policy, Direction.CREDIT)
    assert account.place == place
    assert outlook_of(account, policy).place(NOON + days * DAY) != place
    assert not is_said_to_stay(account, policy, NOON, NOON + days * DAY)


def test_an_account_that_nothing_moves_is_said_to_stay() -> None:
    credit = (30.0, 0.0, 0.0, 0.0)
    account = account_of(Masses(at=NOON, credits=credit, big=credit), Policy(), Direction.CREDIT)
    assert is_said_to_stay(account, Policy(), NOON, NOON + 90 * DAY)
    assert not is_said_to_stay(account, Policy(), NOON, NOON + 181 * DAY)
