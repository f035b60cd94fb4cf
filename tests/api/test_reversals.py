"""Reversing an entry, by its id or by its interaction."""

from typing import Any

import httpx
import pytest

from app.domain.instant import DAY
from tests.api.sentences import (
    FAILURE,
    GIFT,
    Json,
    body_of,
    faults,
    got,
    happening,
    head_position,
    posted,
    problem_of,
    wire_time,
)
from tests.conftest import NOON


async def reversed_by_id(api: httpx.AsyncClient, entry: Json, **body: Any) -> httpx.Response:
    return await api.post(f"/v1/entries/{entry['id']}/reversal", json={"reason": "a mistake", **body})


async def reversed_by_name(api: httpx.AsyncClient, named: str = "1", **body: Any) -> httpx.Response:
    return await api.post(
        "/v1/interactions/reversal", json={"reason": "a mistake", "interaction": {"id": named}, **body}
    )


@pytest.mark.parametrize("reverse", ["by id", "by name"])
async def test_a_reversal_takes_back_what_the_entry_did(api: httpx.AsyncClient, reverse: str) -> None:
    entry = (await posted(api, kind=FAILURE, value_at=wire_time(NOON - 30 * DAY)))["entry"]

    response = await (reversed_by_id(api, entry) if reverse == "by id" else reversed_by_name(api))

    answer = body_of(response)
    assert response.status_code == 201
    assert (answer["entry"]["points"], answer["entry"]["reverses"]) == (20, entry["id"])
    assert answer["entry"]["value_at"] == entry["value_at"]
    assert answer["entry"]["interaction"] == {"source": "crm", "id": None}
    assert (answer["account"]["balance"], answer["account"]["felt"]) == (0, 0.0)
    assert answer["account"]["because"] == []
    first, last = (await got(api, "/v1/entries"))["entries"]
    assert (first["reversed_by"], last["reversed_by"]) == (last["id"], None)


async def test_without_an_own_id_a_second_call_is_told_that_it_is_done(api: httpx.AsyncClient) -> None:
    entry = (await posted(api))["entry"]
    first = body_of(await reversed_by_id(api, entry))["entry"]

    assert problem_of(await reversed_by_id(api, entry), 409, "already_reversed")["reversed_by"] == first["id"]
    assert problem_of(await reversed_by_name(api), 409, "already_reversed")["reversed_by"] == first["id"]
    assert await head_position(api) == 2


async def test_with_an_own_id_the_same_call_is_replayed_and_another_is_a_conflict(api: httpx.AsyncClient) -> None:
    entry = (await posted(api))["entry"]
    first = await reversed_by_id(api, entry, id="undo")
    again = await reversed_by_id(api, entry, id="undo")
    by_name = await reversed_by_name(api, id="undo")
    other = await reversed_by_id(api, entry, id="undo", reason="another reason")

    assert [first.status_code, again.status_code, by_name.status_code] == [201, 200, 200]
    assert body_of(again)["entry"] == body_of(first)["entry"]
    assert problem_of(other, 409, "interaction_conflict")["fields"] == ["reason"]
    assert await head_position(api) == 2


async def test_a_replacement_travels_with_the_reversal(api: httpx.AsyncClient) -> None:
    entry = (await posted(api, kind=FAILURE))["entry"]
    replacement = happening("2", kind=GIFT)

    first = await reversed_by_id(api, entry, id="undo", replacement=replacement)
    again = await reversed_by_id(api, entry, id="undo", replacement=replacement)

    answer = body_of(first)
    assert (answer["entry"]["points"], answer["replacement"]["points"]) == (20, 45)
    assert answer["account"]["balance"] == 45
    assert (again.status_code, body_of(again)["replacement"]) == (200, answer["replacement"])
    assert await head_position(api) == 3


async def test_a_replacement_may_be_another_customers(api: httpx.AsyncClient) -> None:
    entry = (await posted(api, kind=FAILURE))["entry"]

    answer = body_of(await reversed_by_id(api, entry, replacement=happening("2", customer="bob", kind=FAILURE)))

    assert (answer["entry"]["customer"], answer["replacement"]["customer"]) == ("ada", "bob")
    assert (await got(api, "/v1/customers/bob"))["balance"] == -20


async def test_a_refused_replacement_leaves_the_entry_as_it_was(api: httpx.AsyncClient) -> None:
    entry = (await posted(api))["entry"]

    response = await reversed_by_id(api, entry, replacement=happening("2", kind="no.such_kind"))

    assert faults(problem_of(response, 422, "unknown_kind")) == [("/replacement/kind", "unknown_kind")]
    assert await head_position(api) == 1
    assert (await reversed_by_id(api, entry)).status_code == 201


async def test_a_replacement_that_says_nothing_of_its_own_is_refused_in_its_place(api: httpx.AsyncClient) -> None:
    entry = (await posted(api))["entry"]

    response = await reversed_by_id(api, entry, replacement=happening(own_id=None))

    assert faults(problem_of(response, 422, "invalid_request")) == [("/replacement/id", "missing")]


async def test_a_reversal_is_not_reversible(api: httpx.AsyncClient) -> None:
    entry = (await posted(api))["entry"]
    undo = body_of(await reversed_by_id(api, entry, id="undo"))["entry"]

    problem_of(await reversed_by_id(api, undo), 409, "not_reversible")
    problem_of(await reversed_by_name(api, "undo"), 409, "not_reversible")


async def test_an_entry_that_is_not_there_cannot_be_reversed(api: httpx.AsyncClient) -> None:
    await posted(api)

    for entry_id in ("00000000-0000-4000-8000-000000000000", "no-uuid", "%00", "%C3%A9", "0" * 300):
        problem_of(await api.post(f"/v1/entries/{entry_id}/reversal", json={"reason": "x"}), 404, "unknown_entry")


async def test_an_interaction_that_is_not_there_cannot_be_reversed(api: httpx.AsyncClient) -> None:
    problem_of(await reversed_by_name(api, "2"), 404, "unknown_entry")
    problem_of(await reversed_by_name(api, interaction={"id": "1", "source": "shop"}), 404, "unknown_entry")


async def test_a_reversal_of_the_wrong_shape_is_refused(api: httpx.AsyncClient) -> None:
    entry = (await posted(api))["entry"]
    wrong: list[tuple[Json, tuple[str, str]]] = [
        ({"reason": ""}, ("/reason", "too_short")),
        ({"reason": None}, ("/reason", "text_invalid")),
        ({"why": "x"}, ("/why", "unknown_field")),
        ({"replacement": {"kind": 1, "customer": "ada"}}, ("/replacement/kind", "text_invalid")),
    ]

    for body, fault in wrong:
        assert faults(problem_of(await reversed_by_id(api, entry, **body), 422, "invalid_request")) == [fault]
