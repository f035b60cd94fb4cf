"""Tariff documents to try, sound ones to spoil and random JSON to spoil them with."""

import json
from typing import Any

import pytest
from hypothesis import strategies as st

from app.domain.errors import Fault, InvalidTariff
from app.domain.tariff_document import default_tariff, parse_tariff

KINDS = ("delivery.late", "data.breach", "billing.overcharged", "complaint.filed", "interaction.priced_by_source")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def a_document() -> dict[str, Any]:
    whole = json.loads(json.dumps(default_tariff().document))
    whole["kinds"] = {name: whole["kinds"][name] for name in KINDS}
    whole["kinds"]["delivery.late"]["steps"] = [{"after": "P1D", "points": -12}, {"after": "P3D", "points": -35}]
    return dict(whole)


def with_kind(**fields: object) -> dict[str, Any]:
    document = a_document()
    document["kinds"] = {"a.b": {"label": {"en": "A", "fr": "B"}, "points": 1, "group": "small_credit", **fields}}
    return document


def faults_of(document: object) -> tuple[Fault, ...]:
    with pytest.raises(InvalidTariff) as refused:
        parse_tariff(document)
    assert refused.value.faults
    return refused.value.faults


def codes_of(document: object) -> set[tuple[str, str]]:
    return {(fault.pointer, fault.code) for fault in faults_of(document)}
