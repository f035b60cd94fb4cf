"""What makes a resend the same interaction or another one, and which times are taken."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidInteraction
from app.domain.instant import MINUTE, instant_of
from app.domain.interaction import (
    EARLIEST,
    Interaction,
    ReversalRequest,
    canonical,
    content_of,
    fields_that_differ,
    reversal_content_of,
    settled_value_at,
    whole_reversal_content,
)
from tests.conftest import NOON

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
attributes = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), json_values, max_size=4)


def sent(**fields: Any) -> Interaction:
    return Interaction(**{"source": "crm", "id": "1", "customer": "ada", "kind": "apology.first", **fields})


@given(value=attributes)
def test_key_order_does_not_matter(value: dict[str, Any]) -> None:
    backwards = dict(reversed(list(value.items())))
    assert canonical(content_of(sent(attributes=backwards))) == canonical(content_of(sent(attributes=value)))
    assert fields_that_differ({"attributes": value}, {"attributes": backwards}) == ()


@given(number=st.integers(-(2**53) + 1, 2**53 - 1))
def test_a_whole_number_is_the_same_with_and_without_its_point(number: int) -> None:
    assert canonical({"n": number}) == canonical({"n": float(number)})


@given(value=attributes)
def test_what_was_sealed_opens_as_the_same_content(value: dict[str, Any]) -> None:
    plain = canonical(content_of(sent(attributes=value)))
    assert canonical(json.loads(plain)) == plain


@given(a=attributes, b=attributes)
def test_contents_differ_by_name_exactly_when_they_differ(a: dict[str, Any], b: dict[str, Any]) -> None:
    differing = fields_that_differ({"attributes": a}, {"attributes": b})
    assert (differing == ()) == (canonical(a) == canonical(b))


def test_the_offset_of_equal_instants_does_not_matter() -> None:
    here, there = (datetime.fromisoformat(text) for text in ("2026-05-03T09:30:00+02:00", "2026-05-03T07:30:00Z"))
    assert content_of(sent(value_at=instant_of(here))) == content_of(sent(value_at=instant_of(there)))


def test_absent_stays_absent_and_null_is_absent() -> None:
    assert content_of(sent()) == {"kind": "apology.first"}
    assert content_of(sent(attributes=None, note=None, points=None)) == content_of(sent())


@pytest.mark.parametrize(("field", "empty"), [("attributes", {}), ("note", ""), ("points", 0), ("value_at", 0)])
def test_empty_is_not_absent(field: str, empty: Any) -> None:
    assert fields_that_differ(content_of(sent()), content_of(sent(**{field: empty}))) == (field,)


def test_a_null_attribute_is_not_an_absent_one() -> None:
    assert fields_that_differ({"attributes": {"a": None}}, {"attributes": {}}) == ("attributes.a",)
    differing = fields_that_differ({"attributes": {"a": None, "b": 1}}, {"attributes": {"b": 2}})
    assert differing == ("attributes.a", "attributes.b")


def test_neither_name_nor_customer_are_content() -> None:
    assert content_of(sent(source="web", id="2", customer="bob")) == content_of(sent())


def test_the_fields_that_differ_are_named_attributes_one_by_one() -> None:
    first = sent(attributes={"a": 1, "b": 2, "same": [1]}, note="x", context={"channel": "mail"})
    second = sent(kind="refund.fast", attributes={"a": 1.0, "b": 3, "c": 4, "same": [1.0]}, context={"case": "7"})
    differing = fields_that_differ(content_of(first), content_of(second))
    assert differing == ("attributes.b", "attributes.c", "case", "channel", "kind", "note")


@pytest.mark.parametrize("value_at", [2**53, 250_000_000_000_000_000, -(2**53), -60_000_000_000_000_000])
def test_a_time_that_no_entry_can_have_still_has_a_content_that_differs(value_at: int) -> None:
    """RFC 8785 ends at 2^53, which is the year 2255 in microseconds: a resend may name any year up to 9999."""
    first, second = content_of(sent(value_at=NOON)), content_of(sent(value_at=value_at))
    assert canonical(first) != canonical(second)
    assert fields_that_differ(first, second) == ("value_at",)


def test_a_reversals_content_is_what_it_cancels_why_and_what_replaces_it() -> None:
    target = str(UUID(int=7))
    request = ReversalRequest(source="crm", reason="typo", interaction=("crm", "1"))
    assert reversal_content_of(request, target) == {"reverses": target, "reason": "typo"}
    replaced = ReversalRequest(source="crm", reason="typo", replacement=sent(id="2", note="now right"))
    content = reversal_content_of(replaced, target)
    assert content["replacement"] == {"source": "crm", "id": "2"}
    assert whole_reversal_content(content, sent(id="2", note="now right"))["replacement"] == {
        "source": "crm",
        "id": "2",
        "kind": "apology.first",
        "note": "now right",
    }


def test_a_value_time_a_little_ahead_is_now_and_further_ahead_is_refused() -> None:
    assert settled_value_at(None, NOON) == NOON
    assert settled_value_at(NOON - 1, NOON) == NOON - 1
    assert settled_value_at(NOON + 5 * MINUTE, NOON) == NOON
    with pytest.raises(InvalidInteraction) as refused:
        settled_value_at(NOON + 5 * MINUTE + 1, NOON)
    assert [(fault.pointer, fault.code) for fault in refused.value.faults] == [("/value_at", "time_in_the_future")]


def test_a_value_time_before_1900_is_refused() -> None:
    assert settled_value_at(EARLIEST, NOON) == EARLIEST
    with pytest.raises(InvalidInteraction) as refused:
        settled_value_at(EARLIEST - 1, NOON)
    assert [(fault.pointer, fault.code) for fault in refused.value.faults] == [("/value_at", "time_too_early")]
