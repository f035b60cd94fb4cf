"""Posting many at once."""

import json
from typing import Any

import httpx
import pytest

from app.api.batch import BATCH_MAX
from app.api.body import BATCH_BYTES_MAX
from tests.api.sentences import FAILURE, GIFT, Json, body_of, faults, happening, head_position, problem_of

BATCH = "/v1/interactions/batch"
UNKNOWN = happening("bad", kind="no.such_kind")


async def sent(api: httpx.AsyncClient, *items: Any) -> httpx.Response:
    return await api.post(BATCH, json={"interactions": list(items)})


async def sent_lines(api: httpx.AsyncClient, text: bytes, media_type: str = "application/x-ndjson") -> httpx.Response:
    return await api.post(BATCH, content=text, headers={"content-type": media_type})


def outcomes(answer: Json) -> list[str]:
    return [result["outcome"] for result in answer["results"]]


async def test_a_batch_is_answered_in_order(api: httpx.AsyncClient) -> None:
    first = await sent(api, happening("1"), happening("2", "bob", GIFT))
    again = await sent(api, happening("2", "bob", GIFT), happening("1"))

    assert (first.status_code, outcomes(body_of(first))) == (200, ["created", "created"])
    assert [result["entry"]["customer"] for result in body_of(first)["results"]] == ["ada", "bob"]
    assert (again.status_code, outcomes(body_of(again))) == (200, ["replayed", "replayed"])
    assert body_of(again)["results"] == [
        {"outcome": "replayed", "entry": result["entry"]} for result in reversed(body_of(first)["results"])
    ]
    assert body_of(again)["summary"] == {"created": 0, "replayed": 2, "conflict": 0, "refused": 0}


async def test_a_replayed_entry_shows_that_it_was_reversed_since(api: httpx.AsyncClient) -> None:
    entry = body_of(await sent(api, happening()))["results"][0]["entry"]
    undo = body_of(await api.post(f"/v1/entries/{entry['id']}/reversal", json={"reason": "x"}))["entry"]

    assert body_of(await sent(api, happening()))["results"][0]["entry"]["reversed_by"] == undo["id"]


async def test_what_is_refused_leaves_no_trace_but_its_answer(api: httpx.AsyncClient) -> None:
    response = await sent(api, happening("1"), UNKNOWN, 7, {"kind": FAILURE}, happening("2", value_at="yesterday"))

    results = body_of(response)["results"]
    assert response.status_code == 207
    assert outcomes(body_of(response)) == ["created", "refused", "refused", "refused", "refused"]
    assert [result["problem"]["code"] for result in results[1:]] == ["unknown_kind", *["invalid_interaction"] * 3]
    assert faults(results[3]["problem"]) == [("/customer", "missing")]
    assert await head_position(api) == 1


async def test_equal_ones_inside_one_batch_are_posted_once(api: httpx.AsyncClient) -> None:
    response = await sent(api, happening(), happening(), happening(kind=GIFT), happening())

    answer = body_of(response)
    assert (response.status_code, outcomes(answer)) == (207, ["created", "replayed", "conflict", "replayed"])
    assert answer["results"][2]["problem"]["fields"] == ["kind"]
    assert answer["summary"] == {"created": 1, "replayed": 2, "conflict": 1, "refused": 0}
    assert await head_position(api) == 1


async def test_a_batch_of_which_nothing_is_posted_is_a_problem_with_its_results(api: httpx.AsyncClient) -> None:
    problem = problem_of(await sent(api, UNKNOWN, None), 422, "all_refused")

    assert [result["problem"]["code"] for result in problem["results"]] == ["unknown_kind", "invalid_interaction"]
    assert problem["summary"] == {"created": 0, "replayed": 0, "conflict": 0, "refused": 2}


@pytest.mark.parametrize("media_type", ["application/x-ndjson", "application/jsonl; charset=UTF-8"])
async def test_lines_do_as_well(api: httpx.AsyncClient, media_type: str) -> None:
    lines = [json.dumps(happening("1")), "", json.dumps(happening("2", "é")), "  ", "{broken", '{"id":1,"id":2}']

    response = await sent_lines(api, "\r\n".join(lines).encode() + b"\n\xff\n", media_type)

    results = body_of(response)["results"]
    assert response.status_code == 207
    assert outcomes(body_of(response)) == ["created", "created", "refused", "refused", "refused"]
    assert results[1]["entry"]["customer"] == "é"
    assert [fault for result in results[2:] for fault in faults(result["problem"])] == [
        ("", "json_invalid"),
        ("", "duplicate_key"),
        ("", "json_invalid"),
    ]


async def test_five_thousand_are_taken_and_one_more_is_too_many(api: httpx.AsyncClient) -> None:
    many = [happening(str(number), f"customer {number % 50}") for number in range(BATCH_MAX)]

    assert body_of(await sent(api, *many))["summary"]["created"] == BATCH_MAX
    too_many = problem_of(await sent(api, *many, happening("last")), 422, "invalid_request")
    assert faults(too_many) == [("/interactions", "too_long")]
    lines = await sent_lines(api, b"1\n" * (BATCH_MAX + 1))
    assert faults(problem_of(lines, 422, "invalid_request")) == [("/interactions", "too_long")]


async def test_a_batch_holds_at_most_eight_mebibytes(api: httpx.AsyncClient) -> None:
    body = b'{"interactions":[' + b" " * BATCH_BYTES_MAX + b"1]}"

    problem_of(await sent_lines(api, body, "application/json"), 413, "body_too_large")
    problem_of(
        await api.post(BATCH, content=body[:-1], headers={"content-type": "text/csv"}), 415, "unsupported_media_type"
    )


async def test_a_batch_needs_its_envelope_and_something_in_it(api: httpx.AsyncClient) -> None:
    wrong: list[tuple[Any, tuple[str, str]]] = [
        ([], ("/interactions", "missing")),
        ({}, ("/interactions", "missing")),
        ({"interactions": {}}, ("/interactions", "missing")),
        ({"interactions": []}, ("/interactions", "too_short")),
        ({"interactions": [], "a/b": 1}, ("/a~1b", "unknown_field")),
    ]
    for body, fault in wrong:
        assert faults(problem_of(await api.post(BATCH, json=body), 422, "invalid_request")) == [fault]
    empty = await sent_lines(api, b" \n\n")
    assert faults(problem_of(empty, 422, "invalid_request")) == [("/interactions", "too_short")]
