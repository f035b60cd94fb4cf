"""Plain values are written as RFC 8785 wants them, and what is not plain is left to whoever knows all of it."""

from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from app.domain.plain_json import WHOLE_MAX, plain_json

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
WHOLE = st.integers(-(2**60), 2**60)
VALUES = st.recursive(
    st.none() | st.booleans() | WHOLE | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=5),
    max_leaves=20,
)


@given(VALUES)
def test_what_is_plain_is_written_as_rfc_8785_writes_it(value: Any) -> None:
    text = plain_json(value)

    assert text is None or text.encode() == rfc8785.dumps(value)


@given(st.dictionaries(st.text(st.characters(max_codepoint=127)), st.none() | st.booleans() | TEXTS))
def test_objects_of_texts_and_literals_with_ascii_names_are_plain(value: dict[str, Any]) -> None:
    assert plain_json({"attributes": value}) is not None


@pytest.mark.parametrize("value", [1.5, [1], WHOLE_MAX + 1, -WHOLE_MAX - 1, {"é": 1}, {"a": {"b": 1.0}}])
def test_what_needs_its_rules_is_not(value: Any) -> None:
    assert plain_json(value) is None
