"""Posting and its undoing: what an entry does to an account, and that its reversal leaves nothing of it."""

from dataclasses import replace
from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.chain import canonical_entry, genesis
from app.domain.crossing import Cause, next_crossing_at
from app.domain.entry import moved_on, post
from app.domain.instant import DAY, MINUTE
from app.domain.memory import Masses, felt_at
from app.domain.policy import MEMORIES, HalfLives, Memory, Policy
from app.domain.standing import Depth, Direction, Place, Standing
from tests.domain.paper import EMPTY, Event, Paper, draft, gaps, histories, lags, last_of, postings
from tests.domain.strategies import NOON

STEADY = Place(standing=Standing.STEADY)
DELIGHTED = Place(standing=Standing.DELIGHTED)
NO_EVIDENCE = Place(standing=Standing.NO_EVIDENCE)


@settings(max_examples=150)
@given(history=histories)
def test_positions_and_sequences_are_gapless_and_balances_run(history: list[Event]) -> None:
    paper = Paper()
    for event in history:
        paper.step(event)

    places = list(range(1, len(paper.entries) + 1))
    assert [entry.position for entry in paper.entries] == places
    assert [entry.sequence for entry in paper.entries] == places
    assert [entry.balance_after for entry in paper.entries] == [
        sum(entry.points for entry in paper.entries[:count]) for count in places
    ]
    last = paper.entries[-1:]
    assert [(paper.account.balance, paper.account.sequence)] * len(last) == [
        (entry.balance_after, entry.sequence) for entry in last
    ]
    assert all(before.booked_at <= after.booked_at for before, after in pairwise(paper.entries))


@settings(max_examples=100)
@given(history=histories)
def test_each_hash_holds_the_one_before_and_the_head_holds_the_last(history: list[Event]) -> None:
    paper = Paper()
    previous = genesis("acme")
    for event in history:
        paper.step(event)
    for entry in paper.entries:
        previous = sha256(previous + canonical_entry(entry)).digest()
        assert entry.hash == previous
    assert (paper.head.hash, paper.head.position) == (previous, len(paper.entries))


def felt(paper: Paper) -> float:
    return felt_at(paper.account.masses, paper.policy.half_lives, paper.now).balance


def numbers(masses: Masses) -> tuple[float, ...]:
    return (*masses.credits, *masses.debits, *masses.big, masses.fresh)


@settings(max_examples=300)
@given(before=histories, wrong=postings, after=histories, gap=gaps)
def test_a_reversal_leaves_the_account_as_if_the_original_had_never_been(
    before: list[Event], wrong: Event, after: list[Event], gap: int
) -> None:
    with_it, without_it = Paper(), Paper()
    for event in before:
        with_it.step(event)
        without_it.step(event)
    with_it.step(wrong)
    original = with_it.entries[-1]
    without_it.look(with_it.now)
    for event in after:
        with_it.step(_neutral_if_reversal(event))
        without_it.step(_neutral_if_reversal(event))
        without_it.look(with_it.now)
    with_it.reverse(original, at=with_it.now + gap)
    without_it.look(with_it.now)

    _is_the_same(with_it, without_it)


def _neutral_if_reversal(event: Event) -> Event:
    """Of the entries that a later reversal could name there is one more with the original: so it names none."""
    return event if event.reverses is None else Event(gap=event.gap)


def _is_the_same(with_it: Paper, without_it: Paper) -> None:
    at = with_it.now
    weight = 1e-9 * (1 + sum(abs(entry.points) for entry in with_it.entries))
    left = with_it.account.masses
    expected = felt_at(without_it.account.masses, with_it.policy.half_lives, at)
    assert felt(with_it) == pytest.approx(expected.balance, abs=weight)
    assert round(felt(with_it) - expected.balance, 2) == 0.0
    assert felt_at(left, with_it.policy.half_lives, at).fresh == pytest.approx(expected.fresh, abs=weight)
    assert felt_at(left, with_it.policy.half_lives, at).big == pytest.approx(expected.big, abs=weight)
    assert min(numbers(left)) >= 0.0
    assert with_it.account.balance == without_it.account.balance
    assert with_it.account.place == without_it.account.place
    last, expected_last = with_it.account.last, without_it.account.last
    assert (last is None) == (expected_last is None)
    if last and expected_last:
        assert (last.value_at, last.direction) == (expected_last.value_at, expected_last.direction)


@settings(max_examples=200)
@given(
    points=st.integers(-100, 100).filter(bool),
    memory=st.sampled_from(MEMORIES),
    lag=lags,
    waits=st.lists(st.tuples(gaps, st.booleans()), max_size=8),
    gap=gaps,
)
def test_a_lone_entry_is_felt_as_nothing_once_it_is_reversed(
    points: int, memory: Memory, lag: int, waits: list[tuple[int, bool]], gap: int
) -> None:
    paper = Paper()
    paper.step(Event(gap=0, points=points, memory=memory, lag=lag))
    original = paper.entries[-1]
    for wait, is_posting in waits:
        if is_posting:
            paper.step(Event(gap=wait))
        else:
            paper.look(paper.now + wait)
    paper.reverse(original, at=paper.now + gap)

    assert round(felt(paper), 2) == 0.0
    assert paper.account.place == NO_EVIDENCE
    assert paper.account.last is None
    assert paper.account.balance == 0


@settings(max_examples=300)
@given(history=histories)
def test_the_last_effective_entry_is_the_last_by_value_time_whatever_was_back_dated_or_reversed(
    history: list[Event],
) -> None:
    paper = Paper()
    for event in history:
        paper.step(event)
        assert paper.account.last == last_of(paper.entries)


@pytest.mark.parametrize(
    ("gone", "direction"),
    [
        ([2], Direction.CREDIT),
        ([1], Direction.DEBIT),
        ([2, 1], Direction.CREDIT),
        ([2, 1, 0], None),
        ([0], Direction.DEBIT),
    ],
)
def test_reversing_the_last_or_the_last_but_one_leaves_the_right_one_last(
    gone: list[int], direction: Direction | None
) -> None:
    paper = Paper()
    posted = [paper.credit(points, at=NOON + day * DAY) for day, points in enumerate([8, 9, -7])]
    for each in gone:
        paper.reverse(posted[each])
    assert last_direction(paper) == direction


def last_direction(paper: Paper) -> Direction | None:
    return paper.account.last.direction if paper.account.last else None


def test_a_back_dated_debit_is_not_the_last_entry_but_its_turn_comes() -> None:
    paper = Paper()
    paper.credit(12, at=NOON)
    paper.book(draft(2, value_at=NOON - DAY, points=-3, memory=Memory.PASSING), at=NOON + MINUTE)
    assert last_direction(paper) == Direction.CREDIT
    paper.reverse(paper.entries[0])
    assert last_direction(paper) == Direction.DEBIT


def test_of_equal_value_times_the_later_booked_entry_is_the_last() -> None:
    paper = Paper()
    paper.credit(12, at=NOON)
    paper.credit(-2, at=NOON, memory=Memory.PASSING)
    assert paper.account.last is not None
    assert paper.account.last.sequence == 2


def test_a_time_crossing_at_exactly_booked_at_comes_before_the_entry() -> None:
    paper = Paper()
    paper.credit(20, at=NOON)
    ends = next_crossing_at(paper.account, paper.policy, after=NOON)
    assert ends is not None

    paper.credit(-30, at=ends, memory=Memory.PASSING)

    overdrawn = Place(standing=Standing.OVERDRAWN, depth=Depth.MARKED)
    assert [(each.at, each.cause, each.before, each.after, each.position) for each in paper.crossings] == [
        (NOON, Cause.ENTRY, NO_EVIDENCE, DELIGHTED, 1),
        (ends, Cause.TIME, DELIGHTED, STEADY, None),
        (ends, Cause.ENTRY, STEADY, overdrawn, 2),
    ]
    assert (paper.account.standing_since, paper.account.crossings) == (ends, 3)


def test_one_microsecond_earlier_there_is_no_time_crossing() -> None:
    paper = Paper()
    paper.credit(20, at=NOON)
    ends = next_crossing_at(paper.account, paper.policy, after=NOON)
    assert ends is not None
    paper.credit(-30, at=ends - 1, memory=Memory.PASSING)
    assert [each.cause for each in paper.crossings] == [Cause.ENTRY, Cause.ENTRY]
    assert paper.crossings[-1].before == DELIGHTED


def test_a_reversal_is_a_crossing_of_its_own_cause() -> None:
    paper = Paper()
    paper.reverse(paper.credit(45), at=NOON + DAY)
    assert [(each.cause, each.after) for each in paper.crossings] == [
        (Cause.ENTRY, DELIGHTED),
        (Cause.REVERSAL, NO_EVIDENCE),
    ]


def test_neutral_entries_and_system_entries_are_history_and_nothing_else() -> None:
    paper = Paper()
    paper.credit(8)
    known = paper.account
    paper.book(draft(2, value_at=NOON, points=0), at=NOON + 1)
    paper.book(draft(3, value_at=NOON + 1, points=0, kind="promise.made"), at=NOON + 2)
    assert paper.account.last == known.last
    assert paper.account.place == known.place
    assert paper.account.sequence == 3


def test_the_head_counts_what_was_booked_while_history_was_replayed() -> None:
    paper = Paper()
    entry = post(EMPTY, paper.account, draft(1, value_at=NOON), booked_at=NOON)
    assert moved_on(EMPTY, entry).replayed_to == 0
    assert moved_on(replace(EMPTY, replaying=True), entry).replayed_to == 1


@given(days=st.floats(1.0, 400.0))
def test_what_never_fades_is_taken_out_exactly(days: float) -> None:
    paper = Paper(policy=Policy(half_lives=HalfLives(lasting=None, passing=None, deep=None, observed=None, fresh=days)))
    paper.reverse(paper.credit(45, at=NOON), at=NOON + 500 * DAY)
    assert numbers(paper.account.masses)[:12] == (0.0,) * 12
