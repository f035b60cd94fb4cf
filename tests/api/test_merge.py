"""Two customers are merged: both names lead to one account, which holds all that both held; and that can be undone."""

from collections.abc import AsyncGenerator

import httpx
import pytest

from app.domain.instant import DAY
from app.domain.policy import HalfLives, Policy, Thresholds
from app.operations.rebuild import rebuild
from app.operations.tick import advance_due
from app.operations.verify import verify
from tests.api.sentences import FAILURE, GIFT, Json, address, body_of, got, happening, posted, problem_of, wire_time
from tests.conftest import Bench
from tests.operations.adopting import adopt_wholly

INSULT = "agent.insult_or_threat"


@pytest.fixture
async def api(api: httpx.AsyncClient, bench: Bench) -> AsyncGenerator[httpx.AsyncClient]:
    """Whatever a test does, the laws hold after it, and a rebuild changes nothing."""
    yield api
    assert (await verify(bench.ledger, bench.book)).findings == ()
    await rebuild(bench.ledger, bench.book)
    assert (await verify(bench.ledger, bench.book)).findings == ()


async def merge(api: httpx.AsyncClient, customer: str, into: str, status: int = 201) -> Json:
    response = await api.post(address(customer) + "/merge", json={"into": into})
    assert response.status_code == status, response.text
    return body_of(response)


async def unmerge(api: httpx.AsyncClient, customer: str, status: int = 201) -> Json:
    response = await api.post(address(customer) + "/unmerge")
    assert response.status_code == status, response.text
    return body_of(response)


async def account(api: httpx.AsyncClient, customer: str) -> Json:
    return await got(api, address(customer))


async def a_few(api: httpx.AsyncClient, bench: Bench) -> None:
    """ada -90 and +45; a day later bob -20."""
    await posted(api, "1", "ada", INSULT)
    await posted(api, "2", "ada", GIFT)
    bench.clock.pass_days(1)
    await posted(api, "3", "bob", FAILURE)


async def test_both_names_lead_to_the_survivor_which_holds_all(api: httpx.AsyncClient, bench: Bench) -> None:
    await a_few(api, bench)
    ada, bob = await account(api, "ada"), await account(api, "bob")

    merged = await merge(api, "ada", "bob")

    lines = [(each["customer"], each["kind"], each["points"], each["balance_after"]) for each in merged["entries"]]
    balance = ada["balance"] + bob["balance"]
    assert lines == [
        ("ada", "account.merged_into", -ada["balance"], 0),
        ("bob", "account.merged_from", ada["balance"], balance),
    ]
    now = await account(api, "bob")
    assert (now["balance"], now["merged_into"]) == (balance, None)
    assert now["felt"] == pytest.approx(ada["felt"] + bob["felt"], abs=0.02)
    assert await account(api, "ada") == merged["account"] == {**now, "customer": "ada", "merged_into": "bob"}
    assert {each["kind"] for each in now["because"]} == {INSULT, FAILURE, GIFT}
    assert [each["customer"] for each in (await got(api, "/v1/customers"))["customers"]] == ["bob"]
    assert [each["customer"] for each in (await got(api, "/v1/entries"))["entries"]][:3] == ["ada", "ada", "bob"]
    explained = await got(api, address("ada"), include="explanation")
    assert sum(each["felt"] for each in explained["explanation"]["entries"]) == pytest.approx(now["felt"], abs=0.05)


async def test_what_is_posted_under_either_name_is_posted_on_the_survivor(api: httpx.AsyncClient, bench: Bench) -> None:
    await a_few(api, bench)
    await merge(api, "ada", "bob")

    again = await api.post("/v1/interactions", json=happening("1", "bob", INSULT))
    assert (again.status_code, body_of(again)["replayed"]) == (200, True)
    again = await api.post("/v1/interactions", json=happening("3", "ada", FAILURE))
    assert (again.status_code, body_of(again)["account"]["merged_into"]) == (200, "bob")
    new = await posted(api, "4", "ada", FAILURE)
    assert (new["entry"]["sequence"], new["account"]["merged_into"]) == (3, "bob")
    found = await api.post("/v1/customers/lookup", json={"customers": ["ada", "bob"]})
    first, second = body_of(found)["customers"]
    assert first == {**second, "customer": "ada", "merged_into": "bob"}


async def test_what_was_merged_is_reversed_out_of_the_survivor(api: httpx.AsyncClient, bench: Bench) -> None:
    await a_few(api, bench)
    await posted(api, "4", "bob", "contact.neutral")
    before = await account(api, "bob")
    await merge(api, "ada", "bob")
    for number in ("1", "2"):
        response = await api.post("/v1/interactions/reversal", json={"interaction": {"id": number}, "reason": "never"})
        assert response.status_code == 201, response.text

    after = await account(api, "bob")
    same = ("balance", "felt", "standing", "depth")
    assert [after[name] for name in same] == [before[name] for name in same]
    assert [each["kind"] for each in after["because"]] == [FAILURE]


async def test_undone_each_has_its_own_again_and_what_came_since_stays(api: httpx.AsyncClient, bench: Bench) -> None:
    await a_few(api, bench)
    await posted(api, "carl", "carl", FAILURE)
    ada, bob = await account(api, "ada"), await account(api, "bob")
    await merge(api, "ada", "bob")
    bench.clock.pass_days(30)
    await posted(api, "4", "ada", GIFT)
    await api.post("/v1/interactions/reversal", json={"interaction": {"id": "1"}, "reason": "it was not she"})

    undone = await unmerge(api, "ada")

    assert [(each["kind"], each["points"]) for each in undone["entries"]] == [
        ("account.merged_from", -45),
        ("account.merged_into", 45),
    ]
    now = await account(api, "ada")
    assert (now["balance"], now["merged_into"], ada["balance"]) == (45, None, -45)
    assert (await account(api, "bob"))["balance"] == bob["balance"] + 45
    assert [each["kind"] for each in now["because"]] == [GIFT]
    assert undone["account"] == now
    assert problem_of(await api.post(address("ada") + "/unmerge"), 409, "not_merged")
    await posted(api, "5", "ada", FAILURE)
    assert (await account(api, "ada"))["balance"] == 25


async def test_merges_are_followed_and_undone_from_the_last(api: httpx.AsyncClient, bench: Bench) -> None:
    await a_few(api, bench)
    await posted(api, "4", "carl", GIFT)
    await merge(api, "ada", "bob")
    await merge(api, "bob", "carl")

    names = ["ada", "bob", "carl"]
    assert {(await account(api, name))["balance"] for name in names} == {-20}
    assert [(await account(api, name))["merged_into"] for name in names] == ["carl", "carl", None]
    assert (await merge(api, "ada", "carl", 200))["replayed"]
    for pair in (("carl", "ada"), ("carl", "carl"), ("carl", "bob")):
        response = await api.post(address(pair[0]) + "/merge", json={"into": pair[1]})
        assert problem_of(response, 409, "same_customer")
    assert problem_of(await api.post(address("ada") + "/unmerge"), 409, "merged_further")
    await unmerge(api, "bob")
    assert [(await account(api, name))["balance"] for name in names] == [-65, -65, 45]
    await unmerge(api, "ada")
    assert [(await account(api, name))["balance"] for name in names] == [-45, -20, 45]


async def test_promises_go_with_the_customer(api: httpx.AsyncClient, bench: Bench) -> None:
    await a_few(api, bench)
    due = {"due_at": wire_time(bench.clock.now + 5 * DAY), "attributes": {"stake": "high"}}
    for name in ("p", "q"):
        made = await api.post("/v1/promises", json={"id": name, "customer": "ada", "kind": "promise.broken", **due})
        assert made.status_code == 201, made.text
    await merge(api, "ada", "bob")
    bench.clock.pass_days(6)
    await advance_due(bench.ledger, bench.book)
    kept = await api.post("/v1/promises/p/kept", json={"value_at": wire_time(bench.clock.now - 2 * DAY)})
    assert kept.status_code == 201, kept.text
    assert body_of(kept)["promise"]["customer"] == "bob"
    listed = await got(api, "/v1/promises", customer="ada")
    assert sorted((each["id"], each["attributes"]["stake"]) for each in listed["promises"]) == [
        ("p", "high"),
        ("q", "high"),
    ]

    await unmerge(api, "ada")

    assert [each["customer"] for each in (await got(api, "/v1/promises"))["promises"]] == ["ada", "ada"]


async def test_who_is_forgotten_is_forgotten_under_all_names(api: httpx.AsyncClient, bench: Bench) -> None:
    await a_few(api, bench)
    await posted(api, "4", "carl", GIFT)
    await merge(api, "ada", "bob")
    await merge(api, "bob", "carl")
    held = await got(api, address("ada") + "/export")
    assert {each["interaction"]["id"] for each in held["entries"]} >= {"1", "2", "3", "4"}

    response = await api.delete(address("ada"))

    assert response.status_code == 200, response.text
    for name in ("ada", "bob", "carl"):
        assert problem_of(await api.get(address(name)), 404, "unknown_customer")
    assert problem_of(await api.post("/v1/interactions", json=happening("1", "ada", INSULT)), 410, "interaction_erased")
    assert {each["customer"] for each in (await got(api, "/v1/entries"))["entries"]} == {None}
    assert (await posted(api, "5", "ada", GIFT))["entry"]["sequence"] == 1


async def test_a_merge_stays_right_under_another_policy(api: httpx.AsyncClient, bench: Bench) -> None:
    await a_few(api, bench)
    await merge(api, "ada", "bob")
    bench.clock.pass_days(10)
    lives = HalfLives(lasting=90.0, passing=30.0, deep=100.0)
    await adopt_wholly(bench, Policy(half_lives=lives, thresholds=Thresholds(evidence=2.0)))
    bench.clock.pass_days(10)
    assert (await verify(bench.ledger, bench.book)).findings == ()
    await unmerge(api, "ada")
    await adopt_wholly(bench, Policy())
    assert [(await account(api, name))["balance"] for name in ("ada", "bob")] == [-45, -20]


async def test_one_message_tells_of_a_merge(api: httpx.AsyncClient, bench: Bench) -> None:
    await a_few(api, bench)
    before = (await got(api, "/v1/messages"))["messages"]
    await merge(api, "ada", "bob")
    (told,) = (await got(api, "/v1/messages"))["messages"][: -len(before)]
    assert (told["customer"], told["types"][-1], told["type"]) == ("bob", "account.merged", "account.overdrawn")
    crossings = (await got(api, address("bob") + "/crossings"))["crossings"]
    assert (crossings[-1]["cause"], crossings[-1]["announced"]) == ("merge", True)
    bench.clock.pass_days(2)
    await unmerge(api, "ada")
    types = [each["types"] for each in (await got(api, "/v1/messages"))["messages"][: -len(before) - 1]]
    assert ["account.unmerged" in each for each in types].count(True) == 1


async def test_who_is_unknown_cannot_be_merged(api: httpx.AsyncClient, bench: Bench) -> None:
    await a_few(api, bench)
    assert problem_of(await api.post(address("eve") + "/merge", json={"into": "ada"}), 404, "unknown_customer")
    response = await api.post(address("ada") + "/merge", json={"into": "eve"})
    assert [fault["pointer"] for fault in problem_of(response, 404, "unknown_customer")["errors"]] == ["/into"]
    assert problem_of(await api.post(address("eve") + "/unmerge"), 404, "unknown_customer")
    assert problem_of(await api.post(address("ada") + "/unmerge"), 409, "not_merged")
    assert problem_of(await api.post(address("ada") + "/merge", json={}), 422, "invalid_request")
