"""docs/why-standing.md says what the code does: its table is worked out here from the domain's own functions."""

import re
from pathlib import Path

import pytest

from app.domain.instant import DAY, Instant
from app.domain.memory import Felt, Masses, entered, felt_at
from app.domain.policy import HalfLives, Memory, Thresholds
from app.domain.standing import Direction, Standing, place_of

PAGE = (Path(__file__).parents[2] / "docs" / "why-standing.md").read_text()
ROW = re.compile(r"^\| (\w+) \| (\d+) \| (0\.\d+) \| (yes|no) \|$", re.MULTILINE)
TABLE = {rhythm: (int(days), float(ratio), rising == "yes") for rhythm, days, ratio, rising in ROW.findall(PAGE)}
YEARS = 20


def after_a_credit(period_days: int, points: int = 12) -> Felt:
    """What is felt just after the last of many equal credits."""
    masses, at = Masses(at=0), 0
    for at in range(0, YEARS * 365 * DAY, period_days * DAY):
        masses = entered(masses, HalfLives(), at=at, points=points, memory=Memory.LASTING, value_at=at)
    return felt_at(masses, HalfLives(), at)


def standing_of(felt: Felt) -> Standing:
    return place_of(felt, Direction.CREDIT, Thresholds()).standing


def test_the_table_has_three_rhythms() -> None:
    assert set(TABLE) == {"weekly", "monthly", "quarterly"}


@pytest.mark.parametrize("rhythm", TABLE)
def test_a_rhythm_gives_the_ratio_that_the_docs_say(rhythm: str) -> None:
    days, ratio, is_rising = TABLE[rhythm]
    felt = after_a_credit(days)

    assert f"{felt.fresh / felt.credits:.2f}" == f"{ratio:.2f}"
    assert (felt.fresh / felt.credits >= Thresholds().rising_ratio) is is_rising
    assert (standing_of(felt) is Standing.ABOUT_TO_BE_DELIGHTED) is is_rising


@pytest.mark.parametrize("rhythm", TABLE)
def test_the_formula_is_the_code(rhythm: str) -> None:
    days, _, _ = TABLE[rhythm]
    felt = after_a_credit(days)

    assert felt.fresh / felt.credits == pytest.approx((1 - 2 ** (-days / 180)) / (1 - 2 ** (-days / 14)), rel=1e-6)
    assert "M / C = (1 - 2^(-g/180)) / (1 - 2^(-g/14))" in PAGE


@pytest.mark.parametrize("points", [5, 12, 19])
def test_a_dense_rhythm_never_rises_whatever_its_credits_are_worth(points: int) -> None:
    assert [standing_of(after_a_credit(days, points)) for days in (1, 7, 14, 30)] == [Standing.STEADY] * 4


def test_the_average_is_the_ratio_of_the_half_lives() -> None:
    half_lives = HalfLives()
    assert half_lives.fresh is not None
    assert half_lives.lasting is not None
    assert f"{half_lives.fresh:.0f}/{half_lives.lasting:.0f} = {half_lives.fresh / half_lives.lasting:.3f}" in PAGE


def test_a_young_account_rises_whatever_its_rhythm() -> None:
    masses = entered(Masses(at=0), HalfLives(), at=0, points=12, memory=Memory.LASTING, value_at=0)

    assert standing_of(felt_at(masses, HalfLives(), 7 * DAY // 2)) is Standing.ABOUT_TO_BE_DELIGHTED


@pytest.mark.parametrize(("points", "days"), [(20, 75), (45, 285)])
def test_a_lone_big_credit_glows_as_long_as_the_docs_say(points: int, days: int) -> None:
    assert glows(points, at=int((days - 0.5) * DAY))
    assert not glows(points, at=(days + 1) * DAY)
    assert re.search(rf"\+{points} (glows )?for {days} days", PAGE)


def test_the_thresholds_are_the_defaults() -> None:
    limits = Thresholds()
    for said in (
        f"| {limits.evidence:.0f}; never",
        f"`marked` from {limits.marked:.0f}, `deep` from {limits.deep:.0f}",
        f"| {limits.glow:.0f} |",
        f"C >= {limits.clean_ratio:.0f} W, M >= {limits.fresh:.0f}, M >= {limits.rising_ratio:.2f} C",
    ):
        assert said in PAGE


def glows(points: int, *, at: Instant) -> bool:
    masses = entered(Masses(at=0), HalfLives(), at=0, points=points, memory=Memory.LASTING, value_at=0)
    return standing_of(felt_at(masses, HalfLives(), at)) is Standing.DELIGHTED
