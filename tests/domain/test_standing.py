"""The table of standings, row by row, at its edges."""

from math import inf, nextafter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.memory import Felt, Masses
from app.domain.policy import HalfLives, Policy, Thresholds
from app.domain.standing import (
    HALF_STEP,
    Depth,
    Direction,
    Place,
    Standing,
    direction_of,
    place_at,
    place_of,
    rounded,
)
from tests.domain.strategies import NOON, lone, masses

CREDIT, DEBIT = Direction.CREDIT, Direction.DEBIT


def felt(credits_: float = 0.0, debits: float = 0.0, *, big: float = 0.0, fresh: float = 0.0) -> Felt:
    return Felt(credits=credits_, debits=debits, big=big, fresh=fresh)


def overdrawn(depth: Depth) -> Place:
    return Place(standing=Standing.OVERDRAWN, depth=depth)


@pytest.mark.parametrize(
    ("feeling", "last", "place"),
    [
        (felt(), None, Place(standing=Standing.NO_EVIDENCE)),
        (felt(1.5, 1.4), DEBIT, Place(standing=Standing.NO_EVIDENCE)),
        (felt(0.0, 2.9), DEBIT, Place(standing=Standing.NO_EVIDENCE)),
        (felt(1.0, 2.0), DEBIT, overdrawn(Depth.SLIGHT)),
        (felt(0.0, 14.9), DEBIT, overdrawn(Depth.SLIGHT)),
        (felt(0.0, 15.0), DEBIT, overdrawn(Depth.MARKED)),
        (felt(5.0, 54.9), DEBIT, overdrawn(Depth.MARKED)),
        (felt(5.0, 55.0), DEBIT, overdrawn(Depth.DEEP)),
        (felt(2.0, 2.0), DEBIT, Place(standing=Standing.STEADY)),
        (felt(15.0, big=15.0), CREDIT, Place(standing=Standing.DELIGHTED)),
        (felt(15.0, big=15.0), DEBIT, Place(standing=Standing.DELIGHTED)),
        (felt(20.0, 5.1, big=20.0), CREDIT, Place(standing=Standing.STEADY)),
        (felt(40.0, big=14.9), CREDIT, Place(standing=Standing.STEADY)),
        (felt(12.0, 3.0, fresh=10.0), CREDIT, Place(standing=Standing.ABOUT_TO_BE_DELIGHTED)),
        (felt(12.0, 3.0, fresh=10.0), DEBIT, Place(standing=Standing.STEADY)),
        (felt(12.0, 3.0, fresh=10.0), None, Place(standing=Standing.STEADY)),
        (felt(12.0, 3.1, fresh=10.0), CREDIT, Place(standing=Standing.STEADY)),
        (felt(12.0, 3.0, fresh=9.9), CREDIT, Place(standing=Standing.STEADY)),
        (felt(80.0, fresh=12.0), CREDIT, Place(standing=Standing.ABOUT_TO_BE_DELIGHTED)),
        (felt(80.0, fresh=11.9), CREDIT, Place(standing=Standing.STEADY)),
    ],
)
def test_the_first_row_that_holds_is_the_place(feeling: Felt, last: Direction | None, place: Place) -> None:
    assert place_of(feeling, last, Thresholds()) == place


@given(difference=st.floats(-1e6, 1e6))
def test_a_difference_is_rounded_to_a_millionth_and_never_to_minus_zero(difference: float) -> None:
    assert abs(rounded(difference) - difference) <= 5.1e-7
    assert str(rounded(difference)) != "-0.0"


edges = st.sampled_from([-1.5e-6, -HALF_STEP, 0.0, HALF_STEP, 1.5e-6])
beside_edges = st.builds(nextafter, edges, st.sampled_from([-inf, 0.0, inf])) | edges


@given(difference=beside_edges | st.floats(-1e-5, 1e-5) | st.floats())
def test_a_difference_lies_beside_half_a_step_exactly_where_rounding_it_says_so(difference: float) -> None:
    assert (difference < -HALF_STEP) is (rounded(difference) < 0)
    assert (difference >= -HALF_STEP) is (rounded(difference) >= 0)
    assert (difference <= HALF_STEP) is (rounded(difference) <= 0)


@pytest.mark.parametrize(("difference", "is_below"), [(-4.9e-7, False), (-5.1e-7, True), (0.0, False)])
def test_a_comparison_turns_half_a_millionth_beside_its_threshold(difference: float, is_below: bool) -> None:
    place = place_of(felt(10.0 + difference, 10.0), DEBIT, Thresholds())
    assert (place.standing is Standing.OVERDRAWN) is is_below


def test_depth_is_reached_half_a_millionth_early() -> None:
    assert place_of(felt(0.0, 15.0 - 4.9e-7), DEBIT, Thresholds()) == overdrawn(Depth.MARKED)
    assert place_of(felt(0.0, 15.0 - 5.1e-7), DEBIT, Thresholds()) == overdrawn(Depth.SLIGHT)


@given(left=masses(), last=st.sampled_from(Direction))
def test_an_overdrawn_account_has_a_depth_and_no_other_has(left: Masses, last: Direction) -> None:
    place = place_at(left, last, HalfLives(), Thresholds(), NOON)
    assert (place.standing is Standing.OVERDRAWN) == (place.depth is not None)


def test_a_segment_has_its_own_thresholds_and_an_unknown_one_those_of_the_book() -> None:
    strict = Thresholds(evidence=30.0)
    policy = Policy(segments={"silver": strict})
    assert policy.thresholds_of("silver") == strict
    assert policy.thresholds_of("gold") == policy.thresholds_of(None) == Thresholds()
    assert place_at(lone(25), CREDIT, policy.half_lives, strict, NOON).standing is Standing.NO_EVIDENCE


@pytest.mark.parametrize(
    ("points", "direction"), [(3, Direction.CREDIT), (-3, Direction.DEBIT), (0, Direction.NEUTRAL)]
)
def test_the_direction_is_the_sign_of_the_points(points: int, direction: Direction) -> None:
    assert direction_of(points) is direction
