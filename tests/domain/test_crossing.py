"""When places change by time alone: against an oracle, at constructed tangencies, however often one looks."""

from dataclasses import replace
from itertools import pairwise
from math import log2

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.account import Account
from app.domain.crossing import Cause, Crossing, advance, changes, look_again_at, next_crossing_at
from app.domain.instant import DAY, HOUR, YEAR, Instant
from app.domain.memory import Masses
from app.domain.outlook import FORESIGHT
from app.domain.policy import HalfLives, Memory, Policy, Thresholds
from app.domain.standing import Depth, Direction, Place, Standing, place_at
from tests.domain.oracle import proven
from tests.domain.strategies import (
    NOON,
    THREE,
    account_of,
    brushing_zero,
    glowing,
    lone,
    policies_and_accounts,
    sinking,
)

FOR_EVER = NOON + 990 * YEAR

PolicyAndAccount = tuple[Policy, Account]


def seen_at(account: Account, policy: Policy, t: Instant) -> Place:
    last = account.last.direction if account.last else None
    return place_at(account.masses, last, policy.half_lives, policy.thresholds_of(account.segment), t)


@settings(max_examples=80, deadline=None)
@given(both=policies_and_accounts)
def test_changes_are_what_an_exhaustive_search_proves(both: PolicyAndAccount) -> None:
    policy, account = both
    way = [(NOON, account.place), *changes(account, policy, after=NOON, until=FOR_EVER)]
    for begins, ends, place in proven(account, policy, 0, 30 * YEAR):
        begun = [change for change in way if change[0] <= NOON + begins]
        assert begun[-1][1] == place
        assert not [at for at, _ in way if NOON + begins < at <= NOON + ends]


@settings(max_examples=400, deadline=None)
@given(both=policies_and_accounts)
def test_a_change_comes_at_the_first_microsecond_at_which_the_place_differs(both: PolicyAndAccount) -> None:
    policy, account = both
    way = [(NOON, account.place), *changes(account, policy, after=NOON, until=FOR_EVER)]
    for (began, before), (at, after) in pairwise(way):
        assert began < at
        assert before != after
        assert seen_at(account, policy, at - 1) == before
        assert seen_at(account, policy, at) == after


@settings(max_examples=400, deadline=None)
@given(both=policies_and_accounts)
def test_look_again_at_is_never_later_than_the_next_crossing(both: PolicyAndAccount) -> None:
    policy, account = both
    look = look_again_at(account, policy)
    assert NOON <= look <= NOON + FORESIGHT
    for at, _ in changes(account, policy, after=NOON, until=FOR_EVER)[:1]:
        assert look <= at


@settings(max_examples=300, deadline=None)
@given(both=policies_and_accounts, data=st.data())
def test_advancing_in_any_steps_is_advancing_in_one(both: PolicyAndAccount, data: st.DataObject) -> None:
    policy, account = both
    known = [at for at, _ in changes(account, policy, after=NOON, until=FOR_EVER)]
    near = [at + shift for at in known for shift in (-1, 0, 1)] or [NOON]
    instants = st.integers(NOON, NOON + 3 * YEAR) | st.integers(NOON, NOON + 60 * YEAR) | st.sampled_from(near)
    *stops, to = sorted(data.draw(st.lists(instants, min_size=2, max_size=6)))
    stepped, recorded = account, list[Crossing]()
    for stop in [*stops, to]:
        stepped, crossings = advance(stepped, policy, stop)
        recorded += crossings
    assert (stepped, tuple(recorded)) == advance(account, policy, to)


@settings(max_examples=200, deadline=None)
@given(both=policies_and_accounts, days=st.integers(0, 20_000))
def test_advance_records_every_change_and_looks_again_in_time(both: PolicyAndAccount, days: int) -> None:
    policy, account = both
    to = NOON + days * DAY
    moved, crossings = advance(account, policy, to)
    expected = changes(account, policy, after=NOON, until=to)
    assert [(each.at, each.after) for each in crossings] == expected
    assert {(each.cause, each.position) for each in crossings} <= {(Cause.TIME, None)}
    assert [account.place, *(each.after for each in crossings)] == [*(each.before for each in crossings), moved.place]
    assert moved.crossings == account.crossings + len(crossings)
    assert (moved.masses, moved.touched_at) == (account.masses, account.touched_at)
    assert to < moved.look_again_at <= to + FORESIGHT
    assert not changes(account, policy, after=to, until=moved.look_again_at - 1)


@settings(max_examples=200, deadline=None)
@given(both=policies_and_accounts, days=st.integers(0, 20_000))
def test_the_next_crossing_is_the_first_change_within_ten_years(both: PolicyAndAccount, days: int) -> None:
    policy, account = both
    after = NOON + days * DAY
    ahead = changes(account, policy, after=after, until=after + 10 * YEAR)
    assert next_crossing_at(account, policy, after=after) == (ahead[0][0] if ahead else None)


# Constructed tangencies: the felt balance only just reaches a level, or only just does not, and turns back.

DELIGHTED = Place(standing=Standing.DELIGHTED)
MARKED = Place(standing=Standing.OVERDRAWN, depth=Depth.MARKED)
DEEP = Place(standing=Standing.OVERDRAWN, depth=Depth.DEEP)
margins = st.floats(1e-9, 1e-7)


def excursion(account: Account, policy: Policy, place: Place) -> list[int]:
    """The durations of the stays in a place, in microseconds."""
    way = [(NOON, account.place), *changes(account, policy, after=NOON, until=FOR_EVER)]
    return [ends - begins for (begins, stay), (ends, _) in pairwise(way) if stay == place]


@given(credit=st.floats(62.0, 400.0), margin=margins)
def test_a_glow_that_is_only_just_reached_is_found_and_one_only_just_missed_is_not(
    credit: float, margin: float
) -> None:
    assert len(excursion(glowing(credit, margin), Policy(), DELIGHTED)) == 1
    assert not excursion(glowing(credit, -margin), Policy(), DELIGHTED)


@pytest.mark.parametrize(("level", "place"), [(-15.0, MARKED), (-50.0, DEEP)])
@given(share=st.floats(2.1, 20.0), margin=margins)
def test_a_depth_that_is_only_just_reached_is_found_and_one_only_just_missed_is_not(
    level: float, place: Place, share: float, margin: float
) -> None:
    assert len(excursion(sinking(-level * share, level, margin), Policy(), place)) == 1
    assert not excursion(sinking(-level * share, level, -margin), Policy(), place)


@given(margin=margins)
def test_an_account_that_only_just_is_overdrawn_is_and_one_that_only_just_is_not_is_not(margin: float) -> None:
    slight, steady = Place(standing=Standing.OVERDRAWN, depth=Depth.SLIGHT), Place(standing=Standing.STEADY)
    assert len(excursion(brushing_zero(-5e-7 - margin, is_owed=False), THREE, slight)) == 1
    assert not excursion(brushing_zero(-5e-7 + margin, is_owed=False), THREE, slight)
    assert len(excursion(brushing_zero(5e-7 - margin, is_owed=True), THREE, steady)) == 1
    assert not excursion(brushing_zero(5e-7 + margin, is_owed=True), THREE, steady)


@pytest.mark.parametrize(
    ("account", "policy", "place"),
    [
        (glowing(90.0, 1e-9), Policy(), DELIGHTED),
        (glowing(90.0, 1e-12), Policy(), DELIGHTED),
        (sinking(70.0, -15.0, 1e-9), Policy(), MARKED),
        (sinking(210.0, -50.0, 1e-9), Policy(), DEEP),
        (brushing_zero(-5e-7 - 1e-9, is_owed=False), THREE, Place(standing=Standing.OVERDRAWN, depth=Depth.SLIGHT)),
        (brushing_zero(5e-7 - 1e-9, is_owed=True), THREE, Place(standing=Standing.STEADY)),
    ],
)
def test_an_excursion_of_less_than_an_hour_is_recorded(account: Account, policy: Policy, place: Place) -> None:
    (duration,) = excursion(account, policy, place)
    assert 0 < duration < HOUR
    _, crossings = advance(account, policy, FOR_EVER)
    assert [each.after for each in crossings].count(place) == 1


# By hand.


@pytest.mark.parametrize(("points", "days"), [(20, 75), (45, 285)])
def test_a_lone_credit_glows_as_long_as_the_design_says(points: int, days: int) -> None:
    account = account_of(lone(points), Policy())
    at = next_crossing_at(account, Policy(), after=NOON)
    assert account.place == DELIGHTED
    assert at is not None
    assert (at - NOON) / DAY == pytest.approx(days, abs=1)
    assert (at - NOON) / DAY == pytest.approx(180 * log2(points / 15), abs=0.001)


def test_a_crossing_at_exactly_the_instant_asked_for_is_included() -> None:
    account = account_of(lone(20), Policy())
    at = next_crossing_at(account, Policy(), after=NOON)
    assert at is not None
    assert next_crossing_at(account, Policy(), after=at - 1) == at
    assert next_crossing_at(account, Policy(), after=at) != at
    before, crossings = advance(account, Policy(), at - 1)
    assert (before.place, before.look_again_at, crossings) == (DELIGHTED, at, ())
    reached, crossings = advance(account, Policy(), at)
    assert [each.at for each in crossings] == [at]
    assert (reached.place.standing, reached.standing_since) == (Standing.STEADY, at)


def test_nothing_is_computed_before_it_is_time_to_look_again() -> None:
    account = account_of(lone(20), Policy())
    assert advance(account, Policy(), account.look_again_at - 1)[0] is account


def test_a_lesser_depth_is_a_crossing_and_no_new_standing() -> None:
    account = account_of(lone(-60, Memory.PASSING), Policy(), Direction.DEBIT)
    moved, crossings = advance(account, Policy(), NOON + 200 * DAY)
    assert [each.after.depth for each in crossings] == [Depth.MARKED, Depth.SLIGHT]
    assert (moved.standing_since, moved.crossings) == (account.standing_since, 2)
    gone, crossings = advance(moved, Policy(), NOON + 2 * YEAR)
    assert gone.place == Place(standing=Standing.NO_EVIDENCE)
    assert gone.standing_since == crossings[-1].at


def test_what_never_fades_never_crosses() -> None:
    policy = Policy(half_lives=HalfLives(lasting=None, passing=None, deep=None, observed=None, fresh=None))
    account = account_of(lone(50, lives=policy.half_lives), policy)
    assert next_crossing_at(account, policy, after=NOON) is None
    assert account.look_again_at == NOON + FORESIGHT
    moved, crossings = advance(account, policy, NOON + 25 * YEAR)
    assert crossings == ()
    assert moved.look_again_at == NOON + 3 * FORESIGHT


def test_a_crossing_more_than_ten_years_ahead_is_not_foretold_but_comes() -> None:
    policy = Policy(half_lives=HalfLives(lasting=3650.0))
    account = account_of(lone(100, lives=policy.half_lives), policy)
    crossing = NOON + round(3650 * log2(100 / 15) * DAY)
    assert next_crossing_at(account, policy, after=NOON) is None
    assert next_crossing_at(account, policy, after=NOON + 20 * YEAR) == pytest.approx(crossing, abs=HOUR)
    _, crossings = advance(account, policy, NOON + 30 * YEAR)
    assert [each.at for each in crossings] == [pytest.approx(crossing, abs=HOUR)]


def test_a_segment_has_its_own_crossings() -> None:
    policy = Policy(segments={"gold": Thresholds(glow=5.0)})
    account = replace(account_of(lone(20), policy), segment="gold")
    assert next_crossing_at(account, policy, after=NOON) == pytest.approx(NOON + 360 * DAY, abs=HOUR)


def test_an_account_without_evidence_stays_without() -> None:
    account = account_of(Masses(at=NOON), Policy(), None)
    assert changes(account, Policy(), after=NOON, until=FOR_EVER) == []
    assert account.look_again_at == NOON + FORESIGHT
