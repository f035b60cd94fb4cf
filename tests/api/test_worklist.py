"""The worklist, exact at one instant over all its pages."""

from typing import Any

import httpx
import pytest
from sqlalchemy import event

from app.domain.instant import DAY
from tests.api.sentences import (
    APOLOGY,
    FAILURE,
    GIFT,
    WAIT,
    Json,
    address,
    body_of,
    faults,
    got,
    happening,
    posted,
    problem_of,
    wire_time,
)
from tests.conftest import NOON, Bench

WORKLIST = "/v1/customers"
ORDERS = ("standing_since", "balance", "last_entry_at", "felt", "stake")


async def a_few(api: httpx.AsyncClient, bench: Bench) -> None:
    """ada -20 (worth 10), bob -40, cid +45, dan +3, each booked a day after the one before."""
    for number, (customer, kind) in enumerate(
        [("ada", FAILURE), ("bob", FAILURE), ("bob", FAILURE), ("cid", GIFT), ("dan", APOLOGY)]
    ):
        await posted(api, str(number), customer, kind)
        bench.clock.pass_days(1)
    await described(api, "ada", value=10)
    await described(api, "bob", segment="vip")


async def described(api: httpx.AsyncClient, customer: str, **body: Any) -> None:
    assert (await api.patch(address(customer), json=body)).status_code == 200


def names(page: Json) -> list[str]:
    return [account["customer"] for account in page["customers"]]


async def pages(api: httpx.AsyncClient, limit: int = 1, **parameters: Any) -> list[Json]:
    found = [await got(api, WORKLIST, limit=limit, **parameters)]
    while found[-1]["next_cursor"]:
        found.append(await got(api, WORKLIST, limit=limit, cursor=found[-1]["next_cursor"], **parameters))
    return found


async def test_filters_take_one_value_or_a_list(api: httpx.AsyncClient, bench: Bench) -> None:
    await a_few(api, bench)

    filtered: list[tuple[Json, list[str]]] = [
        ({}, ["ada", "bob", "cid", "dan"]),
        ({"standing": "overdrawn"}, ["ada", "bob"]),
        ({"standing": "overdrawn,delighted"}, ["ada", "bob", "cid"]),
        ({"standing": "overdrawn,overdrawn"}, ["ada", "bob"]),
        ({"standing": ["overdrawn", "delighted"]}, ["ada", "bob", "cid"]),
        ({"depth": "deep"}, []),
        ({"depth": "slight,marked"}, ["ada", "bob"]),
        ({"segment": "vip"}, ["bob"]),
        ({"segment": ["vip", "other"], "standing": "delighted"}, []),
    ]
    for parameters, expected in filtered:
        assert sorted(names(await got(api, WORKLIST, **parameters))) == expected, parameters


async def test_what_no_filter_knows_is_refused(api: httpx.AsyncClient) -> None:
    unknown: list[tuple[Json, str]] = [
        ({"standing": "cross"}, "/query/standing/0"),
        ({"standing": "overdrawn,"}, "/query/standing/1"),
        ({"standing": ""}, "/query/standing/0"),
        ({"depth": "Deep"}, "/query/depth/0"),
        ({"segment": ","}, "/query/segment/0"),
        ({"order": "name"}, "/query/order"),
        ({"order": "standing_since", "as_of": wire_time(NOON)}, "/query/order"),
        ({"limit": 0}, "/query/limit"),
        ({"limit": 1001}, "/query/limit"),
        ({"status": "overdrawn"}, "/query/status"),
    ]
    for parameters, pointer in unknown:
        problem = problem_of(await api.get(WORKLIST, params=parameters), 422, "invalid_request")
        assert faults(problem)[0][0] == pointer, parameters


@pytest.mark.parametrize("limit", [1, 3, 1000])
async def test_every_order_says_what_comes_first(api: httpx.AsyncClient, bench: Bench, limit: int) -> None:
    await a_few(api, bench)

    for order, expected in {
        "standing_since": ["ada", "bob", "cid", "dan"],
        "balance": ["bob", "ada", "dan", "cid"],
        "last_entry_at": ["dan", "cid", "bob", "ada"],
        "felt": ["bob", "ada", "dan", "cid"],
        "stake": ["ada", "bob"],
    }.items():
        listed = [name for page in await pages(api, limit, order=order) for name in names(page)]
        assert listed[: len(expected)] == expected, order
        assert sorted(listed) == ["ada", "bob", "cid", "dan"]


@pytest.mark.parametrize("order", ORDERS)
async def test_a_list_is_exact_at_one_instant_whatever_happens_between_its_pages(
    api: httpx.AsyncClient, bench: Bench, order: str
) -> None:
    await a_few(api, bench)
    before = await got(api, WORKLIST, order=order)

    page = await got(api, WORKLIST, order=order, limit=1)
    found = page["customers"]
    for turn in range(10):
        await posted(api, f"between {turn}", "ada", GIFT)
        await posted(api, f"new {turn}", f"new {turn}", FAILURE)
        undone = await api.post("/v1/interactions/reversal", json={"reason": "x", "interaction": {"id": str(turn % 5)}})
        assert undone.status_code in (201, 409)
        await described(api, "bob", segment=f"segment {turn}")
        bench.clock.pass_days(40)
        if page["next_cursor"]:
            page = await got(api, WORKLIST, order=order, limit=1, cursor=page["next_cursor"])
            found += page["customers"]

    assert page["next_cursor"] is None
    assert page["at"] == before["at"]
    assert found == before["customers"]


@pytest.mark.parametrize("then", [{}, {"as_of": wire_time(NOON + 2 * DAY)}])
@pytest.mark.parametrize("order", ["stake", "felt"])
async def test_what_becomes_known_of_customers_between_two_pages_changes_neither(
    api: httpx.AsyncClient, bench: Bench, order: str, then: Json
) -> None:
    await a_few(api, bench)
    parameters: Json = {"order": order, "limit": 1, **then}
    bench.clock.pass_days(1)
    before = [account for page in await pages(api, **parameters) for account in page["customers"]]
    assert {account["customer"]: (account["segment"], account["value"]) for account in before} == {
        **dict.fromkeys([account["customer"] for account in before], (None, None)),
        "ada": (None, 10.0),
        "bob": ("vip", None),
    }

    page = await got(api, WORKLIST, **parameters)
    found = page["customers"]
    for changes in ({"ada": None, "bob": 100}, {"ada": 3, "bob": None, "cid": 7}, {"ada": 1000, "bob": 1000}):
        for customer, value in changes.items():
            await described(api, customer, value=value, segment=None if customer == "bob" else "vip")
        if page["next_cursor"]:
            page = await got(api, WORKLIST, **parameters, cursor=page["next_cursor"])
            found += page["customers"]

    assert page["next_cursor"] is None
    assert found == before
    assert names(await got(api, WORKLIST, order="stake", limit=1)) == ["bob"]


async def test_standing_moves_by_time_alone(api: httpx.AsyncClient, bench: Bench) -> None:
    await a_few(api, bench)
    assert names(await got(api, WORKLIST, standing="overdrawn", depth="marked")) == ["ada", "bob"]

    bench.clock.pass_days(100)
    assert names(await got(api, WORKLIST, standing="overdrawn", depth="marked")) == ["bob"]
    bench.clock.pass_days(2000)
    assert len(names(await got(api, WORKLIST, standing="no_evidence"))) == 4


async def test_a_worklist_in_hindsight(api: httpx.AsyncClient, bench: Bench) -> None:
    await a_few(api, bench)
    then: Json = {"as_of": wire_time(NOON + DAY + DAY // 2)}

    assert [
        (account["customer"], account["balance"]) for account in (await got(api, WORKLIST, **then))["customers"]
    ] == [
        ("bob", -20),
        ("ada", -20),
    ]
    assert names(await got(api, WORKLIST, **then, segment="vip", standing="overdrawn")) == ["bob"]
    for order in ("felt", "stake", "balance", "last_entry_at"):
        whole = await got(api, WORKLIST, **then, order=order)
        split = await pages(api, **then, order=order)
        assert [account for page in split for account in page["customers"]] == whole["customers"]
        assert {page["at"] for page in split} == {whole["at"]}


async def test_a_cursor_is_good_for_its_own_list_only(api: httpx.AsyncClient, bench: Bench) -> None:
    await a_few(api, bench)
    cursor = (await got(api, WORKLIST, limit=1))["next_cursor"]

    for parameters in (
        {"cursor": cursor, "order": "balance"},
        {"cursor": cursor, "standing": "overdrawn"},
        {"cursor": cursor, "as_of": wire_time(NOON)},
        {"cursor": cursor + "AA"},
        {"cursor": "x"},
        {"cursor": "x" * 1001},
    ):
        response = await api.get(WORKLIST, params=parameters)
        assert faults(problem_of(response, 422, "invalid_request"))[0][0] == "/query/cursor"


async def test_a_page_costs_as_many_queries_as_one_account(api: httpx.AsyncClient, bench: Bench) -> None:
    await api.post(
        "/v1/interactions/batch", json={"interactions": [happening(str(n), f"c{n}", WAIT) for n in range(200)]}
    )
    counted = Counter(bench)

    async def cost(method: str, path: str, **sent: Any) -> int:
        counted.statements = 0
        assert (await api.request(method, path, **sent)).status_code == 200
        return counted.statements

    one = {"customers": ["c1"]}
    many = {"customers": [f"c{n}" for n in range(200)]}
    hindsight: Json = {"as_of": wire_time(NOON)}
    assert await cost("GET", WORKLIST, params={"limit": 1}) == await cost("GET", WORKLIST, params={"limit": 200})
    assert await cost("GET", WORKLIST, params={"limit": 1, **hindsight}) == await cost(
        "GET", WORKLIST, params={"limit": 200, **hindsight}
    )
    assert await cost("POST", "/v1/customers/lookup", json=one) == await cost("POST", "/v1/customers/lookup", json=many)
    assert body_of(await api.get(WORKLIST, params={"limit": 200}))["customers"][7]["because"]


class Counter:
    """Counts the statements of a bench's readers."""

    def __init__(self, bench: Bench) -> None:
        self.statements = 0
        event.listen(bench.ledger.database._readers.engine.sync_engine, "before_cursor_execute", self.count)

    def count(self, *_arguments: object) -> None:
        self.statements += 1
