"""Law 4: masses are the brute-force sum, in any order of arrival."""

from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.instant import DAY, YEAR, Instant
from app.domain.memory import BIG_CREDIT_POINTS, Masses, entered, fading, felt_at, rebased, withdrawn
from app.domain.policy import HalfLives, Memory, Thresholds
from app.domain.standing import Direction, place_at
from tests.domain.strategies import NOON, Felt, entries, folded, half_lives, histories, lone, thresholds

later = st.integers(NOON, NOON + 20 * YEAR)


def weighed(history: list[Felt], lives: HalfLives, t: Instant) -> list[float]:
    return [each.points * fading(lives.of(each.memory), t - each.value_at) for each in history]


@given(history=histories, lives=half_lives(), t=later, data=st.data())
def test_what_is_felt_is_the_plain_sum_in_any_order_of_arrival(
    history: list[Felt], lives: HalfLives, t: Instant, data: st.DataObject
) -> None:
    arrived = data.draw(st.permutations(history))
    felt = felt_at(folded(arrived, lives, at=NOON), lives, t)
    weights = weighed(history, lives, t)
    tolerance = 1e-9 * sum(map(abs, weights)) + 1e-300
    assert felt.balance == pytest.approx(sum(weights), abs=tolerance)
    assert felt.credits == pytest.approx(sum(weight for weight in weights if weight > 0), abs=tolerance)
    assert felt.debits == pytest.approx(-sum(weight for weight in weights if weight < 0), abs=tolerance)
    big = [each for each in history if each.points >= BIG_CREDIT_POINTS]
    assert felt.big == pytest.approx(sum(weighed(big, lives, t)), abs=tolerance)


@given(history=histories, lives=half_lives(), t=later)
def test_momentum_counts_every_credit_once_more_under_fresh(history: list[Felt], lives: HalfLives, t: Instant) -> None:
    parts = [each.points * fading(lives.fresh, t - each.value_at) for each in history if each.points > 0]
    felt = felt_at(folded(history, lives, at=NOON), lives, t)
    assert felt.fresh == pytest.approx(sum(parts), abs=1e-9 * sum(parts) + 1e-300)


@given(
    first=entries, others=histories, lives=half_lives(), limits=thresholds(), t=later, last=st.sampled_from(Direction)
)
def test_what_was_entered_and_withdrawn_is_no_longer_felt(
    first: Felt, others: list[Felt], lives: HalfLives, limits: Thresholds, t: Instant, last: Direction
) -> None:
    without = folded(others, lives, at=NOON)
    left = withdrawn(
        folded([first, *others], lives, at=NOON),
        lives,
        at=NOON,
        points=first.points,
        memory=first.memory,
        value_at=first.value_at,
    )
    assert felt_at(left, lives, t).balance == pytest.approx(felt_at(without, lives, t).balance, abs=1e-9)
    assert place_at(left, last, lives, limits, t) == place_at(without, last, lives, limits, t)


@given(first=entries, moments=st.lists(st.integers(0, 20 * YEAR), max_size=8), lives=half_lives())
def test_entered_then_folded_any_number_of_times_then_withdrawn_leaves_nothing(
    first: Felt, moments: list[int], lives: HalfLives
) -> None:
    left = folded([first], lives, at=NOON)
    for moment in sorted(moments):
        left = rebased(left, lives, NOON + moment)
    left = withdrawn(left, lives, at=left.at, points=first.points, memory=first.memory, value_at=first.value_at)
    felt = felt_at(left, lives, left.at)
    assert f"{felt.balance:.2f}" in {"0.00", "-0.00"}
    assert max(felt.credits, felt.debits, felt.big, felt.fresh) < 1e-9


@given(first=entries, others=histories, lives=half_lives())
def test_no_mass_ever_falls_below_zero(first: Felt, others: list[Felt], lives: HalfLives) -> None:
    left = folded([first, *others], lives, at=NOON)
    for each in [first, *others]:
        left = withdrawn(left, lives, at=NOON, points=each.points, memory=each.memory, value_at=each.value_at)
    assert min(*left.credits, *left.debits, *left.big, left.fresh) >= 0.0


def test_half_is_left_after_a_half_life_and_all_of_it_without_one() -> None:
    assert fading(180.0, 180 * DAY) == 0.5
    assert fading(180.0, 0) == 1.0
    assert fading(None, 10**6 * DAY) == 1.0
    assert fading(1.0, 10**6 * DAY) == 0.0


def test_a_credit_of_20_is_big_and_one_of_19_is_not() -> None:
    assert lone(20).big == (20.0, 0.0, 0.0, 0.0)
    assert lone(19).big == (0.0, 0.0, 0.0, 0.0)
    assert lone(-45).big == (0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(("gap_days", "share"), [(7, 0.09), (30, 0.14), (91, 0.30)])
def test_just_after_a_credit_of_a_steady_stream_momentum_is_the_share_that_the_design_tabulates(
    gap_days: int, share: float
) -> None:
    lives = HalfLives()
    left = Masses(at=0)
    for n in range(400):
        at = n * gap_days * DAY
        left = entered(left, lives, at=at, points=10, memory=Memory.LASTING, value_at=at)
    felt = felt_at(left, lives, left.at)
    assert felt.fresh / felt.credits == pytest.approx(share, abs=0.005)
    assert felt.fresh / felt.credits == pytest.approx(
        (1 - 2 ** (-gap_days / 180)) / (1 - 2 ** (-gap_days / 14)), rel=1e-4
    )


def test_a_constant_stream_has_a_momentum_of_14_180ths_on_average() -> None:
    whole = [fading(14.0, n * DAY // 24) for n in range(20 * 365 * 24)]
    slow = [fading(180.0, n * DAY // 24) for n in range(20 * 365 * 24)]
    assert sum(whole) / sum(slow) == pytest.approx(14 / 180, abs=1e-4)
    assert 180 * log2(20 / 15) == pytest.approx(75, abs=1)
