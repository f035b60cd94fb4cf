"""What an interaction is worth, and how a caller is told what would be accepted."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.attribute import INTEGER_MAX
from app.domain.errors import (
    InvalidAttributes,
    PointsNotExplicit,
    PointsOutOfBounds,
    Refusal,
    RequirementNotMet,
    UnknownKind,
    ValuationFailed,
)
from app.domain.policy import Memory
from app.domain.tariff import AttributeType, Need
from app.domain.tariff_document import default_tariff, parse_tariff
from app.domain.valuation import Valuation, value
from tests.domain.tariffs import JSON

TARIFF = default_tariff()
NEEDED = st.sampled_from(sorted({name for rule in TARIFF.kinds.values() for name in rule.needs}))
VALUES = {
    AttributeType.NUMBER: st.floats(-100, 100),
    AttributeType.INTEGER: st.integers(-5, 60),
    AttributeType.STRING: st.sampled_from(["good", "bad", "company", "customer", "small", "normal", "high", "", "x"]),
    AttributeType.BOOLEAN: st.booleans(),
}


def worth(kind: str, **attributes: object) -> int:
    return value(TARIFF, 1, kind=kind, attributes=attributes).points


def a_value(points: str, *, sent: object = None, asked: str = "integer", **context: Any) -> Valuation:
    need = {"type": asked, "says": "a number"}
    kind = {"label": {"en": "A", "fr": "B"}, "points": points, "group": "neutral", "needs": {"n": need}}
    tariff = parse_tariff({**TARIFF.document, "kinds": {"a.b": kind}})
    return value(tariff, 1, kind="a.b", attributes={"n": sent}, **context)


@st.composite
def needed_by(draw: st.DrawFn, needs: dict[str, Need]) -> dict[str, object]:
    return {name: draw(VALUES[need.type]) for name, need in needs.items()}


@pytest.mark.parametrize("kind", sorted(TARIFF.kinds))
@given(data=st.data())
def test_every_kind_is_worth_points_within_its_bounds(kind: str, data: st.DataObject) -> None:
    rule = TARIFF.kinds[kind]
    attributes = data.draw(needed_by(dict(rule.needs)))
    try:
        valuation = value(TARIFF, 7, kind=kind, attributes=attributes)
    except RequirementNotMet:
        assert rule.requires is not None
        return
    assert rule.least <= valuation.points <= rule.most
    assert valuation == Valuation(
        points=valuation.points, memory=TARIFF.memory_of(rule, valuation.points), tariff_version=7
    )


@pytest.mark.parametrize("kind", [name for name, rule in TARIFF.kinds.items() if isinstance(rule.points, int)])
def test_a_fixed_kind_is_worth_its_figure(kind: str) -> None:
    assert worth(kind) == TARIFF.kinds[kind].points


@pytest.mark.parametrize(
    ("kind", "name", "table"),
    [
        ("delivery.late", "days_late", {1: -12, 3: -12, 4: -35, 7: -35, 8: -48, 400: -48}),
        ("delivery.on_time", "days_early", {0: 5, 2.9: 5, 3: 7, 30: 7, None: 5}),
        ("contact.repeated", "contact_number", {2: -6, 3: -20, 4: -30, 9: -30, None: -6}),
        ("billing.overcharged", "found_by", {"company": -25, "customer": -40, None: -25}),
        ("promise.broken", "stake", {"small": -8, "normal": -15, "high": -30, None: -15}),
        ("survey.thumbs", "rating", {"good": 8, "bad": -20}),
        ("survey.csat", "score", dict(zip(range(1, 6), [-25, -12, 0, 5, 10], strict=True))),
        ("survey.ces", "score", dict(zip(range(1, 8), [-20, -12, -6, 0, 3, 6, 9], strict=True))),
        ("survey.nps", "score", dict(enumerate([-30, -27, -25, -20, -15, -10, -5, 2, 4, 12, 17]))),
    ],
)
def test_an_expression_kind_is_worth_what_its_attribute_says(kind: str, name: str, table: dict[object, int]) -> None:
    assert {sent: worth(kind, **{name: sent}) for sent in table} == table


@pytest.mark.parametrize(
    ("told_first", "misused", "points"), [(True, False, -25), (True, True, -80), (False, False, -80), (None, None, -80)]
)
def test_a_breach_is_graver_unless_we_told_first_and_nothing_was_misused(
    told_first: object, misused: object, points: int
) -> None:
    assert worth("data.breach", told_first=told_first, misused=misused) == points


def test_memory_follows_the_resulting_points() -> None:
    memories = {days: value(TARIFF, 1, kind="delivery.late", attributes={"days_late": days}).memory for days in (5, 9)}
    assert memories == {5: Memory.PASSING, 9: Memory.DEEP}


@pytest.mark.parametrize("sent", ["5", " 5 ", "5.0", "+5", "5e0", 5, 5.0])
def test_a_whole_number_is_accepted_as_crm_placeholders_give_it(sent: object) -> None:
    assert worth("delivery.late", days_late=sent) == -35


@pytest.mark.parametrize(
    "sent", ["", "5,0", "five", "5.5", 5.5, True, [5], {}, "1e999", "9" * 5000, "\u0665", "0x5", "1_0"]
)
def test_what_is_no_whole_number_is_refused_with_what_would_be(sent: object) -> None:
    with pytest.raises(InvalidAttributes) as refused:
        worth("delivery.late", days_late=sent)
    (fault,) = refused.value.faults
    assert (fault.pointer, fault.code) == ("/attributes/days_late", "wrong_type")
    assert "a whole number" in fault.detail


@pytest.mark.parametrize("sent", [float("nan"), float("inf"), "nan", "inf", 10**400, "1e400", False])
def test_a_number_is_finite_and_no_boolean(sent: object) -> None:
    with pytest.raises(InvalidAttributes):
        worth("delivery.on_time", days_early=sent)
    assert worth("delivery.on_time", days_early="3.5") == 7


def test_integers_end_where_doubles_are_no_longer_exact() -> None:
    assert worth("delivery.late", days_late=INTEGER_MAX) == -48
    for beyond in (INTEGER_MAX + 1, str(INTEGER_MAX + 1), 10**400):
        with pytest.raises(InvalidAttributes):
            worth("delivery.late", days_late=beyond)


def test_booleans_may_come_as_text_and_text_may_not_come_as_anything_else() -> None:
    assert worth("data.breach", told_first="True", misused=" false ") == -25
    for kind, attributes in (("data.breach", {"told_first": 1}), ("survey.thumbs", {"rating": "\ud800"})):
        with pytest.raises(InvalidAttributes):
            value(TARIFF, 1, kind=kind, attributes=attributes)


def test_every_missing_attribute_is_named_with_its_meaning() -> None:
    needs = {name: {"type": "integer", "says": f"the {name}"} for name in ("one", "two", "three")}
    kind = {"label": {"en": "A", "fr": "B"}, "points": 1, "group": "neutral", "needs": needs}
    with pytest.raises(InvalidAttributes) as refused:
        value(parse_tariff({**TARIFF.document, "kinds": {"a": kind}}), 1, kind="a", attributes={"two": 2, "three": "x"})
    assert [(fault.pointer, fault.code) for fault in refused.value.faults] == [
        ("/attributes/one", "missing_attribute"),
        ("/attributes/three", "wrong_type"),
    ]
    assert "the one" in refused.value.faults[0].detail


def test_a_requirement_that_is_not_met_is_named_at_its_attribute() -> None:
    with pytest.raises(RequirementNotMet) as refused:
        worth("delivery.late", days_late=0)
    (fault,) = refused.value.faults
    assert fault.pointer == "/attributes/days_late"
    assert "attributes.days_late >= 1" in fault.detail


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("delivery.lat", "delivery.late"), ("late.delivery", "delivery.late"), ("Survey_NPS", "survey.nps")],
)
def test_an_unknown_kind_is_told_its_closest_names(wrong: str, right: str) -> None:
    with pytest.raises(UnknownKind) as refused:
        worth(wrong)
    close = refused.value.extra["close"]
    assert isinstance(close, list)
    assert close[0] == right
    assert len(close) <= 3
    assert refused.value.faults[0].pointer == "/kind"
    assert right in refused.value.faults[0].detail


def test_points_are_the_tariffs_alone_unless_the_kind_says_otherwise() -> None:
    with pytest.raises(PointsNotExplicit):
        value(TARIFF, 1, kind="wait.excessive", attributes={}, points=-6)
    explicit = "interaction.priced_by_source"
    assert [value(TARIFF, 1, kind=explicit, attributes={}, points=points).points for points in (-100, 0, 100)] == [
        *(-100, 0, 100)
    ]
    assert value(TARIFF, 1, kind=explicit, attributes={}).points == 0
    for beyond in (-101, 101, True):
        with pytest.raises(PointsOutOfBounds, match="-100 to 100") as refused:
            value(TARIFF, 1, kind=explicit, attributes={}, points=beyond)
        assert refused.value.faults[0].pointer == "/points"


def test_context_that_is_absent_is_the_empty_text() -> None:
    points = 'channel == "phone" ? 1 : (motive == "" && !touchpoint.startsWith("x") ? 2 : 3)'
    assert a_value(points, sent=1, channel="phone").points == 1
    assert a_value(points, sent=1).points == 2
    assert a_value(points, sent=1, motive="problem").points == 3


def test_an_expression_gives_a_whole_number_or_the_interaction_is_refused() -> None:
    assert a_value("attributes.n / 2.0", sent=10, asked="number").points == 5
    failing = [
        ("attributes.n / 2.0", "number", 5),
        ("1.0 / attributes.n", "number", 0),
        ("1 / attributes.n", "integer", 0),
    ]
    failing += [("[1, 2][attributes.n]", "integer", 5), ("attributes.n * attributes.n", "integer", INTEGER_MAX)]
    for points, asked, sent in failing:
        with pytest.raises(ValuationFailed):
            a_value(points, sent=sent, asked=asked)
    with pytest.raises(PointsOutOfBounds, match="-1000 to 1000"):
        a_value("attributes.n", sent=1001)


@given(st.sampled_from(sorted(TARIFF.kinds)) | st.text(max_size=120), st.dictionaries(NEEDED, JSON), st.none() | JSON)
def test_random_attributes_and_points_meet_nothing_but_a_refusal(kind: str, attributes: Any, points: Any) -> None:
    try:
        value(TARIFF, 1, kind=kind, attributes=attributes, points=points)
    except Refusal as refused:
        pointers = [fault.pointer for fault in refused.faults]
    else:
        return
    assert pointers
    assert all(pointer.startswith("/") for pointer in pointers)
