"""The gestures proposed are the smallest that lead where they promise: every one of the tariff is tried beside them."""

from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.domain.gestures import GESTURES_MAX, Proposal, propose
from app.domain.instant import DAY
from app.domain.memory import felt_at
from app.domain.policy import Policy
from app.domain.standing import Depth, Place, Standing
from app.domain.tariff import Tariff
from app.domain.tariff_document import default_tariff, parse_tariff
from tests.domain.paper import Event, Paper, draft, histories, unreversed
from tests.domain.strategies import NOON, policies

TARIFF = default_tariff()
LABEL = {"en": "A", "fr": "B"}
GESTURES = {rule.name: rule.points for rule in TARIFF.kinds.values() if rule.gesture and isinstance(rule.points, int)}
HEIGHT = {Depth.DEEP: 0, Depth.MARKED: 1, Depth.SLIGHT: 2}
STANDING_HEIGHT = {Standing.STEADY: 3, Standing.ABOUT_TO_BE_DELIGHTED: 3, Standing.DELIGHTED: 4}


def height(place: Place) -> int | None:
    return HEIGHT[place.depth] if place.depth else STANDING_HEIGHT.get(place.standing)


def lived(history: list[Event], policy: Policy) -> Paper:
    paper = Paper(policy=policy)
    for event in history:
        paper.step(event)
    return paper


def proposed(paper: Paper, tariff: Tariff = TARIFF) -> Proposal:
    return propose(paper.head, paper.account, unreversed(paper.entries), paper.policy, tariff, paper.now)


def after(paper: Paper, *points: int) -> tuple[Place, float]:
    """Where the account is once credits of so many points are really booked, next on the ledger."""
    copy = replace(paper, entries=[*paper.entries], crossings=[])
    for worth in points:
        copy.credit(worth, at=max(copy.now, copy.head.booked_at + 1))
    return copy.account.place, felt_at(copy.account.masses, copy.policy.half_lives, copy.now).balance


def rises(paper: Paper, *points: int) -> bool:
    return (height(after(paper, *points)[0]) or 0) > (height(paper.account.place) or 0)


def gestures_of(*points: int) -> Tariff:
    kinds: dict[str, Any] = {
        f"gesture.no_{number}": {"label": LABEL, "points": worth, "gesture": True, "group": group(worth)}
        for number, worth in enumerate(points)
    }
    return parse_tariff({**TARIFF.document, "kinds": kinds})


def group(points: int) -> str:
    return "big_credit" if points >= 20 else "small_credit"


@given(histories, policies)
def test_each_gesture_leads_where_it_promises_and_no_smaller_one_crosses(history: list[Event], policy: Policy) -> None:
    paper = lived(history, policy)
    stands = height(paper.account.place)
    proposal = proposed(paper)
    if stands is None or stands == 4:
        assert (proposal.towards, proposal.gestures) == (None, ())
        return

    assert proposal.towards is not None
    assert height(proposal.towards) == stands + 1
    crossing = sorted(points for points in may_do(paper).values() if rises(paper, points))
    if crossing:
        assert [sum(gesture.points) for gesture in proposal.gestures] == crossing[:GESTURES_MAX]
    for gesture in proposal.gestures:
        place, felt = after(paper, *gesture.points)
        assert gesture.place == place
        assert gesture.felt == pytest.approx(felt, abs=1e-6)


@given(st.integers(101, 150))
def test_where_no_gesture_reaches_it_the_smallest_pair_does(owed: int) -> None:
    paper = Paper()
    paper.credit(-owed)

    crossing = [
        GESTURES[one] + GESTURES[other]
        for one, other in combinations(GESTURES, 2)
        if not ("apology" in one and "apology" in other) and rises(paper, GESTURES[one], GESTURES[other])
    ]
    found = [sum(gesture.points) for gesture in proposed(paper).gestures]
    assert found == ([min(crossing)] if crossing else [])


@given(st.lists(st.integers(1, 60), min_size=1, max_size=8), st.integers(1, 200))
def test_any_tariff_is_searched_to_the_smallest(points: list[int], owed: int) -> None:
    paper = Paper()
    paper.credit(-owed)
    assume(height(paper.account.place) is not None)
    single = sorted(worth for worth in points if rises(paper, worth))
    pairs = [sum(pair) for pair in combinations(points, 2) if rises(paper, *pair)]
    found = [sum(gesture.points) for gesture in proposed(paper, gestures_of(*points)).gestures]
    assert found == (single[:GESTURES_MAX] or ([min(pairs)] if pairs else []))


def may_do(paper: Paper) -> dict[str, int]:
    """The gestures of the default tariff, no apology for whoever had one."""
    had = any("apology" in entry.kind for entry in unreversed(paper.entries))
    return {name: points for name, points in GESTURES.items() if not (had and name.startswith("apology."))}


def test_an_apology_is_proposed_once() -> None:
    paper = Paper()
    paper.book(draft(1, value_at=NOON, points=-17, kind="product.failed"), at=NOON)
    assert kinds(proposed(paper))[0] == ["apology.first"]

    given_ = paper.book(draft(2, value_at=NOON, points=3), at=NOON)
    paper.book(draft(3, value_at=NOON, points=-2, kind="wait.excessive"), at=NOON)
    assert not any("apology" in kind for found in kinds(proposed(paper)) for kind in found if "comp" not in kind)
    paper.reverse(given_)
    assert paper.account.place.depth is Depth.MARKED


def test_two_apologies_do_not_go_together() -> None:
    """-122 and deep: 68 short of it and more than one gesture gives, but less than two."""
    paper = Paper()
    paper.credit(-122)

    (pair,) = kinds(proposed(paper))
    assert sum("apology" in kind for kind in pair) <= 1


def test_it_is_said_when_nothing_reaches() -> None:
    paper = Paper()
    paper.credit(-300)

    proposal = proposed(paper)
    assert (proposal.towards, proposal.gestures) == (Place(standing=Standing.OVERDRAWN, depth=Depth.MARKED), ())


def test_a_gesture_that_needs_to_know_more_is_not_proposed() -> None:
    """Attributes without `otherwise`, and a worth that hangs on the channel, promise nothing."""
    whole: dict[str, Any] = {"label": LABEL, "gesture": True, "group": "big_credit"}
    kinds_: dict[str, Any] = {
        "a.needs": {**whole, "points": "attributes.n > 0.0 ? 30 : 20", "needs": {"n": {"type": "number", "says": "n"}}},
        "a.filled": {
            **whole,
            "points": "attributes.n > 0.0 ? 30 : 20",
            "needs": {"n": {"type": "number", "says": "n", "otherwise": 1}},
        },
        "a.channel": {**whole, "points": 'channel == "phone" ? 30 : 20'},
        "a.none": {**whole, "gesture": False, "points": 30},
    }
    paper = Paper()
    paper.credit(-20)
    paper.look(NOON + DAY)

    assert kinds(proposed(paper, parse_tariff({**TARIFF.document, "kinds": kinds_}))) == [["a.filled"]]


def kinds(proposal: Proposal) -> list[list[str]]:
    return [[rule.name for rule in gesture.rules] for gesture in proposal.gestures]
