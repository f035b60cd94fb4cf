"""A mapping, read from TOML and applied to rows."""

from pathlib import Path
from typing import Any

import pytest

from app.cli.importing.mapping import Does, mapped, missing_columns
from app.cli.importing.mapping_document import InvalidMapping, parse_mapping
from app.domain.errors import InvalidInteraction

SMALL = """
source = "shop"
time_zone = "Europe/Paris"
id = "row.nr"
customer = "row.who"
value_at = "row.at"
kind_from = "row.what"
[kinds.late]
kind = "delivery.late"
attributes.days_late = "int(row.days)"
"""
MAKING = (
    SMALL
    + """
makes.id = "'p' + row.nr"
makes.kind = "delivery.date_missed"
makes.due_at = "row.due"
makes.grace = { constant = "PT6H" }
makes.kept_kind = "promise.kept"
makes.steps = [{ after = "PT0S", points = -5 }, { after = "P2D", points = -20 }]
makes.attributes.days = "int(row.days)"
"""
)
ROW = {"nr": "1", "who": "ada", "at": "2024-07-01 12:00:00", "what": "late", "days": "3"}


def body_of(text: str, row: dict[str, Any]) -> dict[str, Any]:
    become = mapped(parse_mapping(text), row)
    assert become is not None
    return become.body


def test_a_row_becomes_what_the_api_would_take() -> None:
    assert body_of(SMALL, ROW) == {
        "source": "shop",
        "id": "1",
        "customer": "ada",
        "value_at": "2024-07-01T10:00:00+00:00",
        "kind": "delivery.late",
        "attributes": {"days_late": 3},
    }


def test_the_shipped_mapping_is_one() -> None:
    mapping = parse_mapping((Path(__file__).parents[2] / "docs" / "olist.toml").read_text())
    assert {"customer_id", "occurred_at", "event_type", "order_id", "value"} == set(mapping.columns())


def test_a_text_is_an_expression_and_everything_else_is_constant() -> None:
    text = SMALL + 'channel = { constant = "phone" }\ncost = 2.5\nactor = "row.who + \'!\'"\nattributes.vip = true\n'
    body = body_of(text, ROW)
    assert (body["channel"], body["cost"], body["actor"], body["attributes"]["vip"]) == ("phone", 2.5, "ada!", True)


def test_a_kind_says_again_what_the_top_says_for_all() -> None:
    text = 'channel = { constant = "mail" }\nattributes.a = 1\n' + SMALL + 'channel = { constant = "phone" }\n'
    body = body_of(text, ROW)
    assert (body["channel"], body["attributes"]) == ("phone", {"a": 1, "days_late": 3})


def test_null_and_empty_text_leave_a_field_out() -> None:
    text = (
        SMALL.replace("int(row.days)", "row.days")
        + "channel = 'row.days'\nnote = 'row.days == \"\" ? null : \"late\"'\n"
    )
    body = body_of(text, {**ROW, "days": ""})
    assert {"source", "id", "customer", "value_at", "kind"} == set(body)


def test_rows_of_other_kinds_are_refused_unless_otherwise_says_more() -> None:
    other = {**ROW, "what": "contact.neutral"}
    with pytest.raises(InvalidInteraction, match=r"contact\.neutral"):
        mapped(parse_mapping(SMALL), other)
    assert body_of(SMALL + "[otherwise]\n", other)["kind"] == "contact.neutral"
    assert body_of(SMALL + '[otherwise]\nkind = "wait.excessive"\n', other)["kind"] == "wait.excessive"
    assert mapped(parse_mapping(SMALL + "[otherwise]\nskip = true\n"), other) is None


def test_without_kinds_each_row_names_its_own_or_all_are_of_one() -> None:
    base = SMALL.partition("[kinds")[0]
    assert body_of(base, ROW)["kind"] == "late"
    assert body_of(base.replace("kind_from =", 'kind = "x" #'), ROW)["kind"] == "x"


def test_rows_are_skipped_by_an_expression() -> None:
    text = "skip = \"row.days == '0'\"\n" + SMALL
    assert mapped(parse_mapping(text), {**ROW, "days": "0"}) is None
    assert mapped(parse_mapping(text), ROW) is not None


def test_a_source_may_stand_in_the_row() -> None:
    assert body_of(SMALL.replace('source = "shop"', 'source_from = "row.nr"'), ROW)["source"] == "1"


def test_rows_of_json_keep_their_types() -> None:
    body = body_of(SMALL.replace("int(row.days)", "row.more.days[0] + 1"), {**ROW, "more": {"days": [4]}})
    assert body["attributes"] == {"days_late": 5}


def test_an_expression_that_gives_nothing_refuses_its_row_with_the_place() -> None:
    with pytest.raises(InvalidInteraction) as refused:
        mapped(parse_mapping(SMALL), {**ROW, "days": "soon"})
    assert refused.value.faults[0].pointer == "/attributes/days_late"
    with pytest.raises(InvalidInteraction, match="'nr'"):
        mapped(parse_mapping(SMALL), {"what": "late"})


def test_a_row_makes_a_promise_where_it_shows_a_due_time_and_is_an_interaction_where_not() -> None:
    made = mapped(parse_mapping(MAKING), {**ROW, "due": "2024-07-09"})
    assert made is not None
    assert (made.does, made.body) == (
        Does.MAKE,
        {
            "source": "shop",
            "id": "p1",
            "customer": "ada",
            "value_at": "2024-07-01T10:00:00+00:00",
            "kind": "delivery.date_missed",
            "due_at": "2024-07-08T22:00:00+00:00",
            "grace": "PT6H",
            "kept_kind": "promise.kept",
            "steps": [{"after": "PT0S", "points": -5}, {"after": "P2D", "points": -20}],
            "attributes": {"days": 3},
        },
    )
    assert body_of(MAKING, {**ROW, "due": ""}) == body_of(SMALL, ROW)
    with pytest.raises(InvalidInteraction) as refused:
        mapped(parse_mapping(MAKING), {**ROW, "due": "soon"})
    assert refused.value.faults[0].pointer == "/due_at"


def test_a_row_keeps_a_promise_where_it_names_one_and_is_an_interaction_where_not() -> None:
    text = SMALL + "keeps = \"row.kept == '' ? null : 'p' + row.kept\"\n"
    kept = mapped(parse_mapping(text), {**ROW, "kept": "7"})
    assert kept is not None
    assert (kept.does, kept.body) == (
        Does.KEEP,
        {"source": "shop", "id": "p7", "value_at": "2024-07-01T10:00:00+00:00"},
    )
    assert body_of(text, {**ROW, "kept": ""}) == body_of(SMALL, ROW)


def test_what_makes_and_keeps_promises_is_read_from_columns_too() -> None:
    mapping = parse_mapping(MAKING + 'keeps = "row.kept"\n')
    assert {"due", "kept", "days"} <= set(mapping.columns())


def test_columns_that_a_file_lacks_are_known_before_anything_is_posted() -> None:
    text = SMALL + "note = \"has(row.note) ? row['note'] : row.x.y + 'row.z'\"\n"
    assert missing_columns(parse_mapping(text), ["nr", "who", "what", "days"]) == {
        "at": "row.at",
        "x": "has(row.note) ? row['note'] : row.x.y + 'row.z'",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id = ", "no valid TOML"),
        (SMALL + "colour = 1\n", "kinds.late.colour: not known here"),
        ("currency = 1\n" + SMALL, "currency: not known here"),
        (SMALL + 'kind_of = "x"\n', "kinds.late.kind_of"),
        (
            SMALL.replace("int(row.days)", "int(row.days"),
            "kinds.late.attributes.days_late: the expression is no valid CEL",
        ),
        (SMALL.replace("int(row.days)", "days"), "kinds.late.attributes.days_late: at column 1: days is no name here"),
        (SMALL.replace("int(row.days)", "exec(row.days)"), "at column 1: exec is no function here"),
        (SMALL.replace("int(row.days)", "1" + "+1" * 300), "more than"),
        (SMALL.replace("int(row.days)", "(" * 30 + "1" + ")" * 30), "nested"),
        (SMALL.replace("Europe/Paris", "Europe/Atlantis"), "time_zone"),
        (SMALL.replace("Europe/Paris", "../etc"), "time_zone"),
        (SMALL.replace('"row.what"', "5"), "kind_from"),
        (SMALL.replace("kind_from", "#"), "kind_from: needed"),
        (SMALL + 'note = ["a"]\n', "kinds.late.note"),
        (SMALL + "note = { constant = [] }\n", "kinds.late.note"),
        ('delimiter = ";;"\n' + SMALL, "delimiter"),
        ('kind = "x"\n' + SMALL, "kind: either"),
        ('source_from = "row.nr"\n' + SMALL, "source: either"),
        (SMALL.replace('source = "shop"', "source = 5"), "source: plain text"),
        (SMALL.partition("[kinds")[0] + 'kinds = "late"\n', "kinds: a table"),
        (SMALL + "makes = 5\n", "kinds.late.makes: a table"),
        (SMALL + 'makes.id = "row.nr"\nmakes.kind = "x"\n', "kinds.late.makes.due_at: needed"),
        (MAKING.replace("makes.grace", "makes.graze"), "kinds.late.makes.graze: not known here"),
        (MAKING.replace('"row.due"', '"due"'), "kinds.late.makes.due_at: at column 1"),
        (MAKING.replace("-20", "-3"), "kinds.late.makes.steps.1.points: a running total"),
        (SMALL + "keeps = []\n", "kinds.late.keeps"),
    ],
)
def test_a_mapping_at_fault_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(InvalidMapping) as refused:
        parse_mapping(text)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
