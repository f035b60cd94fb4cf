"""What chat rooms get: words for people, in which nothing that a customer chose means anything to the room."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.webhooks.formats import Form, rendered
from app.webhooks.headline import LINE_CHARACTERS_MAX, LINES_MAX, details, headline

OVERDRAWN: dict[str, Any] = {
    "type": "account.overdrawn",
    "types": ["account.overdrawn", "promise.broken"],
    "timestamp": "2026-05-28T12:00:00Z",
    "data": {
        "customer": "ada@example.com",
        "sequence": 7,
        "position": 4711,
        "from": {"standing": "steady", "depth": None},
        "to": {"standing": "overdrawn", "depth": "marked"},
        "balance": {"before": 12, "after": -18},
        "felt": {"before": -3.5, "after": -23.6},
        "entries": [{"kind": "wait.excessive", "points": -10}, {"kind": "product.failed", "points": -20}],
        "because": [
            {"kind": "product.failed", "label": {"en": "The product failed", "fr": "…"}, "points": -20, "felt": -20.0},
            {"kind": "wait.excessive", "label": None, "points": -10, "felt": -9.25},
        ],
        "segment": "gold",
        "cause": "outage-7",
    },
}
WORST = {"customer": "ada@example.com", "felt": -60.5}
BOOKS: dict[str, Any] = {
    "type": "cause.summary",
    "types": ["cause.summary"],
    "timestamp": "2026-05-28T12:00:00Z",
    "data": {"cause": "outage-7", "count": 51, "worst": [WORST] * 12, "x": None},
}


def of(message: dict[str, Any], form: Form) -> dict[str, Any]:
    return dict(json.loads(rendered(json.dumps(message).encode(), form)))


def about(**data: object) -> dict[str, Any]:
    return {**OVERDRAWN, "data": {**OVERDRAWN["data"], **data}}


def test_the_standard_body_is_the_very_bytes() -> None:
    assert rendered(b'{"type": "te\\u0073t" }', "standard") == b'{"type": "te\\u0073t" }'


def test_the_headline_says_who_what_and_after_what() -> None:
    assert headline(OVERDRAWN) == (
        "ada@example.com is overdrawn (marked), felt -23.6 after product.failed -20 and 1 more"
    )


def test_the_details_say_the_rest() -> None:
    assert details(OVERDRAWN) == [
        "steady -> overdrawn (marked)",
        "balance 12 -> -18",
        "The product failed: -20, felt -20",
        "wait.excessive: -10, felt -9.25",
        "also promise.broken",
        "segment: gold",
        "cause: outage-7",
        "2026-05-28T12:00:00Z",
    ]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("debit.deep", "ada@example.com had a deep debit, felt -23.6"),
        ("promise.broken", "ada@example.com was let down, a promise is broken, felt -23.6"),
        ("balance.dropped", "ada@example.com lost 30 points or more within a day, felt -23.6"),
        ("account.recovered", "ada@example.com has recovered and is overdrawn (marked), felt -23.6"),
        ("account.delighted", "ada@example.com is delighted, felt -23.6"),
        ("account.about_to_be_delighted", "ada@example.com is ready to be delighted, felt -23.6"),
        ("account.standing_changed", "ada@example.com is now overdrawn (marked), felt -23.6"),
        ("account.some_day", "account.some_day"),
    ],
)
def test_each_type_has_its_words(kind: str, words: str) -> None:
    assert headline({**OVERDRAWN, "type": kind}).removesuffix(" after product.failed -20 and 1 more") == words


def test_time_alone_is_named_as_the_cause() -> None:
    assert headline(about(entries=[])).endswith(", felt -23.6, as time passed")


def test_a_message_of_the_book_lists_its_facts() -> None:
    lines = details(BOOKS)

    assert headline(BOOKS) == "Many messages of one cause"
    assert lines[:3] == ["cause: outage-7", "count: 51", "worst: customer ada@example.com, felt -60.5"]
    assert len(lines) == LINES_MAX


def test_slack_gets_text_and_blocks() -> None:
    room = of(OVERDRAWN, "slack")

    assert room["text"] == room["blocks"][0]["text"]["text"] == headline(OVERDRAWN)
    assert [block["type"] for block in room["blocks"]] == ["section"] + ["context"] * 8


def test_teams_gets_a_card() -> None:
    room = of(OVERDRAWN, "teams")

    [attachment] = room["attachments"]
    assert (room["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    assert attachment["content"]["type"] == "AdaptiveCard"
    assert attachment["content"]["body"][0]["inlines"][0]["text"] == headline(OVERDRAWN)
    assert {line["type"] for line in attachment["content"]["body"]} == {"RichTextBlock"}


@pytest.mark.parametrize(
    ("customer", "shown"),
    [
        ("<!channel> ", "&lt;!channel&gt;"),
        ("<@U123|x>", "&lt;@U123|x&gt;"),
        ("<https://evil.example.com|click>", "&lt;https://evil.example.com|click&gt;"),
        ("&lt;!here&gt;", "&amp;lt;!here&amp;gt;"),
        ("a\n\r\tb\x00c\u202ed\u2028e", "a b c d e"),
    ],
)
def test_slack_takes_no_customer_for_a_mention_or_a_link(customer: str, shown: str) -> None:
    room = of(about(customer=customer, segment=customer), "slack")

    assert room["text"].startswith(f"{shown} is overdrawn")
    assert [text for text in texts(room) if "<" in text or ">" in text.replace("->", "").replace("-&gt;", "")] == []
    assert all(block.get("text", {"verbatim": True})["verbatim"] for block in room["blocks"])


@given(st.text(max_size=4_000), st.text(max_size=4_000), st.lists(st.text(max_size=400), max_size=30))
def test_nothing_makes_a_room_refuse_for_length_or_shape(customer: str, cause: str, kinds: list[str]) -> None:
    entries = [{"kind": kind, "points": -7, "felt": -7.0} for kind in kinds]
    message = about(customer=customer, cause=cause, entries=entries, because=entries)

    for form in ("slack", "teams"):
        found = list(texts(of(message, form)))
        assert len(found) <= LINES_MAX + 2
        assert all(0 < len(text) <= 5 * LINE_CHARACTERS_MAX for text in found)
        assert len(rendered(json.dumps(message).encode(), form)) < 28_000  # what Teams takes at most


def texts(room: object) -> list[str]:
    """All texts that the room would show."""
    if isinstance(room, list):
        return [text for item in room for text in texts(item)]
    if not isinstance(room, dict):
        return []
    own = [room["text"]] if isinstance(room.get("text"), str) else []
    return own + [text for item in room.values() for text in texts(item)]
