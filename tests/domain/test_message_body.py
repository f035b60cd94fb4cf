"""What a message says, and that it says it as the API does."""

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.api.wire import BecauseOut, EntryOut, PlaceOut
from app.domain.entry import Entry
from app.domain.instant import DAY, YEAR
from app.domain.message import MessageType
from app.domain.message_body import CAUSING_ENTRIES_MAX, News, Side, account_body
from app.domain.policy import HalfLives
from app.domain.share import because, heaviest_of
from app.domain.shown import entry_shown, place_shown, share_shown
from app.domain.standing import Depth, Place, Standing
from app.domain.tariff_document import default_tariff
from tests.domain.paper import Paper, draft, histories

STEADY = Place(standing=Standing.STEADY)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=20)
contexts = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("channel", "journey", "case", "cause", "promise", "settles"), texts),
        "motive": st.sampled_from(["problem", "information"]),
        "cost": st.floats(0, 1e6) | st.integers(0, 1000),
        "promised": st.just({"did": "made"}),
    },
)


def news(entries: list[Entry], **fields: Any) -> News:
    """Something of Ada's; every field can be set."""
    usual = News(
        types=[MessageType.DEBIT_DEEP],
        at=0,
        customer="ada",
        sequence=len(entries),
        before=Side(place=STEADY, balance=0, felt=0.0),
        after=Side(place=STEADY, balance=0, felt=-0.001),
        entries=entries,
        because=(),
        segment=None,
    )
    return replace(usual, **fields)


def booked(*points: int, context: str = "{}") -> list[Entry]:
    """Entries of one account."""
    paper = Paper()
    for number, each in enumerate(points, start=1):
        paper.book(draft(number, value_at=paper.now, points=each, context=context), at=paper.now)
    return paper.entries


def told(body: bytes) -> Any:
    return json.loads(body)["data"]


@given(events=histories, context=contexts, reversed_by=st.none() | st.uuids(), customer=texts)
def test_an_entry_is_told_as_the_feed_shows_it(
    events: list[Any], context: dict[str, Any], reversed_by: UUID | None, customer: str
) -> None:
    paper = Paper()
    for event in events:
        paper.step(event)
    for entry in (replace(each, context=json.dumps(context)) for each in paper.entries):
        as_the_feed = json.loads(EntryOut.of(entry, customer, reversed_by).model_dump_json())
        assert json.loads(json.dumps(entry_shown(entry, customer, reversed_by))) == as_the_feed


def test_what_weighs_most_is_told_as_the_account_shows_it() -> None:
    tariff = default_tariff()
    entry = replace(booked(-48)[0], kind="delivery.late")
    for each in (entry, replace(entry, kind="no.longer.listed")):
        (share,) = because(heaviest_of([each], HalfLives()), HalfLives(), each.booked_at + YEAR)
        shown = share_shown(share, tariff.kinds.get(each.kind))
        assert shown == json.loads(BecauseOut.of(share, tariff).model_dump_json())


def test_a_place_is_told_as_the_account_shows_it() -> None:
    for place in (STEADY, Place(standing=Standing.OVERDRAWN, depth=Depth.DEEP)):
        assert place_shown(place) == PlaceOut.of(place).model_dump(mode="json")


def test_of_many_causing_entries_the_heaviest_ten_are_told_in_order() -> None:
    entries = booked(*range(-12, 13))
    body = told(account_body(news(entries), {}))
    assert [each["points"] for each in body["entries"]] == [-12, -11, -10, -9, -8, 8, 9, 10, 11, 12]
    assert len(body["entries"]) == CAUSING_ENTRIES_MAX
    assert body["position"] == entries[-1].position


def test_position_cause_and_magnitude_are_those_of_the_causing_entries() -> None:
    entries = [*booked(-12, -48, 5, context='{"cause":"strike"}'), *booked(1)]
    assert (news(entries).position, news(entries).magnitude, news(entries).cause) == (1, 48, "strike")
    assert (news([]).position, news([]).magnitude, news([]).cause) == (None, 0, None)
    assert news(booked(1, context='{"case":"cause"}')).cause is None


def test_what_is_felt_has_two_decimals_and_no_minus_zero() -> None:
    body = account_body(news([], at=DAY), {})
    assert b'"felt":{"before":0.0,"after":0.0}' in body
    assert b'"timestamp":"1970-01-02T00:00:00Z"' in body
