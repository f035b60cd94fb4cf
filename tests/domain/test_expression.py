"""A bad expression is refused at adoption, with its kind and place; posting never meets it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidTariff
from app.domain.expression_syntax import DEPTH_MAX, TOKENS_MAX
from app.domain.tariff_document import parse_tariff
from tests.domain.tariffs import codes_of, faults_of, with_kind

BITS = (
    *("attributes", ".days_late", ".items", "[", "]", "(", ")", "{", "}", ":", "?", ",", "+", "-", "*", "/", "%", "<="),
    *("==", "&&", "||", "!", " in ", "1", "2.5", "0", '"a"', "'", '"', "channel", "customer", ".exists(x, x", "has("),
    *("size(", "int(", "double(", "true", "null", "\n", "//", "é", "\\", "1u", ".matches(", "string(", ".map(y, y"),
)


@given(st.lists(st.sampled_from(BITS), max_size=25).map("".join), st.sampled_from(["points", "requires"]))
def test_random_expressions_are_adopted_or_refused_and_nothing_else(source: str, field: str) -> None:
    needs = {"days_late": {"type": "integer", "says": "days"}}
    try:
        parse_tariff(with_kind(needs=needs, **{field: source}))
    except InvalidTariff as refused:
        pointers = {fault.pointer for fault in refused.faults}
    else:
        return
    assert pointers == {f"/kinds/a.b/{field}"}


@pytest.mark.parametrize(
    ("source", "code", "place"),
    [
        ("attributes.days <= 3 ? -12 : )", "expression_does_not_compile", "column 30"),
        ("1 +", "expression_does_not_compile", "column 4"),
        ("1\n+ )", "expression_does_not_compile", "line 2, column 3"),
        ("", "expression_does_not_compile", "column 1"),
        ("customer.value", "expression_unknown_name", "column 1"),
        ("1 + customer", "expression_unknown_name", "column 5"),
        ("[1].exists(customer, customer > 0) ? customer : 1", "expression_unknown_name", "column 38"),
        ("[1].exists(channel, true) ? 1 : 2", "expression_rebinds_name", "column 5"),
        (".channel == 'a' ? 1 : 2", "expression_unknown_name", "column 1"),
        ("Foo{a: 1}", "expression_unknown_name", "column 1"),
        ("2 * max(1, 2)", "expression_unknown_function", "column 5"),
        ('channel.matches("a") ? 1 : 2', "expression_unknown_function", "column 9"),
        ("attributes.days.lower()", "expression_unknown_function", "column 17"),
        ("1 + attributes.other", "expression_undeclared_attribute", "column 5"),
        ('attributes["other"]', "expression_undeclared_attribute", "column 1"),
        ("has(attributes.other) ? 1 : 2", "expression_undeclared_attribute", "column 5"),
        ("attributes[channel]", "expression_uses_all_attributes", "column 1"),
        ("attributes.size()", "expression_uses_all_attributes", "column 1"),
        ("channel == null ? 1 : 2", "expression_uses_null", "column 12"),
        ("[1].map(x, [x].map(y, y))[0][0]", "expression_nested_loop", "column 5"),
        ("[1].map(x, x).map(y, y)[0]", "expression_nested_loop", "column 15"),
    ],
)
def test_a_bad_expression_is_refused_with_its_kind_and_column(source: str, code: str, place: str) -> None:
    needs = {"days": {"type": "integer", "says": "days"}}
    first = faults_of(with_kind(points=source, needs=needs))[0]
    assert (first.pointer, first.code) == ("/kinds/a.b/points", code)
    assert first.detail.startswith("Kind a.b: ")
    assert place in first.detail


@pytest.mark.parametrize(
    "source",
    [
        '"text"',
        "true",
        "[1]",
        "1 / 0",
        "2.5",
        "2000",
        "attributes.days + 1.5",
        'attributes.days > 90 ? "x" : 1',
        "attributes.amount * 2",
        "attributes.word.size() + attributes.days.size()",
        "attributes.days ? 1 : 2",
        "int(attributes.sure)",
    ],
)
def test_an_expression_that_must_fail_by_its_types_is_refused_by_a_dry_run(source: str) -> None:
    needs = {
        "days": {"type": "integer", "says": "days"},
        "amount": {"type": "number", "says": "amount"},
        "word": {"type": "string", "says": "word"},
        "sure": {"type": "boolean", "says": "sure"},
    }
    assert codes_of(with_kind(points=source, needs=needs)) == {("/kinds/a.b/points", "expression_fails")}
    assert codes_of(with_kind(requires="attributes.days", needs=needs)) == {("/kinds/a.b/requires", "expression_fails")}


@pytest.mark.parametrize(
    "source",
    [
        '{"a": 1, "b": 2}[attributes.word]',
        "[1, 2][attributes.days]",
        "10 / attributes.days",
        "int(attributes.word)",
        "[attributes.days, 7].exists(x, x > 1) ? 5 : 4",
        "int(attributes.amount * 2.0)",
        "attributes.amount / 2.0",
        'channel.startsWith("p") && source in ["crm", "shop"] ? 5 : 4',
        "attributes . days // a comment about customer",
        '"customer" == attributes["word"] ? 5 : 4',
        "-5",
        "5.0",
    ],
)
def test_an_expression_that_may_fail_only_on_our_samples_is_adopted(source: str) -> None:
    needs = {
        "days": {"type": "integer", "says": "days"},
        "amount": {"type": "number", "says": "amount"},
        "word": {"type": "string", "says": "word"},
    }
    parse_tariff(with_kind(points=source, needs=needs))


@pytest.mark.parametrize(
    "source",
    [
        "(" * (DEPTH_MAX + 1) + "1" + ")" * (DEPTH_MAX + 1),
        "[" * 900 + "]" * 900,
        "1" + "+1" * TOKENS_MAX,
        "-" * 1990 + "1",
        "1 + 1" + " " * 2000,
        "[" + "1," * 90 + "1].exists(x, " + "x + " * 10 + "x > 1) ? 1 : 2",
    ],
)
def test_an_expression_that_could_bring_the_process_down_is_refused_before_it_is_compiled(source: str) -> None:
    assert {fault.code for fault in faults_of(with_kind(points=source))} <= {
        *("expression_too_nested", "expression_too_large", "expression_too_long"),
    }
