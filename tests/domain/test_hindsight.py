"""What was true at one instant as far as it was known at another: against a sum over everything, by brute force."""

from math import fsum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.entry import Entry
from app.domain.hindsight import in_hindsight
from app.domain.instant import DAY, YEAR, Instant
from app.domain.policy import Memory, Policy, Thresholds
from app.domain.standing import Depth, Place, Standing, place_at
from tests.domain.paper import Event, Paper, draft, histories, last_of
from tests.domain.strategies import NOON

POLICY = Policy(segments={"gold": Thresholds(evidence=60.0)})


def kept_from(entries: list[Entry], *, as_of: Instant, known_at: Instant) -> list[Entry]:
    """The entries that count, each looked at by itself."""
    known = [entry for entry in entries if entry.booked_at <= known_at]
    reversed_ids = [entry.reverses for entry in known if entry.reverses]
    effective = [entry for entry in known if entry.reverses is None and entry.entry_id not in reversed_ids]
    return [entry for entry in effective if entry.value_at <= as_of]


def felt_of(entries: list[Entry], t: Instant) -> float:
    half_lives = POLICY.half_lives
    days = {memory: half_lives.of(memory) or 0.0 for memory in Memory}
    return fsum(entry.points * 2 ** (-(t - entry.value_at) / DAY / days[entry.memory]) for entry in entries)


@settings(max_examples=300)
@given(history=histories, data=st.data())
def test_hindsight_is_the_sum_over_what_was_known_and_not_reversed(history: list[Event], data: st.DataObject) -> None:
    paper = Paper()
    for event in history:
        paper.step(event)
    told = sorted({instant for entry in paper.entries for instant in (entry.booked_at, entry.value_at)} | {NOON})
    instants = st.sampled_from([t + shift for t in told for shift in (-1, 0, 1)]) | st.integers(
        NOON - YEAR, paper.now + YEAR
    )
    as_of, known_at = data.draw(instants), data.draw(instants)

    seen = in_hindsight(paper.entries, POLICY, None, as_of=as_of, known_at=known_at)

    kept = kept_from(paper.entries, as_of=as_of, known_at=known_at)
    booked = [entry for entry in paper.entries if entry.booked_at <= known_at and entry.value_at <= as_of]
    assert (seen is None) == (booked == [])
    if seen is not None:
        assert list(seen.kept) == kept
        assert seen.balance == sum(entry.points for entry in kept)
        assert seen.felt.balance == pytest.approx(felt_of(kept, as_of), abs=1e-9 * (1 + 100 * len(kept)))
        assert (seen.sequence, seen.last_entry_at) == (booked[-1].sequence, booked[-1].booked_at)


@settings(max_examples=200)
@given(history=histories)
def test_hindsight_at_the_present_is_the_present(history: list[Event]) -> None:
    paper = Paper()
    for event in history:
        paper.step(event)
    if not paper.entries:
        return
    seen = in_hindsight(paper.entries, POLICY, None, as_of=paper.now, known_at=paper.now)
    assert seen is not None
    last = last_of(paper.entries)
    present = place_at(
        paper.account.masses, last.direction if last else None, POLICY.half_lives, POLICY.thresholds, paper.now
    )
    assert (seen.balance, seen.place) == (paper.account.balance, present)


def test_what_was_reversed_later_is_still_there_as_it_was_known_then() -> None:
    paper = Paper()
    wrong = paper.credit(45, at=NOON)
    paper.reverse(wrong, at=NOON + 10 * DAY)
    then = in_hindsight(paper.entries, POLICY, None, as_of=NOON + DAY, known_at=NOON + 9 * DAY)
    now = in_hindsight(paper.entries, POLICY, None, as_of=NOON + DAY, known_at=NOON + 10 * DAY)
    assert then is not None
    assert now is not None
    assert (then.balance, then.place) == (45, Place(standing=Standing.DELIGHTED))
    assert (now.balance, now.place) == (0, Place(standing=Standing.NO_EVIDENCE))


def test_what_was_booked_late_was_not_known_before() -> None:
    paper = Paper()
    paper.credit(8, at=NOON)
    late = draft(2, value_at=NOON + DAY, points=-30, memory=Memory.PASSING)
    paper.book(late, at=NOON + 5 * DAY)
    as_known_then = in_hindsight(paper.entries, POLICY, None, as_of=NOON + DAY, known_at=NOON + 4 * DAY)
    as_known_now = in_hindsight(paper.entries, POLICY, None, as_of=NOON + DAY, known_at=NOON + 5 * DAY)
    assert as_known_then is not None
    assert as_known_now is not None
    assert as_known_then.balance == 8
    assert as_known_now.place == Place(standing=Standing.OVERDRAWN, depth=Depth.MARKED)


def test_hindsight_uses_the_thresholds_of_the_segment() -> None:
    paper = Paper()
    paper.credit(45, at=NOON)
    seen = in_hindsight(paper.entries, POLICY, "gold", as_of=NOON, known_at=NOON)
    assert seen is not None
    assert seen.place == Place(standing=Standing.NO_EVIDENCE)


def test_neither_a_neutral_nor_a_system_entry_is_the_last_in_hindsight() -> None:
    paper = Paper()
    paper.credit(12, at=NOON)
    paper.book(draft(2, value_at=NOON + DAY, points=0, kind="contact.neutral"), at=NOON + DAY)
    paper.book(draft(3, value_at=NOON + DAY, points=-2, kind="promise.moved"), at=NOON + DAY)
    seen = in_hindsight(paper.entries, POLICY, None, as_of=NOON + DAY, known_at=NOON + DAY)
    assert seen is not None
    assert seen.place == Place(standing=Standing.ABOUT_TO_BE_DELIGHTED)
