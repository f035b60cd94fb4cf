"""Promises over HTTP: made, moved, kept, withdrawn, listed."""

from typing import Any

import httpx

from app.domain.instant import DAY, HOUR
from app.operations.post_due_steps import post_due_steps
from tests.api.sentences import GIFT, Json, body_of, faults, got, posted, problem_of, wire_time
from tests.conftest import NOON, Bench

DUE = NOON + 10 * DAY
STEPS = [{"after": "P1D", "points": -12}, {"after": "P3D", "points": -35}, {"after": "P1W", "points": -48}]


def promising(own_id: str = "p", **more: Any) -> Json:
    """A promise's body."""
    return {"id": own_id, "customer": "ada", "kind": "promise.broken", "due_at": wire_time(DUE), **more}


async def made(api: httpx.AsyncClient, own_id: str = "p", **more: Any) -> Json:
    response = await api.post("/v1/promises", json=promising(own_id, **more))
    assert response.status_code == 201, response.text
    return body_of(response)


async def told(api: httpx.AsyncClient, what: str, own_id: str = "p", **body: Any) -> httpx.Response:
    return await api.post(f"/v1/promises/{own_id}/{what}", json=body)


async def test_a_promise_says_what_is_at_stake(api: httpx.AsyncClient) -> None:
    answer = await made(api, steps=STEPS, grace="PT36H", attributes={"stake": "high"})

    promise = answer["promise"]
    assert (promise["state"], promise["customer"], promise["source"], promise["id"]) == ("open", "ada", "crm", "p")
    assert (promise["kept_kind"], promise["kept_points"], promise["grace"]) == ("promise.kept", 4, "P1DT12H")
    assert [(step["after"], step["points"], step["memory"]) for step in promise["steps"]] == [
        ("P1D", -12, "passing"),
        ("P3D", -35, "passing"),
        ("P7D", -48, "deep"),
    ]
    assert promise["attributes"] == {"stake": "high"}
    assert (answer["entry"]["kind"], answer["entry"]["promise"], answer["replayed"]) == ("promise.made", "p", False)
    assert answer["account"]["standing"] == "no_evidence"


async def test_the_same_again_is_200_and_another_a_conflict(api: httpx.AsyncClient) -> None:
    first = await made(api)
    again = await api.post("/v1/promises", json=promising())
    assert (again.status_code, body_of(again)["entry"]) == (200, first["entry"])
    other = await api.post("/v1/promises", json=promising(grace="P1D"))
    assert problem_of(other, 409, "interaction_conflict")["fields"] == ["grace"]

    kept = await told(api, "kept", value_at=wire_time(NOON))
    assert [kept.status_code, (await told(api, "kept", value_at=wire_time(NOON))).status_code] == [201, 200]
    assert problem_of(await told(api, "kept"), 409, "interaction_conflict")["fields"] == ["value_at"]
    assert problem_of(await told(api, "withdrawn"), 409, "promise_settled")["state"] == "kept"
    problem_of(await told(api, "moved", due_at=wire_time(DUE + DAY), told_customer=True), 409, "promise_settled")


async def test_an_unkept_promise_is_overdue_until_the_clock_has_posted(api: httpx.AsyncClient, bench: Bench) -> None:
    await posted(api, kind=GIFT)
    await made(api)
    bench.clock.now = DUE + 1
    shown = await got(api, "/v1/customers/ada", include="promises")
    assert [promise["state"] for promise in shown["promises"]] == ["overdue"]
    assert (shown["balance"], shown["recent"]) == (45, None)

    await post_due_steps(bench.ledger, bench.book)

    shown = await got(api, "/v1/customers/ada", include="promises,recent")
    assert [promise["state"] for promise in shown["promises"]] == ["broken"]
    assert (shown["balance"], shown["recent"][0]["interaction"]["source"]) == (30, "goodwill")
    problem_of(await told(api, "moved", due_at=wire_time(DUE + DAY), told_customer=True), 409, "promise_overdue")
    kept = body_of(await told(api, "kept", value_at=wire_time(DUE)))
    assert (kept["promise"]["state"], kept["promise"]["late"], kept["account"]["balance"]) == ("kept", False, 49)
    assert (await got(api, "/v1/customers/ada", include="promises"))["promises"] == []


async def test_moved_and_withdrawn(api: httpx.AsyncClient) -> None:
    await made(api)

    moved = body_of(await told(api, "moved", due_at=wire_time(DUE + DAY), told_customer=True))
    withdrawn = body_of(await told(api, "withdrawn"))

    assert (moved["promise"]["state"], moved["entry"]["points"]) == ("open", -4)
    assert moved["promise"]["due_at"] == "2026-06-08T20:26:40Z"
    assert (withdrawn["promise"]["state"], withdrawn["promise"]["next_step_at"]) == ("withdrawn", None)


async def test_promises_are_listed_by_due_time(api: httpx.AsyncClient, bench: Bench) -> None:
    for number in range(5):
        await made(api, f"p{number}", due_at=wire_time(DUE + number * DAY))
    await made(api, "bobs", customer="bob")
    await told(api, "withdrawn", "p4")
    bench.clock.now = DUE + HOUR

    async def listed(**parameters: Any) -> list[str]:
        found: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page = await got(api, "/v1/promises", limit=2, **parameters, **cursor)
            found += [promise["id"] for promise in page["promises"]]
            if page["next_cursor"] is None:
                return found
            cursor = {"cursor": page["next_cursor"]}

    assert await listed() == ["bobs", "p0", "p1", "p2", "p3", "p4"]
    assert await listed(customer="bob") == ["bobs"]
    assert await listed(customer="nobody") == []
    assert await listed(state="overdue") == ["bobs", "p0"]
    assert await listed(state="open,withdrawn") == ["p1", "p2", "p3", "p4"]
    assert await listed(due_before=wire_time(DUE + 2 * DAY), customer="ada") == ["p0", "p1"]
    await post_due_steps(bench.ledger, bench.book)
    assert await listed(state=["broken", "overdue"]) == ["bobs", "p0"]
    wrong = await api.get("/v1/promises", params={"state": "kept", "cursor": "abc"})
    assert faults(problem_of(wrong, 422, "invalid_request")) == [("/query/cursor", "cursor_invalid")]


async def test_the_id_is_the_reporters_whatever_its_characters(api: httpx.AsyncClient) -> None:
    await made(api, "a/b?c d%", source="shop")

    problem_of(await told(api, "kept", "a%2Fb%3Fc%20d%25"), 404, "unknown_promise")
    kept = await told(api, "kept", "a%2Fb%3Fc%20d%25", source="shop")
    assert body_of(kept)["promise"]["id"] == "a/b?c d%"
