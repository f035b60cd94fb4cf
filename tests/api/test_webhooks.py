"""Webhooks over HTTP: subscriptions made, changed, held, rotated, tried; deliveries looked at and sent again."""

from collections.abc import AsyncGenerator

import httpx
import pytest

from app.domain.api_key import Scope
from app.domain.instant import DAY, SECOND, Instant
from app.domain.message import MessageType
from app.operations.manage_keys import create_key
from app.webhooks.sign import is_authentic
from tests.api.sentences import Json, body_of, faults, got, problem_of, wire_time
from tests.api.subscribing import AWAY, done, made
from tests.conftest import Bench
from tests.operations.delivering import on_loopback
from tests.operations.posting import new_book
from tests.webhooks.receivers import answering, receiving

FINE = answering("204 No Content")
OWN_SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


@pytest.fixture
def bench(bench: Bench) -> Bench:
    return on_loopback(bench)


@pytest.fixture
async def api(bench: Bench) -> AsyncGenerator[httpx.AsyncClient]:
    """A caller who may manage webhooks and nothing else."""
    _, token = await create_key(bench.ledger, bench.book, name="hooks", scopes=[Scope.WEBHOOKS_MANAGE])
    async with bench.client(token.text) as client:
        yield client


async def test_the_secret_is_shown_once(api: httpx.AsyncClient) -> None:
    answer = await made(api, AWAY, "debit.*", "account.overdrawn", description="the night shift", segments=["gold"])

    assert answer.pop("secret").startswith("whsec_")
    assert await got(api, f"/v1/webhooks/{answer['id']}") == answer
    assert await got(api, "/v1/webhooks") == {"webhooks": [answer], "next_cursor": None}
    assert (answer["url"], answer["state"], answer["message_types"]) == (
        AWAY,
        "active",
        ["debit.*", "account.overdrawn"],
    )


async def test_subscriptions_are_listed_page_by_page(api: httpx.AsyncClient) -> None:
    ids = [(await made(api))["id"] for _ in range(3)]

    first = await got(api, "/v1/webhooks", limit=2)
    second = await got(api, "/v1/webhooks", limit=2, cursor=first["next_cursor"])

    assert sorted(each["id"] for each in [*first["webhooks"], *second["webhooks"]]) == sorted(ids)
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"url": "https://127.1/"}, ("/url", "url_refused")),
        ({"url": "http://example.com/"}, ("/url", "url_refused")),
        ({"url": "https://zoe:word@example.com/"}, ("/url", "url_refused")),
        ({"url": "https://10.0.0.1/"}, ("/url", "url_refused")),
        ({"message_types": ["debit.deep", "debit.shallow"]}, ("/message_types/1", "unknown_message_type")),
        ({"message_types": ["deb*"]}, ("/message_types/0", "unknown_message_type")),
        ({"secret": "whsec_c2hvcnQ="}, ("/secret", "secret_invalid")),
    ],
)
async def test_what_cannot_be_is_refused(api: httpx.AsyncClient, body: Json, fault: tuple[str, str]) -> None:
    response = await api.post("/v1/webhooks", json={"url": AWAY, "message_types": ["*"], **body})

    assert faults(problem_of(response, 422, "invalid_subscription")) == [fault]
    assert [sent for sent in ("10.0.0.1", "127.1", "zoe", "c2hvcnQ") if sent in response.text] == []
    assert (await got(api, "/v1/webhooks"))["webhooks"] == []


async def test_an_unknown_type_is_answered_with_what_exists(api: httpx.AsyncClient) -> None:
    response = await api.post("/v1/webhooks", json={"url": AWAY, "message_types": ["nothing"]})

    detail = problem_of(response, 422, "invalid_subscription")["errors"][0]["detail"]
    assert all(each in detail for each in [*MessageType, "debit.*", "account.*"])


@pytest.mark.parametrize(
    "body",
    [
        {"message_types": []},
        {"max_in_flight": 0},
        {"max_in_flight": 65},
        {"least_magnitude": 0},
        {"body": "sms"},
        {"ordered": 1},
        {"segments": []},
        {"segments": ["a,b"]},
        {"secrets": []},
        {"url": None},
        {"description": "\x00"},
    ],
)
async def test_what_has_not_the_shape_is_refused(api: httpx.AsyncClient, body: Json) -> None:
    subscription = await made(api)
    response = await api.post("/v1/webhooks", json={"url": AWAY, "message_types": ["*"], **body})
    problem_of(response, 422, "invalid_request")

    problem_of(await api.patch(f"/v1/webhooks/{subscription['id']}", json=body), 422, "invalid_request")


async def test_a_book_has_at_most_so_many(api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.operations.subscribe.SUBSCRIPTIONS_MAX", 2)
    await made(api)
    last = await made(api)
    full = await api.post("/v1/webhooks", json={"url": AWAY, "message_types": ["*"]})
    problem_of(full, 409, "too_many_subscriptions")

    assert (await api.delete(f"/v1/webhooks/{last['id']}")).status_code == 204
    await made(api)


async def test_only_what_is_sent_changes(api: httpx.AsyncClient) -> None:
    answer = await made(api, segments=["gold"], least_magnitude=10)
    address = f"/v1/webhooks/{answer['id']}"
    before = await got(api, address)
    changes = {"url": "http://localhost:9/x", "message_types": ["test"], "segments": None, "ordered": True}

    assert body_of(await api.patch(address, json=changes)) == {**before, **changes}
    assert body_of(await api.patch(address, json={})) == await got(api, address) == {**before, **changes}
    refused = await api.patch(address, json={"url": "https://10.1.1.1/"})
    assert faults(problem_of(refused, 422, "invalid_subscription")) == [("/url", "url_refused")]


async def test_paused_resumed_and_deleted(api: httpx.AsyncClient) -> None:
    address = f"/v1/webhooks/{(await made(api))['id']}"

    assert [(await done(api, f"{address}/{each}"))["state"] for each in ("pause", "pause", "resume", "resume")] == [
        *("paused", "paused"),
        *("active", "active"),
    ]
    assert (await api.delete(address)).status_code == 204
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/pause"), ("POST", "/resume"), ("POST", "/test")):
        problem_of(await api.request(method, address + path), 404, "unknown_subscription")
    problem_of(await api.patch(address, json={}), 404, "unknown_subscription")
    problem_of(await api.post(f"{address}/secret", json={}), 404, "unknown_subscription")
    assert (await got(api, f"{address}/deliveries"))["deliveries"] == []


async def test_while_a_secret_is_replaced_both_sign(api: httpx.AsyncClient, bench: Bench) -> None:
    def signing(secrets: list[str], now: Instant) -> list[bool]:
        request = receiver.requests[-1]
        return [is_authentic(each, request.headers, request.body, now=now) for each in secrets]

    async with receiving(FINE) as receiver:
        answer = await made(api, receiver.url, secret=OWN_SECRET)
        address = f"/v1/webhooks/{answer['id']}"
        until_then = wire_time(bench.clock.now + DAY)
        second = await done(api, f"{address}/secret", {"old_expires_at": until_then})
        assert (await got(api, address))["old_secret_expires_at"] == second["old_expires_at"]
        third = await done(api, f"{address}/secret", {"old_expires_at": until_then})
        secrets = [OWN_SECRET, second["secret"], third["secret"]]
        again = await done(api, f"{address}/secret", {"secret": third["secret"], "old_expires_at": until_then})
        assert again == third
        await done(api, f"{address}/test")
        assert signing(secrets, bench.clock.now) == [True, True, True]
        bench.clock.now += DAY
        await done(api, f"{address}/test")
        assert signing(secrets, bench.clock.now) == [False, False, True]

    for wrong in (bench.clock.now, bench.clock.now + 30 * DAY + SECOND):
        response = await api.post(f"{address}/secret", json={"old_expires_at": wire_time(wrong)})
        assert faults(problem_of(response, 422, "invalid_subscription")) == [("/old_expires_at", "time_out_of_range")]


async def test_a_test_says_what_became_of_it(api: httpx.AsyncClient) -> None:
    async with receiving(answering("418 I'm a teapot", body=b"short and stout")) as receiver:
        answer = await made(api, receiver.url)
        tested = await done(api, f"/v1/webhooks/{answer['id']}/test")

    attempt = tested["attempt"]
    assert (attempt["status"], attempt["excerpt"], bool(attempt["error"])) == (418, "short and stout", True)
    assert receiver.requests[0].headers["webhook-id"] == tested["message_id"]
    assert (await got(api, f"/v1/webhooks/{answer['id']}/deliveries"))["deliveries"] == []


async def test_no_other_scope_and_no_other_book_sees_webhooks(api: httpx.AsyncClient, bench: Bench) -> None:
    address = f"/v1/webhooks/{(await made(api))['id']}"
    _, reader = await create_key(bench.ledger, bench.book, name="reads", scopes=[Scope.ACCOUNTS_READ])
    other = await new_book(bench)
    _, stranger = await create_key(bench.ledger, other, name="stranger", scopes=[Scope.ADMIN])

    async with bench.client(reader.text) as client:
        problem_of(await client.get("/v1/webhooks"), 403, "forbidden")
        problem_of(await client.get(address), 403, "forbidden")
    async with bench.client(stranger.text) as client:
        assert (await got(client, "/v1/webhooks"))["webhooks"] == []
        problem_of(await client.get(address), 404, "unknown_subscription")
        problem_of(await client.post(f"{address}/test"), 404, "unknown_subscription")
