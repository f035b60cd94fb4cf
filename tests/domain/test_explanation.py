"""An explanation adds up: by entry and by memory, however the account came about."""

import json
from collections.abc import Mapping

import pytest
from hypothesis import given

from app.domain.entry import Entry
from app.domain.explanation import WEIGHTY_SHARE, Explanation, explain, kept_of
from app.domain.instant import DAY
from app.domain.memory import felt_at
from app.domain.policy import MEMORIES, Policy
from app.domain.tariff_document import default_tariff
from tests.domain.paper import Event, Paper, draft, histories, unreversed
from tests.domain.strategies import NOON, policies

RULES = default_tariff().kinds


def lived(history: list[Event], policy: Policy) -> Paper:
    paper = Paper(policy=policy)
    for event in history:
        paper.step(event)
    return paper


def explained(paper: Paper) -> Explanation:
    kept = kept_of(paper.entries, up_to=paper.account.sequence)
    return explain(paper.account, kept, paper.policy, RULES, paper.now)


def close(paper: Paper) -> float:
    return 1e-9 * (1 + sum(abs(entry.points) for entry in paper.entries))


@given(histories, policies)
def test_the_shares_sum_to_the_felt_balance(history: list[Event], policy: Policy) -> None:
    paper = lived(history, policy)
    told = explained(paper)

    felt = sum(weight.felt for weight in told.weighty) + told.lighter.felt
    assert felt == pytest.approx(told.felt.balance, abs=close(paper))
    assert told.avoidable.felt + told.unavoidable.felt == pytest.approx(-told.felt.debits, abs=close(paper))
    assert told.felt == felt_at(paper.account.masses, policy.half_lives, paper.now)


@given(histories, policies)
def test_the_memories_sum_to_all_credits_and_all_debits(history: list[Event], policy: Policy) -> None:
    told = explained(lived(history, policy))

    assert [part.memory for part in told.by_memory] == list(MEMORIES)
    assert sum(part.credits for part in told.by_memory) == pytest.approx(told.felt.credits, abs=1e-9)
    assert sum(part.debits for part in told.by_memory) == pytest.approx(told.felt.debits, abs=1e-9)


@given(histories, policies)
def test_every_entry_that_counts_is_told_or_summed_up_once(history: list[Event], policy: Policy) -> None:
    paper = lived(history, policy)
    told = explained(paper)

    counting = [entry for entry in unreversed(paper.entries) if entry.points]
    assert {weight.entry.entry_id for weight in told.weighty} <= {entry.entry_id for entry in counting}
    assert len(told.weighty) + told.lighter.count == len(counting)
    assert all(weight.share >= WEIGHTY_SHARE for weight in told.weighty)
    weights = [abs(weight.felt) for weight in told.weighty]
    assert weights == sorted(weights, reverse=True)


def test_a_long_history_is_told_in_at_most_fifty_entries() -> None:
    paper = Paper()
    for _ in range(51):
        paper.credit(7)
    assert (len(explained(paper).weighty), explained(paper).lighter.count) == (0, 51)
    paper.credit(7 * 51)
    assert (len(explained(paper).weighty), explained(paper).lighter.felt) == (1, 7 * 51)


def test_unavoidable_debits_stand_apart() -> None:
    paper = Paper()
    for number, (kind, points) in enumerate({"disruption.force_majeure": -15, "wait.excessive": -6}.items()):
        paper.book(draft(number, value_at=NOON, kind=kind, points=points), at=NOON)

    told = explained(paper)
    assert (told.unavoidable.count, told.unavoidable.felt) == (1, -15)
    assert (told.avoidable.count, told.avoidable.felt) == (1, -6)
    assert [weight.is_unavoidable for weight in told.weighty] == [True, False]


def told_since(*drafted: Mapping[str, object]) -> list[tuple[str | None, int]]:
    """Of each entry a day after the other: the id of what settles it, and the later credits; in booked order."""
    paper = Paper()
    for number, fields in enumerate(drafted):
        at = NOON + number * DAY
        own = {name: value for name, value in fields.items() if name != "settles"}
        context = json.dumps({"settles": fields["settles"]} if "settles" in fields else {})
        paper.book(draft(number, value_at=at, context=context, **own), at=at)
    found = sorted(explained(paper).weighty, key=lambda weight: weight.entry.sequence)
    return [(id_of(weight.since.settled_by), weight.since.credits) for weight in found]


def id_of(entry: Entry | None) -> str | None:
    return None if entry is None else entry.external_id


def test_what_settles_an_entry_is_found_and_credits_since_are_counted() -> None:
    failure, gift = {"points": -20}, {"points": 45}
    observed = {"points": 12, "kind": "review.public_positive"}

    assert told_since(failure) == [(None, 0)]
    assert told_since(gift, failure, gift) == [(None, 1), (None, 1), (None, 0)]
    assert told_since(failure, observed) == [(None, 0), (None, 0)]
    assert told_since(failure, {"points": 20, "settles": "0"}) == [("1", 1), (None, 0)]
    # Another source may settle it too; a further failure or the entry itself may not.
    assert told_since(failure, {"points": 20, "settles": "0", "source": "desk"}) == [("1", 1), (None, 0)]
    assert told_since(failure, {"points": -60, "settles": "0"}) == [(None, 0), (None, 0)]
    assert told_since({"points": 20, "settles": "0"}) == [(None, 0)]
    assert told_since(failure, {"points": 20, "settles": "nothing known"}) == [(None, 1), (None, 0)]


def test_an_id_that_two_sources_gave_is_the_own_sources() -> None:
    two = [{"points": -20, "external_id": "x"}, {"points": -30, "external_id": "x", "source": "shop"}]

    assert told_since(*two, {"points": 9, "settles": "x", "source": "shop"})[:2] == [
        (None, 1),
        ("2", 1),
    ]
    assert told_since(*two, {"points": 9, "settles": "x", "source": "desk"})[:2] == [
        (None, 1),
        (None, 1),
    ]
