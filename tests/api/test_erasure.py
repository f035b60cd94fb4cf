"""A customer is forgotten: the ledger stays as it is, and nobody can say any more whose the entries are."""

import httpx
import pytest

from app.domain.api_key import Scope
from app.domain.instant import DAY
from app.operations.manage_keys import create_key
from app.operations.rebuild import rebuild
from app.operations.tick import advance_due
from app.operations.verify import verify
from tests.api.sentences import (
    FAILURE,
    GIFT,
    Json,
    address,
    body_of,
    got,
    happening,
    head_position,
    posted,
    problem_of,
    wire_time,
)
from tests.api.subscribing import made
from tests.conftest import NOON, Bench
from tests.operations.delivering import on_loopback


@pytest.fixture
def bench(bench: Bench) -> Bench:
    return on_loopback(bench)


INSULT = "agent.insult_or_threat"


async def forget(api: httpx.AsyncClient, customer: str = "ada") -> Json:
    response = await api.delete(address(customer))
    assert response.status_code == 200, response.text
    return body_of(response)


async def a_few(api: httpx.AsyncClient, bench: Bench) -> None:
    """ada -90 and +45, bob -20, ada is promised something."""
    await posted(api, "1", "ada", INSULT, note="she was called Ada")
    bench.clock.pass_days(1)
    await posted(api, "2", "bob", FAILURE)
    await posted(api, "3", "ada", GIFT)
    due = {"due_at": wire_time(bench.clock.now + 5 * DAY), "attributes": {"stake": "high"}}
    made = await api.post("/v1/promises", json={"id": "p", "customer": "ada", "kind": "promise.broken", **due})
    assert made.status_code == 201, made.text


async def names(api: httpx.AsyncClient, **parameters: object) -> list[str]:
    return sorted(each["customer"] for each in (await got(api, "/v1/customers", **parameters))["customers"])


async def test_who_is_forgotten_is_unknown_and_the_entries_stay_and_name_nobody(
    api: httpx.AsyncClient, bench: Bench
) -> None:
    await a_few(api, bench)
    before = (await got(api, "/v1/entries"))["entries"]

    answer = await forget(api)

    for path in ("", "/balance", "/statement", "/crossings", "/explanation"):
        problem_of(await api.get(f"{address('ada')}{path}"), 404, "unknown_customer")
    problem_of(await api.delete(address("ada")), 404, "unknown_customer")
    assert (await api.post("/v1/customers/lookup", json={"customers": ["ada"]})).json()["customers"] == [
        {"customer": "ada", "found": False, "standing": "no_evidence"}
    ]
    assert await names(api) == ["bob"]
    assert await names(api, as_of=wire_time(NOON + DAY)) == ["bob"]
    assert (await got(api, "/v1/promises"))["promises"] == []
    after = (await got(api, "/v1/entries"))["entries"]
    hers = {"customer": None, "erased": True}
    assert after[:-1] == [{**each, **(hers if each["customer"] == "ada" else {})} for each in before]
    last = after[-1]
    assert (last["kind"], last["points"], last["customer"], last["erased"]) == ("account.erased", 0, None, True)
    assert answer == {"erased_at": last["booked_at"], "entry": last["id"], "position": last["position"]}
    assert (await verify(bench.ledger, bench.book)).is_sound


async def test_what_was_posted_of_the_forgotten_is_gone_and_is_not_posted_again(
    api: httpx.AsyncClient, bench: Bench
) -> None:
    await a_few(api, bench)
    entry = (await got(api, "/v1/entries"))["entries"][0]
    await forget(api)
    count = await head_position(api)

    for own_id, customer in (("1", "ada"), ("1", "bob"), ("3", "ada"), ("p", "ada")):
        problem_of(await api.post("/v1/interactions", json=happening(own_id, customer)), 410, "interaction_erased")
    batch = await api.post("/v1/interactions/batch", json={"interactions": [happening("1"), happening("4", "bob")]})
    first, second = batch.json()["results"]
    assert (first["outcome"], first["problem"]["code"]) == ("refused", "interaction_erased")
    assert second["outcome"] == "created"
    for path, body in (
        (f"/v1/entries/{entry['id']}/reversal", {}),
        ("/v1/interactions/reversal", {"interaction": {"id": "1"}}),
        ("/v1/interactions/reversal", {"interaction": {"id": "1"}, "id": "undo"}),
    ):
        problem_of(await api.post(path, json={"reason": "typo", **body}), 410, "interaction_erased")
    again = {"id": "p", "customer": "ada", "kind": "promise.broken", "due_at": wire_time(bench.clock.now + DAY)}
    problem_of(await api.post("/v1/promises", json=again), 410, "interaction_erased")
    for verb in ("kept", "withdrawn"):
        problem_of(await api.post(f"/v1/promises/p/{verb}", json={}), 410, "interaction_erased")
    assert await head_position(api) == count + 1


async def test_who_comes_back_opens_a_new_account(api: httpx.AsyncClient, bench: Bench) -> None:
    await a_few(api, bench)
    await forget(api)

    account = (await posted(api, "new", "ada", GIFT))["account"]

    assert (account["balance"], account["sequence"]) == (45, 1)
    entries = (await got(api, f"{address('ada')}/statement"))["entries"]
    assert [each["interaction"]["id"] for each in entries] == ["new"]
    await forget(api)
    assert await names(api) == ["bob"]
    assert (await verify(bench.ledger, bench.book)).is_sound


async def test_what_was_told_of_the_forgotten_is_told_no_more(api: httpx.AsyncClient, bench: Bench) -> None:
    to = await made(api)
    await a_few(api, bench)
    told = (await got(api, "/v1/messages"))["messages"]
    assert "ada" in {each["customer"] for each in told}

    await forget(api)

    after = (await got(api, "/v1/messages"))["messages"]
    assert [each["customer"] for each in after] == [None if each["customer"] == "ada" else "bob" for each in told]
    for each in after:
        body = (await got(api, f"/v1/messages/{each['id']}"))["body"]
        assert (body is None) == (each["customer"] is None)
    owed = (await got(api, f"/v1/webhooks/{to['id']}/deliveries"))["deliveries"]
    assert len(owed) == len(told)
    for each in owed:
        of_bob = next(m["customer"] for m in after if m["id"] == each["message_id"]) == "bob"
        assert (each["state"], each["reason"]) == (("pending", None) if of_bob else ("given_up", "erased"))


async def test_only_an_administrator_forgets(api: httpx.AsyncClient, bench: Bench) -> None:
    await a_few(api, bench)
    for scope in set(Scope) - {Scope.ADMIN}:
        _, token = await create_key(bench.ledger, bench.book, name=scope, scopes=[scope])
        async with bench.client(token.text) as other:
            problem_of(await other.delete(address("ada")), 403, "forbidden")
    assert await names(api) == ["ada", "bob"]


@pytest.mark.parametrize("days", [0, 30])
async def test_neither_time_nor_a_rebuild_brings_the_forgotten_back(
    api: httpx.AsyncClient, bench: Bench, days: int
) -> None:
    await a_few(api, bench)
    await api.patch(address("ada"), json={"segment": "vip", "value": 10})
    bench.clock.pass_days(days)
    await forget(api)

    bench.clock.pass_days(1_000)
    tick = await advance_due(bench.ledger, bench.book)
    assert {each.at for _, each in tick.crossings if each.position is not None} == set()
    assert (await verify(bench.ledger, bench.book)).is_sound
    await rebuild(bench.ledger, bench.book)

    assert await names(api) == ["bob"]
    assert (await verify(bench.ledger, bench.book)).is_sound


async def test_before_that_the_person_is_given_everything(api: httpx.AsyncClient, bench: Bench) -> None:
    await posted(api, "0", "ada", "delivery.late", attributes={"days_late": 2}, channel="phone")
    await a_few(api, bench)
    await api.patch(address("ada"), json={"segment": "vip", "value": 10})

    given = await got(api, f"{address('ada')}/export")

    account = await got(api, address("ada"))
    assert given["account"] == account
    assert given["known"] == [{"since": given["exported_at"], "segment": "vip", "value": 10.0}]
    lines = (await got(api, f"{address('ada')}/statement"))["entries"]
    assert [{name: each[name] for name in each if name != "reported"} for each in given["entries"]] == lines
    assert [each["reported"] for each in given["entries"][:3]] == [
        {"kind": "delivery.late", "attributes": {"days_late": 2}, "channel": "phone"},
        {"kind": INSULT, "note": "she was called Ada"},
        {"kind": GIFT},
    ]
    assert given["entries"][3]["reported"]["attributes"] == {"stake": "high"}
    assert [each["id"] for each in given["promises"]] == ["p"]
    assert given["crossings"] == (await got(api, f"{address('ada')}/crossings"))["crossings"]
    assert [each["customer"] for each in given["messages"]] == ["ada"] * len(given["messages"]) != []
    assert all(each["body"]["data"]["customer"] == "ada" for each in given["messages"])
    problem_of(await api.get(f"{address('nobody')}/export"), 404, "unknown_customer")
