"""A policy's document: whole and in order, or refused with every place that is not."""

import json
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidPolicy
from app.domain.instant import DAY, HOUR
from app.domain.policy import Policy, Thresholds
from app.domain.policy_document import parse_policy, policy_document
from tests.domain.strategies import policies

GOOD: dict[str, Any] = json.loads(policy_document(Policy()))


def changed(pointer: str, value: object) -> dict[str, Any]:
    """The default policy with another value somewhere."""
    document = deepcopy(GOOD)
    *way, last = pointer.split("/")[1:]
    place = document
    for name in way:
        place = place.setdefault(name, {})
    place[last] = value
    return document


def found(document: object) -> list[tuple[str, str]]:
    with pytest.raises(InvalidPolicy) as refused:
        parse_policy(document, 1)
    assert all(fault.detail for fault in refused.value.faults)
    return [(fault.pointer, fault.code) for fault in refused.value.faults]


@given(policy=policies)
def test_what_is_written_is_read_again(policy: Policy) -> None:
    lives = policy.half_lives
    if lives.lasting is not None and (lives.passing is None or lives.passing > lives.lasting):
        policy = replace(policy, half_lives=replace(lives, passing=lives.lasting))
    if not policy.thresholds.deep < policy.thresholds.marked:
        policy = replace(policy, thresholds=Thresholds())
    assert parse_policy(json.loads(policy_document(policy)), policy.version) == policy


def test_a_segment_has_the_books_thresholds_but_for_those_it_names() -> None:
    policy = parse_policy(changed("/segments/vip", {"marked": -5, "glow": 40}), 3)

    assert policy.version == 3
    assert policy.thresholds_of("vip") == replace(Thresholds(), marked=-5.0, glow=40.0)
    assert policy.thresholds_of("other") == policy.thresholds_of(None) == Thresholds()
    without = {name: member for name, member in GOOD.items() if name != "segments"}
    assert parse_policy(without, 1) == Policy()


@pytest.mark.parametrize(
    ("pointer", "value", "code"),
    [
        ("/half_lives/lasting", 0, "out_of_range"),
        ("/half_lives/lasting", -1, "out_of_range"),
        ("/half_lives/deep", 1e300, "out_of_range"),
        ("/half_lives/deep", 10**400, "out_of_range"),
        ("/half_lives/deep", float("nan"), "out_of_range"),
        ("/half_lives/deep", "90", "wrong_type"),
        ("/half_lives/deep", True, "wrong_type"),
        ("/half_lives/golden", 90, "unknown_field"),
        ("/half_lives/passing", 180.5, "passing_exceeds_lasting"),
        ("/half_lives/passing", None, "passing_exceeds_lasting"),
        ("/thresholds/evidence", 0, "out_of_range"),
        ("/thresholds/marked", 0, "out_of_range"),
        ("/thresholds/marked", 5, "out_of_range"),
        ("/thresholds/deep", -15, "deep_not_below_marked"),
        ("/thresholds/glow", -1, "out_of_range"),
        ("/thresholds/clean_ratio", 0, "out_of_range"),
        ("/thresholds/fresh", None, "wrong_type"),
        ("/thresholds/rising_ratio", -0.1, "out_of_range"),
        ("/thresholds/height", 1, "unknown_field"),
        ("/segments/vip/deep", -15, "deep_not_below_marked"),
        ("/segments/vip/glow", "40", "wrong_type"),
        ("/segments/vip/height", 1, "unknown_field"),
        ("/segments/a~1b~0c", 1, "wrong_type"),
        ("/segments", [], "wrong_type"),
        ("/half_lives", 1, "wrong_type"),
        ("/alert_within", "P30DT1S", "invalid_duration"),
        ("/alert_within", "two days", "invalid_duration"),
        ("/quiet_for", "-PT1H", "invalid_duration"),
        ("/quiet_for", 86400, "invalid_duration"),
        ("/quiet_for", None, "invalid_duration"),
        ("/tariff", {}, "unknown_field"),
    ],
)
def test_what_is_wrong_is_refused_at_its_place(pointer: str, value: object, code: str) -> None:
    document = changed(pointer.replace("a~1b~0c", "plain"), value)
    assert (pointer.replace("a~1b~0c", "plain"), code) in found(document)


def test_a_segment_that_inherits_what_does_not_fit_is_refused() -> None:
    assert found(changed("/segments/vip", {"marked": -60})) == [("/segments/vip/deep", "deep_not_below_marked")]


def test_what_is_told_of_is_a_part_of_the_policy_that_may_be_left_out() -> None:
    policy = parse_policy(changed("/alert_within", "P30D"), 1)
    assert (policy.alert_within, policy.quiet_for) == (30 * DAY, 24 * HOUR)
    policy = parse_policy(changed("/quiet_for", "PT0S"), 1)
    assert (policy.alert_within, policy.quiet_for) == (48 * HOUR, 0)

    without = {name: member for name, member in GOOD.items() if name not in ("alert_within", "quiet_for")}
    assert parse_policy(without, 1) == Policy()


def test_passing_may_last_as_long_as_lasting_does() -> None:
    document = changed("/half_lives/lasting", None)
    document["half_lives"]["passing"] = None
    assert parse_policy(document, 1).half_lives.passing is None


def test_every_missing_field_is_named() -> None:
    names = {pointer for pointer, _ in found({"half_lives": {}, "thresholds": {}})}
    assert names == {
        *(f"/half_lives/{name}" for name in GOOD["half_lives"]),
        *(f"/thresholds/{name}" for name in GOOD["thresholds"]),
    }
    assert found({}) == [("/half_lives", "missing_field"), ("/thresholds", "missing_field")]
    assert found([]) == [("", "wrong_type"), ("/half_lives", "missing_field"), ("/thresholds", "missing_field")]


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "a\x00b", "\n"])
def test_a_segment_is_a_line_of_text(name: str) -> None:
    assert [code for _, code in found(changed("/segments", {name: {}}))] == ["invalid_text"]


@given(
    document=st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*GOOD, "lasting", "deep", "x"]), inner),
    )
)
def test_whatever_it_is_nothing_but_a_refusal_comes_of_it(document: object) -> None:
    assert found(document)
