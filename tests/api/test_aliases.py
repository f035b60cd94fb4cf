"""A customer has names in many systems: all lead to one account, and two accounts are never taken for one."""

import httpx

from app.operations.verify import verify
from tests.api.sentences import FAILURE, GIFT, Json, address, body_of, faults, got, happening, posted, problem_of
from tests.conftest import Bench


async def account(api: httpx.AsyncClient, customer: str) -> Json:
    return await got(api, address(customer))


async def test_an_id_of_another_system_leads_to_the_customer(api: httpx.AsyncClient, bench: Bench) -> None:
    await posted(api, "1", "ada", GIFT)
    for status in (201, 200):
        response = await api.put(address("ada") + "/aliases/zendesk/88%2F1")
        assert response.status_code == status, response.text
        assert body_of(response) == {"customer": "ada", "alias": "zendesk:88/1"}

    assert {**await account(api, "zendesk:88/1"), "customer": "ada"} == await account(api, "ada")
    assert (await posted(api, "2", "zendesk:88/1", FAILURE))["entry"]["sequence"] == 2
    assert await got(api, address("ada") + "/aliases") == {"names": ["ada", "zendesk:88/1"]}
    assert {each["customer"] for each in (await got(api, "/v1/entries"))["entries"]} == {"ada"}
    again = await api.post("/v1/interactions", json=happening("1", "zendesk:88/1", GIFT))
    assert (again.status_code, body_of(again)["replayed"]) == (200, True)
    assert (await verify(bench.ledger, bench.book)).is_sound


async def test_a_name_of_somebody_else_is_refused_until_the_two_are_merged(
    api: httpx.AsyncClient, bench: Bench
) -> None:
    await posted(api, "1", "ada", GIFT)
    await posted(api, "2", "zendesk:88", FAILURE)
    problem = problem_of(await api.put(address("ada") + "/aliases/zendesk/88"), 409, "customers_differ")
    assert "/merge" in problem["title"]
    assert problem_of(await api.put(address("eve") + "/aliases/zendesk/99"), 404, "unknown_customer")
    for name in ("Zendesk", "a:b", "x" * 41):
        assert problem_of(await api.put(f"{address('ada')}/aliases/{name}/1"), 422, "invalid_request")
    assert (await api.post(address("zendesk:88") + "/merge", json={"into": "ada"})).status_code == 201
    assert (await api.put(address("ada") + "/aliases/zendesk/88")).status_code == 200
    assert await got(api, address("ada") + "/aliases") == {"names": ["ada", "zendesk:88"]}
    assert (await verify(bench.ledger, bench.book)).is_sound


async def test_an_interaction_may_name_its_customer_in_several_systems(api: httpx.AsyncClient, bench: Bench) -> None:
    known = {"zendesk": "88", "email": "ada@example.com"}
    first = await api.post("/v1/interactions", json={**happening("1", kind=GIFT), "customer": known})
    assert first.status_code == 201, first.text
    assert body_of(first)["account"]["customer"] == "zendesk:88"

    names = {"crm": "7", "email": "ada@example.com"}
    items = [{**happening(number, kind=FAILURE), "customer": names} for number in ("2", "3")]
    batch = await api.post("/v1/interactions/batch", json={"interactions": items})
    assert [each["outcome"] for each in body_of(batch)["results"]] == ["created", "created"]

    assert await got(api, address("crm:7") + "/aliases") == {"names": ["crm:7", "email:ada@example.com", "zendesk:88"]}
    assert (await account(api, "zendesk:88"))["sequence"] == 3
    again = await api.post("/v1/interactions", json={**happening("1", kind=GIFT), "customer": {"crm": "7"}})
    assert (again.status_code, body_of(again)["replayed"]) == (200, True)
    assert (await got(api, "/v1/customers"))["customers"][0]["customer"] == "zendesk:88"
    assert (await verify(bench.ledger, bench.book)).is_sound


async def test_names_of_two_customers_in_one_interaction_are_refused_and_leave_no_trace(
    api: httpx.AsyncClient, bench: Bench
) -> None:
    await posted(api, "1", "zendesk:88", GIFT)
    await posted(api, "2", "email:bob", FAILURE)
    both = {**happening("3"), "customer": {"zendesk": "88", "crm": "7", "email": "bob"}}

    assert problem_of(await api.post("/v1/interactions", json=both), 409, "customers_differ")

    assert problem_of(await api.get(address("crm:7")), 404, "unknown_customer")
    assert len((await got(api, "/v1/entries"))["entries"]) == 2
    assert (await api.post(address("email:bob") + "/merge", json={"into": "zendesk:88"})).status_code == 201
    assert (await api.post("/v1/interactions", json=both)).status_code == 201
    assert (await account(api, "crm:7"))["balance"] == (await account(api, "email:bob"))["balance"]


async def test_what_is_wrong_with_names_is_pointed_at(api: httpx.AsyncClient) -> None:
    for customer, expected in (
        ({}, ("/customer", "too_short")),
        ({"Zendesk": "1"}, ("/customer/Zendesk/[key]", "text_invalid")),
        ({"zendesk": 1}, ("/customer/zendesk", "text_invalid")),
        ({"zendesk": "x" * 160}, ("/customer/zendesk", "too_long")),
        ({f"n{n}": "1" for n in range(11)}, ("/customer", "too_long")),
        ([], ("/customer", "text_invalid")),
        (7, ("/customer", "text_invalid")),
        ("", ("/customer", "too_short")),
    ):
        response = await api.post("/v1/interactions", json={**happening("1"), "customer": customer})
        assert faults(problem_of(response, 422, "invalid_request")) == [expected], customer


async def test_all_names_are_forgotten(api: httpx.AsyncClient, bench: Bench) -> None:
    await posted(api, "1", "ada", GIFT)
    await api.put(address("ada") + "/aliases/zendesk/88")
    assert (await got(api, address("ada") + "/export"))["names"] == ["ada", "zendesk:88"]
    assert (await api.delete(address("zendesk:88"))).status_code == 200
    for name in ("ada", "zendesk:88"):
        assert problem_of(await api.get(address(name)), 404, "unknown_customer")
    assert (await verify(bench.ledger, bench.book)).is_sound
