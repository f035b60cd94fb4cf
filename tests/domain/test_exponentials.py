"""Roots of exponential sums: known ones are found, and nothing changes sign or direction elsewhere."""

from itertools import pairwise
from math import exp, log

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.domain.exponentials import (
    Term,
    first_whole,
    monotone_pieces,
    root_before,
    root_between,
    roots_max,
    sign_changes,
    soonest,
    summed,
    turning_points,
    value_at,
)

rates = st.sampled_from([0.0, log(2) / 365, log(2) / 180, log(2) / 120, log(2) / 90, log(2) / 14]) | st.floats(1e-4, 1)
sums = st.lists(st.tuples(rates, st.floats(-500, 500)), min_size=1, max_size=6)
FAR = 5000.0


def product(roots: list[float], unit: float) -> list[Term]:
    """The polynomial in z = e^(-unit · x) that is 0 exactly where x is one of the roots."""
    coefficients = [1.0]
    for root in roots:
        at = exp(-unit * root)
        raised, lowered = [0.0, *coefficients], [*(-at * each for each in coefficients), 0.0]
        coefficients = [up + down for up, down in zip(raised, lowered, strict=True)]
    return [(power * unit, coefficient) for power, coefficient in enumerate(coefficients)]


@given(steps=st.lists(st.floats(20.0, 200.0), min_size=1, max_size=5), unit=st.floats(0.002, 0.01))
def test_every_known_root_is_found_and_no_other(steps: list[float], unit: float) -> None:
    roots = [sum(steps[: n + 1]) for n in range(len(steps))]
    assume(unit * roots[-1] < 4)
    terms = summed(product(roots, unit))
    assert sign_changes(terms, FAR) == pytest.approx(roots, rel=1e-4)
    assert roots_max(terms) == len(roots)


@given(terms=sums)
def test_the_sign_stays_between_sign_changes(terms: list[Term]) -> None:
    whole = summed(terms)
    changes = sign_changes(whole, FAR)
    noise = 1e-12 * sum(abs(coefficient) for _, coefficient in terms)
    assert len(changes) <= roots_max(whole) <= max(0, len(whole) - 1)
    for low, high in pairwise([0.0, *changes, FAR]):
        values = [value_at(whole, low + (high - low) * n / 40) for n in range(41)]
        assert min(values) >= -noise or max(values) <= noise


@given(terms=sums)
def test_between_turning_points_the_sum_only_rises_or_only_falls(terms: list[Term]) -> None:
    whole = summed(terms)
    noise = 1e-12 * sum(abs(coefficient) for _, coefficient in terms)
    for low, high in pairwise([0.0, *turning_points(whole, FAR), FAR]):
        values = [value_at(whole, low + (high - low) * n / 40) for n in range(41)]
        moves = [after - before for before, after in pairwise(values)]
        assert min(moves) >= -noise or max(moves) <= noise


@given(terms=sums)
def test_the_pieces_cover_the_axis_unless_there_is_no_root(terms: list[Term]) -> None:
    whole = summed(terms)
    pieces = monotone_pieces(whole, FAR)
    assert bool(pieces) == (roots_max(whole) > 0)
    if pieces:
        assert (pieces[0][0], pieces[-1][1]) == (0.0, FAR)
        assert all(before[1] == after[0] for before, after in pairwise(pieces))


def test_equal_rates_are_one_term_and_what_cancels_is_none() -> None:
    assert summed([(0.5, 2.0), (0.0, 1.0), (0.5, 3.0), (0.2, 4.0), (0.2, -4.0)]) == ((0.0, 1.0), (0.5, 5.0))
    assert summed([]) == ()
    assert sign_changes((), FAR) == []


def test_a_root_at_a_negative_x_is_not_counted() -> None:
    assert roots_max(((0.0, -1.0), (1.0, 0.5))) == 0
    assert roots_max(((0.0, -1.0), (1.0, 2.0))) == 1
    assert sign_changes(((0.0, -1.0), (1.0, 2.0)), FAR) == pytest.approx([log(2.0)])


def test_two_roots_ten_minutes_apart_are_both_found() -> None:
    days = 10 / (24 * 60)
    found = sign_changes(summed(product([300.0, 300.0 + days], 0.004)), FAR)
    assert len(found) == 2
    assert found[1] - found[0] == pytest.approx(days, rel=0.05)


def test_a_root_far_out_costs_no_more_than_double_precision() -> None:
    rate = log(2) / 36_500
    root = root_between(((0.0, -1e-3), (rate, 1e6)), 0.0, 1e9)
    assert root == pytest.approx(log(1e9) / rate, rel=1e-12)


@given(terms=sums, sooner=st.floats(0.1, 0.9 * FAR), later=st.floats(0.9 * FAR, 10 * FAR))
def test_a_root_that_is_found_before_an_instant_is_to_the_last_bit_that_of_any_longer_interval(
    terms: list[Term], sooner: float, later: float
) -> None:
    whole = summed(terms)
    assert root_before(whole, 0.0, sooner) in (root_between(whole, 0.0, later), None)


def test_a_root_is_found_before_an_instant_unless_one_would_look_beyond_it() -> None:
    straight = ((0.0, -15.0), (log(2) / 180, 20.0))
    assert root_before(straight, 0.0, 80.0) == root_between(straight, 0.0, FAR)
    assert root_before(straight, 0.0, 70.0) is None


@given(terms=sums, gap=st.floats(-800, 800))
def test_no_gap_is_closed_sooner_than_soonest_says(terms: list[Term], gap: float) -> None:
    bound = min(soonest(gap, terms, slack=1e-6), 1e6)
    begins = value_at(tuple(terms), 0.0)
    for n in range(33):
        moved = begins - value_at(tuple(terms), bound * n / 32)
        assert moved <= gap + 1e-9 if gap > 1e-6 else bound == 0.0 or -moved <= -gap + 1e-9


def test_soonest_is_exact_for_a_single_term() -> None:
    rate = log(2) / 180
    assert soonest(5.0, [(rate, 20.0)], slack=0.0) == pytest.approx(180 * log(20 / 15) / log(2))
    assert soonest(-5.0, [(rate, 20.0)], slack=0.0) == float("inf")
    assert soonest(20.0, [(rate, 20.0)], slack=0.0) == float("inf")
    assert soonest(5.0, [(0.0, 20.0)], slack=0.0) == float("inf")


@given(low=st.integers(0, 10**18), width=st.integers(1, 10**17), data=st.data())
def test_the_first_whole_instant_is_found_from_any_guess(low: int, width: int, data: st.DataObject) -> None:
    flip = data.draw(st.integers(low + 1, low + width))
    guess = data.draw(st.integers(low - 10, low + width + 10) | st.integers(flip - 5, flip + 5))
    asked: list[int] = []

    def holds(t: int) -> bool:
        asked.append(t)
        return t >= flip

    assert first_whole(holds, low, low + width, guess) == flip
    assert len(asked) <= 130
