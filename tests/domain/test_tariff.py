"""A tariff is adopted whole and sound, or refused with the place of every fault."""

import copy
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.duration import parse_duration
from app.domain.errors import InvalidTariff
from app.domain.kind_search import find_kinds
from app.domain.policy import Memory
from app.domain.tariff import Step, is_system_kind
from app.domain.tariff_document import default_tariff, parse_tariff
from tests.domain.tariffs import JSON, a_document, codes_of, faults_of, with_kind


def paths(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in members:
        yield from paths(member, (*path, name))


def replaced(document: Any, path: tuple[str | int, ...], value: object) -> Any:
    if not path:
        return value
    changed = copy.deepcopy(document)
    inner = changed
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return changed


def test_the_default_tariff_has_83_kinds_and_shows_the_document_it_was_read_from() -> None:
    tariff = default_tariff()
    assert len(tariff.kinds) == 83
    assert tariff.document["kinds"].keys() == tariff.kinds.keys()  # type: ignore[attr-defined]
    assert tariff.deep_at == -40
    assert tariff == parse_tariff(copy.deepcopy(tariff.document))


@pytest.mark.parametrize("path", list(paths(a_document())), ids=lambda path: "/".join(map(str, path)))
def test_a_field_of_another_type_is_refused_at_its_place(path: tuple[str | int, ...]) -> None:
    pointer = "".join(f"/{name}" for name in path)
    wrongs: tuple[object, ...] = (None, [[]], {"surplus": 1})
    for wrong in wrongs:
        faults = faults_of(replaced(a_document(), path, wrong))
        assert any(fault.pointer.startswith(pointer) for fault in faults)


@pytest.mark.parametrize(
    "path", [path for path in paths(a_document()) if path], ids=lambda path: "/".join(map(str, path))
)
def test_a_surplus_field_is_refused_wherever_names_are_not_free(path: tuple[str | int, ...]) -> None:
    document = a_document()
    inner: Any = document
    for name in path:
        inner = inner[name]
    if not isinstance(inner, dict) or path[-1] in {"kinds", "needs"}:
        return
    inner["sur/pl~us"] = 1
    pointer = "".join(f"/{name}" for name in path) + "/sur~1pl~0us"
    assert (pointer, "unknown_field") in codes_of(document)


@given(st.sampled_from(list(paths(a_document()))), JSON)
def test_random_json_in_a_random_place_is_adopted_or_refused_and_nothing_else(
    path: tuple[str | int, ...], value: object
) -> None:
    try:
        parse_tariff(replaced(a_document(), path, value))
    except InvalidTariff as refused:
        faults = refused.faults
    else:
        return
    assert faults
    json.dumps([fault.pointer + fault.detail for fault in faults]).encode()


def test_all_faults_are_told_at_once() -> None:
    document = a_document()
    document["deep_at"] = 3
    document["surplus"] = 1
    del document["memory_by_default"]["neutral"]
    document["kinds"]["complaint.filed"]["points"] = True
    assert codes_of(document) == {
        ("/deep_at", "out_of_range"),
        ("/surplus", "unknown_field"),
        ("/memory_by_default/neutral", "missing_field"),
        ("/kinds/complaint.filed/points", "wrong_type"),
    }


@pytest.mark.parametrize(
    ("fields", "pointer", "code"),
    [
        ({"least": 5, "most": 4, "points": 5}, "least", "least_above_most"),
        ({"least": 2, "most": 4}, "points", "points_out_of_bounds"),
        ({"points": 1001}, "points", "out_of_range"),
        ({"points": 1.0}, "points", "wrong_type"),
        ({"label": {"en": " ", "fr": "x"}}, "label/en", "invalid_text"),
        ({"label": {"en": "x" * 201, "fr": "x"}}, "label/en", "invalid_text"),
        ({"label": {"en": "x"}}, "label/fr", "missing_field"),
        ({"needs": {"a-b": {"type": "string", "says": "x"}}}, "needs/a-b", "invalid_attribute_name"),
        ({"needs": {"a": {"type": "list", "says": "x"}}}, "needs/a/type", "unknown_value"),
        ({"needs": {"a": {"type": "integer", "says": "x", "otherwise": "5"}}}, "needs/a/otherwise", "wrong_type"),
        ({"needs": {"a": {"type": "integer", "says": "x", "otherwise": None}}}, "needs/a/otherwise", "wrong_type"),
        ({"requires": "1 > 2"}, "requires", "expression_never_true"),
        ({"steps": [{"after": "P1M", "points": -1}]}, "steps/0/after", "invalid_duration"),
        ({"steps": [{"after": "P1D", "points": 0}]}, "steps/0/points", "out_of_range"),
        (
            {"steps": [{"after": "P2D", "points": -1}, {"after": "PT48H", "points": -1}]},
            "steps/1/after",
            "steps_out_of_order",
        ),
        ({"steps": [{"after": "P1D", "points": -2}, {"after": "P2D", "points": -1}]}, "steps/1/points", "steps_rising"),
    ],
)
def test_a_kind_that_contradicts_itself_is_refused(fields: dict[str, object], pointer: str, code: str) -> None:
    assert (f"/kinds/a.b/{pointer}", code) in codes_of(with_kind(**fields))


@pytest.mark.parametrize("name", ["", "A", "a..b", ".a", "a.", "a b", "a\n", "é", "x" * 101])
def test_a_kind_is_named_by_dotted_words(name: str) -> None:
    document = a_document()
    document["kinds"][name] = document["kinds"]["complaint.filed"]
    assert {fault.code for fault in faults_of(document)} == {"invalid_kind_name"}


def test_a_tariff_has_at_most_1000_kinds() -> None:
    document = a_document()
    document["kinds"] = dict.fromkeys((f"k{number}" for number in range(1001)), document["kinds"]["complaint.filed"])
    assert codes_of(document) == {("/kinds", "wrong_number")}


def test_steps_are_read_as_times_and_totals() -> None:
    assert parse_tariff(a_document()).kinds["delivery.late"].steps == (
        Step(after=timedelta(days=1), points=-12),
        Step(after=timedelta(days=3), points=-35),
    )
    assert parse_duration("P1W2DT3H4M5S") == timedelta(weeks=1, days=2, hours=3, minutes=4, seconds=5)
    assert [parse_duration(text) for text in ("P", "PT", "P1DT", "1D", "P-1D", "P1.5D", "P1Y", "")] == [None] * 8


def test_a_kinds_own_memory_comes_before_the_defaults_and_deep_at_alone_makes_a_debit_deep() -> None:
    tariff = default_tariff()
    plain, own = tariff.kinds["wait.excessive"], tariff.kinds["complaint.filed"]
    memories = [tariff.memory_of(plain, points) for points in (1, 0, -1, -39, -40, -41)]
    assert memories == [Memory.LASTING, *[Memory.PASSING] * 3, Memory.DEEP, Memory.DEEP]
    assert tariff.memory_of(own, -90) is Memory.OBSERVED


def test_system_kinds_are_known_by_name() -> None:
    system = ["account.merged", "promise.made", "promise.moved", "promise.withdrawn"]
    assert [is_system_kind(kind) for kind in system] == [True] * 4
    assert [is_system_kind(kind) for kind in ("promise.kept", "promise.broken", "accounts.x", "")] == [False] * 4


def test_kinds_are_found_by_words_without_case_and_accents_best_first() -> None:
    tariff = default_tariff()
    names = {q: [rule.name for rule in find_kinds(tariff, q)] for q in ("late", "RETARD", "rembourse", "zzz", "", "?!")}
    assert names["late"][:2] == ["delivery.late", "response.late"]
    assert names["RETARD"][0] == "delivery.late"
    assert set(names["rembourse"]) == {"refund.fast", "refund.slow"}
    assert names["zzz"] == names["?!"] == []
    assert names[""] == sorted(tariff.kinds)
