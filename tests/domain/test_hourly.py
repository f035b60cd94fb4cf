"""The domain's crossings are those of a fold by brute force at one-hour steps that knows nothing of the domain."""

import ast
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.domain.crossing import Crossing
from app.domain.entry import Entry
from app.domain.instant import DAY, HOUR
from app.domain.policy import MEMORIES, HalfLives, Policy, Thresholds
from app.domain.policy_document import policy_document
from tests import hourly
from tests.as_booked import recorded
from tests.domain.paper import Event, Paper
from tests.domain.strategies import THREE, thresholds
from tests.hourly import Recorded, compared

BRISK = HalfLives(lasting=18.0, passing=9.0, deep=36.0, observed=12.0, fresh=1.4)

gaps = st.integers(0, 30 * DAY) | st.integers(0, 3 * HOUR) | st.sampled_from([0, HOUR])
postings = st.builds(
    Event,
    gap=gaps,
    points=st.integers(-60, 60) | st.sampled_from([-20, -12, 0, 10, 20, 45]),
    memory=st.sampled_from(MEMORIES),
    lag=st.just(0) | st.integers(0, 60 * DAY),
    kind=st.sampled_from(["apology.first", "apology.first", "apology.first", "promise.made"]),
)
reversals = st.builds(Event, gap=gaps, reverses=st.integers(0, 5))
histories = st.lists(postings | postings | reversals, min_size=2, max_size=7)
policies = st.builds(
    Policy, half_lives=st.sampled_from([HalfLives(), BRISK, THREE.half_lives]), thresholds=thresholds()
)


@settings(max_examples=200)
@given(history=histories, policy=policies)
@example(history=[Event(gap=0, points=20), Event(gap=DAY, points=-18)], policy=Policy())
def test_crossings_are_those_of_a_fold_at_one_hour_steps(history: list[Event], policy: Policy) -> None:
    paper = lived(history, policy)

    found = compared(lines_of(paper.entries), document_of(policy), recorded_of(paper.crossings), paper.now)

    assert (found.unseen, found.unrecorded) == ((), ())
    assert len(found.agreeing) + len(found.brief) == len(paper.crossings)


def test_what_comes_and_goes_within_an_hour_is_told_apart() -> None:
    """A lone +20 stops glowing after ten days, and twenty minutes later it is fresh no more."""
    glow, fresh = 20 * 2 ** (-10 / 180), 20 * 2 ** (-(10 + 1 / 72) / 14)
    paper = lived([Event(gap=0, points=20)], Policy(thresholds=Thresholds(glow=glow, fresh=fresh)))
    lines, policy = lines_of(paper.entries), document_of(paper.policy)
    entered, faded, stale = recorded_of(paper.crossings)

    found = compared(lines, policy, [entered, faded, stale], paper.now)

    assert stale.at - faded.at < HOUR
    assert (found.agreeing, found.brief) == ((entered,), (faded, stale))
    assert (found.unseen, found.unrecorded) == ((), ())


def test_a_crossing_too_many_too_few_too_late_or_elsewhere_is_noticed() -> None:
    paper = lived([Event(gap=0, points=20)], Policy(thresholds=Thresholds(glow=18.0)))
    lines, policy = lines_of(paper.entries), document_of(paper.policy)
    entered, faded = recorded_of(paper.crossings)
    late = replace(faded, at=faded.at + HOUR)
    elsewhere = replace(faded, now=("overdrawn", "slight"))
    twice = [faded, replace(faded, at=faded.at + 1, before=faded.now, now=faded.before)]

    for changed in ([entered, late], [entered, elsewhere], [entered, *twice], [entered], [faded]):
        found = compared(lines, policy, changed, paper.now)
        assert found.unseen or found.unrecorded
    assert compared(lines, policy, [entered, faded], paper.now).agreeing == (entered, faded)


def test_the_fold_by_brute_force_is_given_nothing_of_the_domain() -> None:
    tree = ast.parse(Path(hourly.__file__).read_text())
    imported = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = [each.module or "" if isinstance(each, ast.ImportFrom) else each.names[0].name for each in imported]
    assert [name for name in names if name.partition(".")[0] not in sys.stdlib_module_names] == []


def lived(history: list[Event], policy: Policy) -> Paper:
    """The account on paper, and 150 days after."""
    paper = Paper(policy=policy)
    for event in history:
        paper.step(event)
    paper.look(paper.now + 150 * DAY)
    return paper


def lines_of(entries: list[Entry]) -> list[dict[str, Any]]:
    """Entries as an export has them."""
    return [
        {
            "entry_id": str(entry.entry_id),
            "sequence": entry.sequence,
            "kind": entry.kind,
            "points": entry.points,
            "memory": entry.memory.value,
            "value_at": entry.value_at,
            "booked_at": entry.booked_at,
            "reverses": None if entry.reverses is None else str(entry.reverses),
        }
        for entry in entries
    ]


def recorded_of(crossings: list[Crossing]) -> list[Recorded]:
    """Crossings as the fold by brute force takes them."""
    return [recorded(each) for each in crossings]


def document_of(policy: Policy) -> dict[str, Any]:
    """The policy as its JSON document."""
    document: dict[str, Any] = json.loads(policy_document(policy))
    return document
