"""The sandbox over HTTP: the README's story fast-forwarded, what is refused, and what happened meanwhile."""

from collections.abc import AsyncGenerator
from datetime import datetime

import httpx
import pytest

from app.api import sandbox as room
from app.domain.api_key import Scope
from app.domain.instant import DAY, HOUR, SECOND, instant_of
from app.operations.manage_keys import create_key
from app.operations.verify import verify
from tests.api.sentences import (
    FAILURE,
    GIFT,
    WAIT,
    Json,
    body_of,
    faults,
    got,
    happening,
    posted,
    problem_of,
    wire_time,
)
from tests.conftest import NOON, Bench

ADA = "ada@example.com"
EXPLANATION = f"/v1/customers/{ADA}/explanation"
CLOCK, SANDBOX = "/v1/sandbox/clock", "/v1/sandbox"
BOOK = "test_acme"


@pytest.fixture
async def sandbox(bench: Bench) -> AsyncGenerator[httpx.AsyncClient]:
    """A caller with a sandbox's key."""
    _, token = await create_key(bench.ledger, BOOK, name="tests", scopes=[Scope.ADMIN], source="crm")
    async with bench.client(token.text) as client:
        yield client


def wire(instant: int) -> str:
    return wire_time(instant).replace("+00:00", "Z")


async def advanced(api: httpx.AsyncClient, duration: str) -> Json:
    """What moving the clock answers."""
    response = await api.post(CLOCK, json={"advance": duration})
    assert response.status_code == 200, response.text
    return body_of(response)


def at(time: str) -> int:
    return instant_of(datetime.fromisoformat(time))


async def tell_the_story(api: httpx.AsyncClient) -> None:
    for days_ago, kind in ((14, FAILURE), (7, WAIT), (0, GIFT)):
        await posted(api, kind, ADA, kind, value_at=wire_time(NOON - days_ago * DAY))


async def test_the_story_fast_forwarded_310_days_ends_as_the_explanation_foretold(
    sandbox: httpx.AsyncClient, bench: Bench
) -> None:
    await tell_the_story(sandbox)
    told = await got(sandbox, f"/v1/customers/{ADA}")
    assert (told["standing"], told["balance"], told["felt"]) == ("delighted", 19, 21.36)
    end = NOON + 310 * DAY

    foretold = []
    while (ahead := (await got(sandbox, EXPLANATION))["next"]) and at(ahead["at"]) <= end:
        await go_to(sandbox, bench, at(ahead["at"]) - 1)
        before = await got(sandbox, f"/v1/customers/{ADA}")
        await go_to(sandbox, bench, at(ahead["at"]))
        after = await got(sandbox, f"/v1/customers/{ADA}")
        assert (before["standing"], before["depth"]) != (after["standing"], after["depth"])
        assert (after["standing"], after["depth"]) == (ahead["standing"], ahead["depth"])
        assert after["standing_since"] == ahead["at"] == before["next_crossing_at"]
        foretold.append(ahead)
    await go_to(sandbox, bench, end)

    assert [each["standing"] for each in foretold] == ["steady"]
    last = await got(sandbox, f"/v1/customers/{ADA}")
    assert last["standing"] == foretold[-1]["standing"]
    assert [each["points"] for each in last["because"]] == [45, -20, -6]
    crossings = (await got(sandbox, f"/v1/customers/{ADA}/crossings"))["crossings"]
    by_time = [each for each in crossings if each["cause"] == "time"]
    assert [(each["at"], each["to"]["standing"]) for each in by_time] == [
        (each["at"], each["standing"]) for each in foretold
    ]
    assert await told_at_once(bench) == (named(last), [{**each, "customer": ADA} for each in by_time])
    assert (await verify(bench.ledger, BOOK)).is_sound


async def go_to(api: httpx.AsyncClient, bench: Bench, instant: int) -> None:
    """Move the sandbox's clock by whole seconds; the rest of the way is what the real clock ticks."""
    now = at((await got(api, EXPLANATION))["at"])
    if instant - now >= SECOND:
        await advanced(api, f"PT{(instant - now) // SECOND}S")
    bench.clock.now += (instant - now) % SECOND


async def told_at_once(bench: Bench) -> tuple[Json, list[Json]]:
    """The same story in another sandbox, 310 days later in one advance: the account, and what was passed."""
    bench.clock.now = NOON
    _, token = await create_key(bench.ledger, "test_again", name="tests", scopes=[Scope.ADMIN], source="crm")
    async with bench.client(token.text) as api:
        await tell_the_story(api)
        told = await got(api, f"/v1/customers/{ADA}")
        passed = await advanced(api, "P310D")
        account = await got(api, f"/v1/customers/{ADA}")
    assert (at(passed["from"]), at(passed["to"])) == (at(told["last_entry_at"]), NOON + 310 * DAY)
    return named(account), passed["crossings"]


def named(account: Json) -> Json:
    """The account without the ids of its entries, which are chance."""
    return {**account, "because": [{**each, "entry": None} for each in account["because"]]}


async def test_a_promise_breaks_in_its_days_and_the_answer_tells_it_in_order(sandbox: httpx.AsyncClient) -> None:
    steps = [{"after": "P1D", "points": -12}, {"after": "P3D", "points": -35}]
    due = {"id": "p", "customer": "bob", "kind": "promise.broken", "due_at": wire_time(NOON + 10 * DAY), "steps": steps}
    assert (await sandbox.post("/v1/promises", json=due)).status_code == 201
    await posted(sandbox, kind=GIFT)

    passed = await advanced(sandbox, "P30D")

    missed = [(each["customer"], each["kind"], each["points"], each["booked_at"]) for each in passed["entries"]]
    times = [wire(NOON + days * DAY) for days in (11, 13)]
    assert missed == [("bob", "promise.broken", -12, times[0]), ("bob", "promise.broken", -23, times[1])]
    assert passed["entries"] == (await got(sandbox, "/v1/entries", after=2))["entries"]
    assert [each["at"] for each in passed["crossings"] if each["customer"] == "bob"] == times
    told = [(each["body"]["timestamp"], each["types"]) for each in passed["messages"] if each["customer"] == "bob"]
    assert told == [
        (times[0], ["promise.broken", "account.standing_changed"]),
        (times[1], ["account.overdrawn", "promise.broken"]),
    ]
    assert passed["left_off"] == {"crossings": 0, "entries": 0, "messages": 0}
    (promise,) = (await got(sandbox, "/v1/promises"))["promises"]
    assert promise["state"] == "broken"


async def test_long_answers_say_what_they_leave_off(
    sandbox: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "LISTED_MAX", 2)
    monkeypatch.setattr(room, "MESSAGES_LISTED_MAX", 1)
    for number in range(3):
        due = {"customer": f"c{number}", "kind": "promise.broken", "due_at": wire_time(NOON + DAY)}
        assert (await sandbox.post("/v1/promises", json={"id": str(number), **due})).status_code == 201

    passed = await advanced(sandbox, "P2D")

    assert [len(passed[name]) for name in ("crossings", "entries", "messages")] == [2, 2, 1]
    assert passed["left_off"] == {"crossings": 4, "entries": 1, "messages": 2}
    assert [entry["position"] for entry in passed["entries"]] == [4, 5]


async def test_everything_else_goes_by_the_sandboxs_clock(sandbox: httpx.AsyncClient, bench: Bench) -> None:
    await posted(sandbox)
    await advanced(sandbox, "P90D")
    now = NOON + 90 * DAY

    assert (await posted(sandbox, "2"))["entry"]["booked_at"] == wire(now)
    balance = f"{'/v1/customers/ada'}/balance"
    past, future = wire_time(now - HOUR), wire_time(now + HOUR)
    assert (await got(sandbox, balance, known_at=past))["balance"] == 3
    refused = problem_of(await sandbox.get(balance, params={"known_at": future}), 422, "invalid_request")
    assert faults(refused) == [("/query/known_at", "time_in_the_future")]
    late = await sandbox.post("/v1/interactions", json=happening("3", value_at=future))
    problem_of(late, 422, "invalid_interaction")
    assert (await got(sandbox, "/v1/customers"))["at"] == wire(now)
    tariff = await got(sandbox, "/v1/tariff")
    assert (await sandbox.put("/v1/tariff", json=tariff, headers={"If-Match": "*"})).status_code == 200


async def test_an_emptied_sandbox_takes_the_story_again(sandbox: httpx.AsyncClient) -> None:
    await tell_the_story(sandbox)
    await advanced(sandbox, "P90D")

    emptied = await sandbox.delete(SANDBOX)

    assert (emptied.status_code, emptied.content) == (204, b"")
    assert (await got(sandbox, "/v1/entries"))["entries"] == []
    problem_of(await sandbox.get(f"/v1/customers/{ADA}"), 404, "unknown_customer")
    await tell_the_story(sandbox)
    assert at((await advanced(sandbox, "PT1S"))["from"]) == NOON + 2


async def test_a_live_key_moves_no_clock_and_empties_nothing(bench: Bench, api: httpx.AsyncClient) -> None:
    await posted(api)

    for body in ({"advance": "P1D"}, {"advance": "no duration"}):
        problem_of(await api.post(CLOCK, json=body), 403, "not_a_sandbox")
    problem_of(await api.delete(SANDBOX), 403, "not_a_sandbox")

    assert (await posted(api, "2"))["entry"]["booked_at"] == wire(NOON + 1)


async def test_each_needs_its_scope(sandbox: httpx.AsyncClient, bench: Bench) -> None:
    for scope in (Scope.ACCOUNTS_READ, Scope.INTERACTIONS_WRITE):
        _, token = await create_key(bench.ledger, BOOK, name=scope, scopes=[scope])
        async with bench.client(token.text) as client:
            assert problem_of(await client.delete(SANDBOX), 403, "forbidden")["scope"] == "admin"
            moved = await client.post(CLOCK, json={"advance": "P1D"})
            assert moved.status_code == (200 if scope is Scope.INTERACTIONS_WRITE else 403)


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "90d",
        "P",
        "PT",
        "P0D",
        "PT0S",
        "-P1D",
        "P-1D",
        "P1M",
        "P1Y",
        "P1.5D",
        "P3661D",
        "P999999999W",
        90,
        None,
        ["P1D"],
    ],
)
async def test_what_is_no_duration_is_refused(sandbox: httpx.AsyncClient, wrong: object) -> None:
    refused = problem_of(await sandbox.post(CLOCK, json={"advance": wrong}), 422, "invalid_request")

    assert faults(refused) == [("/advance", "duration_invalid")]


async def test_a_clock_goes_a_hundred_years_ahead_at_most(sandbox: httpx.AsyncClient) -> None:
    for _ in range(9):
        await advanced(sandbox, "P3660D")

    refused = problem_of(await sandbox.post(CLOCK, json={"advance": "P3660D"}), 422, "invalid_request")

    assert faults(refused) == [("/advance", "duration_invalid")]
