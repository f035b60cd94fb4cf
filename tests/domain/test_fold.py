"""Folding a whole ledger gives what keeping it step by step gave: what `verify` and `rebuild` rely on."""

from dataclasses import replace
from math import inf, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.crossing import Cause, advance, next_crossing_at
from app.domain.fold import CustomerChange, Folded, fold, remembered
from app.domain.instant import DAY
from app.domain.memory import felt_at
from app.domain.policy import HalfLives, Memory, Policy, PolicyHistory, PolicySwitch, Thresholds
from app.domain.standing import Depth, Place, Standing
from tests.domain.paper import ACCOUNT_ID, Event, Paper, gaps, histories, postings, reversals
from tests.domain.strategies import NOON, policies, thresholds

GOLD = Policy(segments={"gold": Thresholds(glow=5.0, marked=-8.0), "silver": Thresholds(evidence=30.0)})

SHORT = Policy(half_lives=HalfLives(lasting=20.0, passing=5.0, deep=40.0, observed=9.0, fresh=2.0))
ENDLESS = Policy(half_lives=HalfLives(lasting=None, passing=None), segments=GOLD.segments)
POLICIES = {"gold": GOLD, "short": SHORT, "endless": ENDLESS}

looks = st.builds(lambda gap: ("look", gap, None), gaps)
moves = st.builds(lambda gap, name: ("segment", gap + 1, name), gaps, st.sampled_from(["gold", "silver", None]))
values = st.builds(lambda gap, name: ("value", gap + 1, name), gaps, st.sampled_from(["0", "7.5", None]))
turns = st.builds(lambda gap, name: ("switch", gap + 1, name), gaps, st.sampled_from(sorted(POLICIES)))
steps = st.lists(postings | reversals | postings | looks | moves | values | turns, max_size=14)

Step = Event | tuple[str, int, str | None]


def kept(history: list[Step], policy: Policy) -> Paper:
    """A ledger that begins with an entry, since only an entry opens an account."""
    paper = Paper(policy=policy)
    paper.credit(20)
    for step in history:
        if isinstance(step, Event):
            paper.step(replace(step, gap=step.gap + 1))
        elif step[0] == "look":
            paper.look(paper.now + step[1])
        elif step[0] == "value":
            paper.describe(paper.account.segment, float(step[2]) if step[2] else None, at=paper.now + step[1])
        elif step[0] == "switch":
            paper.switch_to(POLICIES[step[2] or ""], at=paper.now + step[1])
        else:
            paper.put_in(step[2], at=paper.now + step[1])
    return paper


@settings(max_examples=300)
@given(history=steps)
def test_the_fold_is_what_was_kept_step_by_step_however_often_one_looked(history: list[Step]) -> None:
    paper = kept(history, GOLD)

    folded = fold(ACCOUNT_ID, paper.entries, paper.changes, GOLD, paper.switches)

    account, unrecorded = advance(folded.account, paper.policy, paper.now)
    assert account == paper.account
    assert [*folded.crossings, *unrecorded] == paper.crossings
    assert account.crossings == len(paper.crossings)


@settings(max_examples=300, deadline=None)
@given(history=histories, policy=policies, segment=thresholds())
def test_a_fold_is_to_the_last_bit_what_advance_and_apply_make_of_each_entry(
    history: list[Event], policy: Policy, segment: Thresholds
) -> None:
    paper = Paper(policy=replace(policy, segments={"gold": segment}))
    paper.credit(20)
    for n, event in enumerate(history):
        paper.step(replace(event, gap=event.gap + 1))
        if n == len(history) // 2:
            paper.put_in("gold", at=paper.now + DAY)

    folded = fold(ACCOUNT_ID, paper.entries, paper.changes, paper.policy)

    assert repr(folded) == repr(Folded(account=paper.account, crossings=tuple(paper.crossings)))


@settings(max_examples=100)
@given(history=steps)
def test_crossings_are_a_chain_from_no_evidence_to_where_the_account_is(history: list[Step]) -> None:
    paper = kept(history, GOLD)
    nowhere = Place(standing=Standing.NO_EVIDENCE)
    ways = [(each.before, each.after) for each in paper.crossings]
    assert [nowhere, *(after for _, after in ways)] == [*(before for before, _ in ways), paper.account.place]
    assert [each.at for each in paper.crossings] == sorted(each.at for each in paper.crossings)
    assert all(before != after for before, after in ways)


@pytest.mark.parametrize("shift", [-1, 0, 1])
def test_an_entry_around_the_very_instant_of_a_time_crossing_is_folded_as_it_was_kept(shift: int) -> None:
    paper = kept([], Policy())
    ends = next_crossing_at(paper.account, paper.policy, after=NOON)
    assert ends is not None
    paper.credit(-30, at=ends + shift)

    folded = fold(ACCOUNT_ID, paper.entries, [], Policy())

    assert (folded.account, list(folded.crossings)) == (paper.account, paper.crossings)
    times = [each.at for each in folded.crossings if each.cause is Cause.TIME]
    assert times == ([] if shift < 0 else [ends])


def test_a_segment_with_other_thresholds_places_the_account_elsewhere_at_its_own_instant() -> None:
    paper = kept([], GOLD)
    paper.credit(-30, at=NOON + DAY)
    paper.put_in("gold", at=NOON + 2 * DAY)

    folded = fold(ACCOUNT_ID, paper.entries, paper.changes, GOLD)

    slight, marked = (Place(standing=Standing.OVERDRAWN, depth=depth) for depth in (Depth.SLIGHT, Depth.MARKED))
    last = folded.crossings[-1]
    assert (last.at, last.cause, last.before, last.after) == (NOON + 2 * DAY, Cause.SEGMENT, slight, marked)
    assert folded.account.segment == "gold"
    assert folded.account.standing_since == NOON + DAY


def test_a_change_of_value_alone_is_no_crossing_and_leaves_when_to_look_again() -> None:
    paper = kept([Event(gap=DAY, points=-30)], GOLD)
    before, crossings = paper.account, list(paper.crossings)
    paper.describe(None, 1200.5, at=NOON + 2 * DAY)

    folded = fold(ACCOUNT_ID, paper.entries, paper.changes, GOLD)

    assert folded.account == replace(before, value=1200.5, touched_at=NOON + 2 * DAY)
    assert list(folded.crossings) == crossings


def test_what_time_did_before_a_change_of_value_is_not_done_again_before_the_next_entry() -> None:
    paper = Paper(policy=GOLD)
    paper.credit(-60, memory=Memory.PASSING)
    paper.describe(None, 7.5, at=NOON + 200 * DAY)
    paper.credit(1, at=NOON + 201 * DAY)

    folded = fold(ACCOUNT_ID, paper.entries, paper.changes, GOLD)

    depths = [each.after.depth for each in folded.crossings]
    assert depths == [Depth.DEEP, Depth.MARKED, Depth.SLIGHT]
    assert (folded.account, list(folded.crossings)) == (paper.account, paper.crossings)


@pytest.mark.parametrize("value", [-1.0, inf, nan])
def test_no_value_is_folded_that_nobody_can_have_set(value: float) -> None:
    paper = kept([], GOLD)
    with pytest.raises(AssertionError):
        fold(ACCOUNT_ID, paper.entries, [CustomerChange(changed_at=NOON + 1, segment=None, value=value)], GOLD)


def test_a_switch_recomputes_what_is_felt_and_leaves_earlier_crossings() -> None:
    paper = kept([Event(gap=30 * DAY, points=-30)], GOLD)
    earlier = list(paper.crossings)
    paper.switch_to(SHORT, at=NOON + 40 * DAY)

    folded = fold(ACCOUNT_ID, paper.entries, paper.changes, GOLD, paper.switches)

    expected = remembered(paper.entries, SHORT.half_lives)
    assert folded.account.masses == paper.account.masses == expected
    assert expected.at == paper.entries[-1].booked_at
    assert felt_at(expected, SHORT.half_lives, NOON + 40 * DAY).balance == pytest.approx(
        20 * 2 ** (-40 / 20) - 30 * 2 ** (-10 / 20)
    )
    assert list(folded.crossings[: len(earlier)]) == earlier
    assert {each.cause for each in folded.crossings[len(earlier) :]} <= {Cause.TIME, Cause.POLICY}


def test_a_line_is_folded_under_the_policy_in_force_when_it_was_booked() -> None:
    switches = tuple(PolicySwitch(policy=each, from_position=n, adopted_at=n) for n, each in ((0, GOLD), (0, SHORT)))
    late = PolicySwitch(policy=ENDLESS, from_position=7, adopted_at=9)
    history = PolicyHistory((*switches, late))
    assert history.in_force == ENDLESS
    assert history.from_line(1) == history.from_line(7) == (SHORT, (late,))
    assert history.from_line(8) == (ENDLESS, ())


def test_the_order_in_which_entries_and_changes_are_handed_in_does_not_matter() -> None:
    paper = kept([Event(gap=DAY, points=-30), ("segment", DAY, "gold"), Event(gap=DAY, points=8)], GOLD)
    backwards = fold(ACCOUNT_ID, paper.entries, paper.changes[::-1], GOLD)
    assert backwards == fold(ACCOUNT_ID, paper.entries, paper.changes, GOLD)
