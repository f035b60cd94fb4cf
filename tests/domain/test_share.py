"""What an account keeps of its heaviest entries says at any later instant what a look at all its lines says."""

from dataclasses import replace
from math import isclose

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.entry import Entry
from app.domain.instant import DAY, YEAR, Instant
from app.domain.memory import fading
from app.domain.policy import HalfLives, Memory, Policy
from app.domain.share import (
    BECAUSE_MAX,
    Heavy,
    because,
    heaviest_among,
    heaviest_in,
    heaviest_of,
    heavy,
    with_entry,
)
from tests.domain.paper import Event, Paper, postings, reversals, unreversed
from tests.domain.strategies import half_lives

ties = st.builds(  # of equal weight: half-lives apart, or posted twice
    Event,
    gap=st.sampled_from([0, 90 * DAY, 180 * DAY]),
    points=st.sampled_from([-20, -10, 10, 20, 40]),
    memory=st.sampled_from([Memory.LASTING, Memory.PASSING]),
    lag=st.sampled_from([0, 90 * DAY, 360 * DAY]),
)
histories = st.lists(ties | ties | postings | reversals, min_size=1, max_size=25)
later = st.integers(0, 10 * YEAR) | st.sampled_from([0, 90 * DAY, 1000 * YEAR])

OLD, NEW = Event(gap=0, points=40, lag=360 * DAY), Event(gap=0, points=20)
FADED = HalfLives(lasting=0.01, passing=0.01)


@given(histories, half_lives(), later)
@example([OLD, OLD, OLD, NEW], HalfLives(), DAY)
@example([Event(gap=0, points=points, lag=points * DAY) for points in (1, 2, 3, 4, 5)], FADED, YEAR)
def test_the_heaviest_of_each_memory_hold_the_heaviest_of_all_at_any_later_instant(
    events: list[Event], lives: HalfLives, more: int
) -> None:
    paper, kept = Paper(policy=Policy(half_lives=lives)), "[]"
    for event in events:
        sequence = len(paper.entries)
        paper.step(event)
        entries, t = paper.entries, paper.now + more
        kept = _followed(kept, entries, lives) if len(entries) > sequence else kept
        assert kept == heaviest_of(entries, lives)

        found = because(kept, lives, t)

        left = {entry.entry_id.hex: entry for entry in unreversed(entries) if entry.is_effective}
        weights = sorted((abs(_felt(entry, lives, t)) for entry in left.values()), reverse=True)[:BECAUSE_MAX]
        assert len({share.entry.entry_id for share in found}) == len(found) == len(weights)
        assert [share.felt for share in found] == [_felt(left[share.entry.entry_id], lives, t) for share in found]
        for share, weight in zip(found, weights, strict=True):
            assert isclose(abs(share.felt), weight, rel_tol=1e-6)


def _followed(kept: str, entries: list[Entry], lives: HalfLives) -> str:
    """What is kept after the last entry; read from the lines where that says it must be, and then there was need to."""
    after = with_entry(kept, entries[-1], lives)
    if after is not None:
        return after
    (gone,) = (entry for entry in entries if entry.entry_id == entries[-1].reverses)
    assert kept.count(f'"{gone.memory}"') == BECAUSE_MAX
    assert gone.entry_id.hex in kept
    return heaviest_of(entries, lives)


def _felt(entry: Entry, lives: HalfLives, t: Instant) -> float:
    return entry.points * fading(lives.of(entry.memory), t - entry.value_at)


def test_of_what_weighs_the_same_the_later_entry_comes_first() -> None:
    paper = Paper()
    for _ in range(5):
        paper.credit(10)
    paper.credit(-10, memory=Memory.DEEP)

    kept = heaviest_of(paper.entries, HalfLives())

    assert [share.entry.sequence for share in because(kept, HalfLives(), paper.now)] == [6, 5, 4]


@given(st.permutations(range(5)), st.sampled_from([None, 90.0]))
def test_of_what_came_with_one_merge_and_weighs_the_same_the_ids_decide(order: list[int], days: float | None) -> None:
    lives = replace(HalfLives(), lasting=days)
    came = [Heavy(7, f"{number:032x}", "apology.first", 3, DAY, "lasting") for number in order]

    kept = heaviest_among(came, lives)

    assert [each.entry_id for each in heaviest_in(kept)] == [f"{number:032x}" for number in (2, 3, 4)]
    paper = Paper(policy=Policy(half_lives=lives))
    paper.step(Event(gap=0, points=40))
    heavier = replace(paper.entries[-1], sequence=8, value_at=DAY)
    assert with_entry(kept, heavier, lives) == heaviest_among([*came, heavy(heavier)], lives)


def test_what_nobody_knows_stays_unknown() -> None:
    assert with_entry(None, Paper().credit(10), HalfLives()) is None


def test_neutral_system_and_light_entries_change_nothing() -> None:
    paper = Paper()
    for points in (5, 6, 7):
        paper.credit(points)
    kept = heaviest_of(paper.entries, HalfLives())
    for event in (
        Event(gap=0),
        Event(gap=0, points=40, kind="promise.made"),
        Event(gap=0, points=-1, memory=Memory.LASTING),
    ):
        paper.step(event)
        assert with_entry(kept, paper.entries[-1], HalfLives()) is kept
    paper.reverse(paper.entries[-1])
    assert with_entry(kept, paper.entries[-1], HalfLives()) is kept


def test_a_kind_may_be_called_as_another_entry_is() -> None:
    paper = Paper()
    paper.credit(5)
    first = paper.entries[0]
    for _ in range(3):
        paper.step(Event(gap=0, points=10, kind=f"x.{first.entry_id.hex}"))
    kept = heaviest_of(paper.entries, HalfLives())
    assert kept.count(first.entry_id.hex) == 3
    paper.reverse(first)

    assert with_entry(kept, paper.entries[-1], HalfLives()) == kept


@pytest.mark.parametrize(("posted", "is_known"), [(2, True), (3, False)])
def test_only_where_there_may_be_a_fourth_must_the_lines_be_read_once_one_is_reversed(
    posted: int, is_known: bool
) -> None:
    paper = Paper()
    for _ in range(posted):
        paper.credit(10)
    kept = heaviest_of(paper.entries, HalfLives())
    paper.reverse(paper.entries[0])

    after = with_entry(kept, paper.entries[-1], HalfLives())

    assert after == (heaviest_among([heavy(paper.entries[1])], HalfLives()) if is_known else None)
