"""Deliveries and messages over HTTP: looked at, sent again, recovered."""

from collections.abc import AsyncGenerator
from uuid import UUID

import httpx
import pytest

from app.domain.api_key import Scope
from app.domain.message import MessageType
from app.operations.manage_keys import create_key
from tests.api.sentences import faults, got, posted, problem_of, wire_time
from tests.api.subscribing import done, made
from tests.conftest import Bench
from tests.operations.delivering import delivering, on_loopback, opened, told, until
from tests.webhooks.receivers import answering, receiving


@pytest.fixture
def bench(bench: Bench) -> Bench:
    return on_loopback(bench)


@pytest.fixture
async def api(bench: Bench) -> AsyncGenerator[httpx.AsyncClient]:
    """A caller who may manage webhooks and nothing else."""
    _, token = await create_key(bench.ledger, bench.book, name="hooks", scopes=[Scope.WEBHOOKS_MANAGE])
    async with bench.client(token.text) as client:
        yield client


async def test_deliveries_are_listed_newest_first_with_their_tries(api: httpx.AsyncClient, bench: Bench) -> None:
    async with bench.client() as admin:
        await posted(admin)
    async with receiving(answering("500 Oops", body=b"down")) as receiver:
        answer = await made(api, receiver.url)
        address = f"/v1/webhooks/{answer['id']}"
        ids = [f"msg_{(await told(bench, 'ada'))[0].message_id.hex}" for _ in range(3)]
        async with delivering(bench.ledger):
            await until(lambda: len(receiver.requests) == 3)
            await until(lambda: all_are_tried(api, address))

    page = await got(api, f"{address}/deliveries", limit=2)
    rest = await got(api, f"{address}/deliveries", limit=2, cursor=page["next_cursor"])
    one = await got(api, f"{address}/deliveries/{ids[0]}")

    assert [each["message_id"] for each in [*page["deliveries"], *rest["deliveries"]]] == ids[::-1]
    assert {**one, "tries": None} == {**rest["deliveries"][0], "tries": None}
    assert (one["state"], one["attempts"], one["type"]) == ("pending", 1, "debit.deep")
    (attempt,) = one["tries"]
    assert (attempt["status"], attempt["excerpt"]) == (500, "down")
    assert attempt["error"] == "answered 500 Internal Server Error"
    await done(api, f"{address}/pause")
    states = {each: await count_of(api, address, each) for each in ("pending", "held", "delivered,held", "given_up")}
    assert states == {"pending": 0, "held": 3, "delivered,held": 3, "given_up": 0}
    again = await done(api, f"{address}/deliveries/{ids[0]}/redeliver")
    assert (again["state"], again["attempts"]) == ("held", 1)


async def all_are_tried(api: httpx.AsyncClient, address: str) -> bool:
    page = await got(api, f"{address}/deliveries")
    return all(each["attempts"] == 1 and each["next_attempt_at"] for each in page["deliveries"])


async def count_of(api: httpx.AsyncClient, address: str, states: str) -> int:
    return len((await got(api, f"{address}/deliveries", state=states))["deliveries"])


async def test_a_delivery_that_is_none(api: httpx.AsyncClient) -> None:
    address = f"/v1/webhooks/{(await made(api))['id']}"
    none = f"msg_{UUID(int=4).hex}"

    problem_of(await api.get(f"{address}/deliveries/{none}"), 404, "unknown_delivery")
    problem_of(await api.post(f"{address}/deliveries/{none}/redeliver"), 404, "unknown_delivery")
    problem_of(await api.get(f"{address}/deliveries/msg_1"), 422, "invalid_request")
    nobody = f"/v1/webhooks/{UUID(int=4)}"
    problem_of(await api.get(f"{nobody}/deliveries"), 404, "unknown_subscription")
    problem_of(await api.get(f"{nobody}/deliveries/{none}"), 404, "unknown_subscription")


async def test_recovery_says_how_far_it_is(api: httpx.AsyncClient, bench: Bench) -> None:
    address = f"/v1/webhooks/{(await made(api))['id']}/recover"
    since = wire_time(bench.clock.now)

    assert await done(api, address, {"since": since}) == {"recovered": 0, "next_cursor": None}
    wrong = await api.post(address, json={"since": since, "cursor": "abc"})
    assert faults(problem_of(wrong, 422, "invalid_request")) == [("/query/cursor", "cursor_invalid")]
    unknown = await api.post(f"/v1/webhooks/{UUID(int=4)}/recover", json={"since": since})
    problem_of(unknown, 404, "unknown_subscription")


async def test_messages_can_be_read_by_who_may_read_accounts(api: httpx.AsyncClient, bench: Bench) -> None:
    async with bench.client() as admin:
        await opened(bench, "ada", "bob")
        (first,) = await told(bench, "ada", cause="strike")
        await told(bench, "bob", kind=MessageType.BALANCE_DROPPED)
        await told(bench, None, kind=MessageType.POLICY_ADOPTED)

        page = await got(admin, "/v1/messages", limit=2)
        rest = await got(admin, "/v1/messages", limit=2, cursor=page["next_cursor"])
        one = await got(admin, f"/v1/messages/msg_{first.message_id.hex}")
        by = [
            [each["number"] for each in (await got(admin, "/v1/messages", **{name: value}))["messages"]]
            for name, value in (
                ("customer", "bob"),
                ("customer", "eve"),
                ("type", "debit.deep,test"),
                ("cause", "strike"),
            )
        ]

    assert [each["customer"] for each in [*page["messages"], *rest["messages"]]] == [None, "bob", "ada"]
    assert by == [[2], [], [1], [1]]
    assert one["body"]["data"]["customer"] == "ada"
    problem_of(await api.get("/v1/messages"), 403, "forbidden")
    async with bench.client() as admin:
        problem_of(await admin.get(f"/v1/messages/msg_{'0' * 32}"), 404, "unknown_message")
