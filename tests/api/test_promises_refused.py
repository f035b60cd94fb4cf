"""What cannot be promised or said of a promise is refused with the rule in words, and leaves no trace."""

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx

from app.domain.instant import DAY, MINUTE, SECOND
from app.operations.post_due_steps import post_due_steps
from app.tables import metadata
from tests.api.sentences import Json, body_of, faults, got, problem_of, wire_time
from tests.conftest import NOON, Bench
from tests.operations.stories import stored

DUE = NOON + 10 * DAY
Wrong = tuple[Json, str, list[tuple[str, str]]]
"""What is sent, the problem's code, and the faults."""


def promising(own_id: str = "p", **more: Any) -> Json:
    return {"id": own_id, "customer": "ada", "kind": "promise.broken", "due_at": wire_time(DUE), **more}


def steps(*totals: tuple[str, Any]) -> list[Json]:
    return [{"after": after, "points": points} for after, points in totals]


async def made(api: httpx.AsyncClient, own_id: str = "p", **more: Any) -> None:
    response = await api.post("/v1/promises", json=promising(own_id, **more))
    assert response.status_code == 201, response.text


async def told(api: httpx.AsyncClient, what: str, **body: Any) -> httpx.Response:
    return await api.post(f"/v1/promises/p/{what}", json=body)


@asynccontextmanager
async def without_a_trace(bench: Bench) -> AsyncGenerator[None]:
    """Nothing that the database holds changes meanwhile."""
    tables = list(metadata.tables.values())
    before = await stored(bench, *tables)
    yield
    assert await stored(bench, *tables) == before


def is_in_words(problem: Json) -> None:
    for words in (problem["detail"], *(error["detail"] for error in problem["errors"])):
        assert len(words) > 10, problem


INVALID = "invalid_promise"
SHAPE = "invalid_request"
TERMS: Sequence[Wrong] = [
    ({"due_at": wire_time(NOON - 1)}, INVALID, [("/due_at", "due_in_the_past")]),
    ({"due_at": "9999-12-31T23:59:59Z"}, INVALID, [("/due_at", "due_too_far")]),
    ({"due_at": "9999-12-31T23:59:59-12:00"}, SHAPE, [("/due_at", "time_invalid")]),
    ({"steps": steps(("P3D", -12), ("P1D", -35))}, INVALID, [("/steps/1/after", "steps_out_of_order")]),
    ({"steps": steps(("P3D", -12), ("PT72H", -35))}, INVALID, [("/steps/1/after", "steps_out_of_order")]),
    ({"steps": steps(("P1D", -12), ("P3D", -11))}, INVALID, [("/steps/1/points", "steps_rising")]),
    ({"steps": steps(("P1D", 0))}, INVALID, [("/steps/0/points", "out_of_range")]),
    ({"steps": steps(("P1D", -1.5))}, SHAPE, [("/steps/0/points", "number_invalid")]),
    ({"steps": steps(("P999999999W", -5))}, SHAPE, [("/steps/0/after", "duration_invalid")]),
    ({"steps": steps(*((f"P{n}D", -n) for n in range(1, 1_000)))}, SHAPE, [("/steps", "too_long")]),
    ({"grace": "P366D"}, SHAPE, [("/grace", "duration_invalid")]),
    ({"grace": "-P1D"}, SHAPE, [("/grace", "duration_invalid")]),
    ({"grace": "P1M"}, SHAPE, [("/grace", "duration_invalid")]),
    ({"steps": []}, SHAPE, [("/steps", "too_short")]),
    ({"source": "goodwill"}, SHAPE, [("/source", "source_reserved")]),
    ({"note": "x"}, SHAPE, [("/note", "unknown_field")]),
    ({"grace": "P"}, SHAPE, [("/grace", "duration_invalid")]),
    ({"grace": float("nan")}, SHAPE, [("", "number_out_of_range")]),
    ({"kind": "apology.first"}, INVALID, [("/kind", "not_a_debit")]),
    ({"kind": "apology.first", "steps": steps(("P1D", -5))}, INVALID, [("/kind", "not_a_debit")]),
    ({"kind": "promise.brokenn"}, "unknown_kind", [("/kind", "unknown_kind")]),
    ({"kind": "promise.moved"}, "system_kind", [("/kind", "system_kind")]),
    ({"kind": "delivery.late"}, "invalid_attributes", [("/attributes/days_late", "missing_attribute")]),
    ({"kept_kind": "product.failed"}, INVALID, [("/kept_kind", "not_a_credit")]),
    ({"kept_kind": "gift"}, "unknown_kind", [("/kept_kind", "unknown_kind")]),
    ({"value_at": wire_time(NOON + DAY)}, "invalid_interaction", [("/value_at", "time_in_the_future")]),
    ({"id": "."}, SHAPE, [("/id", "id_invalid")]),
    ({"id": "i" * 160}, INVALID, [("/id", "too_long")]),
    ({"customer": ".."}, SHAPE, [("/customer", "customer_invalid")]),
]


async def test_terms_that_cannot_be(api: httpx.AsyncClient, bench: Bench) -> None:
    async with without_a_trace(bench):
        for sent, code, expected in TERMS:
            body = json.dumps(promising(**sent))
            refused = problem_of(await api.post("/v1/promises", content=body, headers=JSON), 422, code)
            assert faults(refused) == expected, sent
            is_in_words(refused)


JSON = {"Content-Type": "application/json"}
TOLD: Sequence[tuple[str, Json, str, list[tuple[str, str]]]] = [
    ("kept", {"value_at": wire_time(NOON - 1)}, INVALID, [("/value_at", "before_made")]),
    ("withdrawn", {"value_at": wire_time(NOON - DAY)}, INVALID, [("/value_at", "before_made")]),
    ("kept", {"value_at": wire_time(NOON + DAY)}, "invalid_interaction", [("/value_at", "time_in_the_future")]),
    ("moved", {"due_at": wire_time(DUE), "told_customer": True}, INVALID, [("/due_at", "due_unchanged")]),
    ("moved", {"due_at": wire_time(NOON), "told_customer": True}, INVALID, [("/due_at", "due_in_the_past")]),
    (
        "moved",
        {"due_at": wire_time(DUE + 1), "told_customer": False},
        INVALID,
        [("/told_customer", "customer_not_told")],
    ),
    ("moved", {"due_at": wire_time(DUE + 1), "told_customer": "yes"}, SHAPE, [("/told_customer", "invalid")]),
    ("kept", {"source": "goodwill"}, SHAPE, [("/source", "source_reserved")]),
]


async def test_what_cannot_be_said_of_an_open_promise(api: httpx.AsyncClient, bench: Bench) -> None:
    problem_of(await told(api, "kept"), 404, "unknown_promise")
    await made(api)
    async with without_a_trace(bench):
        for what, body, code, expected in TOLD:
            refused = problem_of(await told(api, what, **body), 422, code)
            assert faults(refused) == expected, (what, body)
            is_in_words(refused)


async def test_after_it_broke_it_is_not_moved(api: httpx.AsyncClient, bench: Bench) -> None:
    await made(api)
    bench.clock.now = DUE + SECOND
    await post_due_steps(bench.ledger, bench.book)

    async with without_a_trace(bench):
        refused = problem_of(
            await told(api, "moved", due_at=wire_time(DUE + DAY), told_customer=True), 409, "promise_overdue"
        )
    assert "moved before" in refused["detail"]


async def test_what_was_said_is_not_said_otherwise(api: httpx.AsyncClient, bench: Bench) -> None:
    await made(api)
    bench.clock.now += DAY
    first = await told(api, "kept", value_at=wire_time(NOON + MINUTE))
    assert first.status_code == 201

    async with without_a_trace(bench):
        again = await told(api, "kept", value_at=wire_time(NOON + MINUTE))
        assert (again.status_code, body_of(again)["entry"]) == (200, body_of(first)["entry"])
        for body in ({}, {"value_at": wire_time(NOON + 2 * MINUTE)}):
            refused = problem_of(await told(api, "kept", **body), 409, "interaction_conflict")
            assert (refused["fields"], faults(refused)) == (["value_at"], [("/value_at", "differs")])
            assert "what is said of a promise stays" in refused["detail"]
            assert "reverse" not in refused["errors"][0]["detail"]
        assert problem_of(await told(api, "withdrawn"), 409, "promise_settled")["state"] == "kept"
        other = await api.post("/v1/promises", json=promising(grace="P1D"))
        assert problem_of(other, 409, "interaction_conflict")["fields"] == ["grace"]
    assert (await got(api, "/v1/promises"))["promises"][0]["state"] == "kept"


async def test_a_preview_of_an_unreadable_policy_says_where(api: httpx.AsyncClient, bench: Bench) -> None:
    policy = await got(api, "/v1/policy")
    wrong: list[tuple[str, str, Any, tuple[str, str]]] = [
        *(("half_lives", "deep", days, ("/policy/half_lives/deep", "out_of_range")) for days in (0, -1, 1e308)),
        ("half_lives", "deep", "365", ("/policy/half_lives/deep", "wrong_type")),
        ("half_lives", "passing", 200, ("/policy/half_lives/passing", "passing_exceeds_lasting")),
        ("thresholds", "deep", -15, ("/policy/thresholds/deep", "deep_not_below_marked")),
        ("segments", "", {"marked": -5}, ("/policy/segments/", "invalid_text")),
        ("segments", "a/b", {"marked": 5}, ("/policy/segments/a~1b/marked", "out_of_range")),
        ("segments", "vip", {"marked": -60}, ("/policy/segments/vip/deep", "deep_not_below_marked")),
    ]
    async with without_a_trace(bench):
        for part, name, value, fault in wrong:
            document = {**policy, part: {**policy[part], name: value}}
            refused = problem_of(await api.post("/v1/policy/preview", json={"policy": document}), 422, "invalid_policy")
            assert faults(refused) == [fault]
            is_in_words(refused)
        many = {**policy, "segments": {f"s{n}": {} for n in range(1_001)}}
        refused = problem_of(await api.post("/v1/policy/preview", json={"policy": many}), 422, "invalid_policy")
        assert faults(refused) == [("/policy/segments", "wrong_number")]
