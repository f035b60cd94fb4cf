"""Nothing of one book is ever visible through another book's key (law 10)."""

from typing import Any

import httpx

from app.api.openapi import REF
from app.domain.api_key import Scope
from app.domain.instant import DAY
from app.main import Opened, create_app
from app.operations.manage_keys import create_key
from app.settings import Settings
from tests.api.sentences import GIFT, Json, body_of, got, happening, posted, problem_of, wire_time
from tests.api.subscribing import made
from tests.conftest import NOON, Bench

BODIES: dict[str, Json] = {
    "CustomerPatch": {"segment": "vip"},
    "EntryReversalIn": {"reason": "x"},
    "MovedIn": {"due_at": wire_time(NOON + 2 * DAY), "told_customer": True},
    "SettledIn": {"source": "crm"},
    "ReversalIn": {"reason": "x", "interaction": {"id": "1", "source": "crm"}},
    "SubscriptionChangeIn": {"description": "x"},
    "SecretIn": {},
    "RecoverIn": {"since": wire_time(NOON)},
    "MergeIn": {"into": "bob"},
}

CODES = (
    ("{customer}", "unknown_customer"),
    ("/promises", "unknown_promise"),
    ("/webhooks", "unknown_subscription"),
    ("/messages", "unknown_message"),
    ("", "unknown_entry"),
)
PUBLIC = "https://1.1.1.1/hook"  # nothing is sent there: no deliverer runs
NOBODYS = {
    "customer": "nobody",
    "id": "00000000-0000-4000-8000-000000000000",
    "message_id": f"msg_{'0' * 32}",
    "namespace": "crm",
}


async def stranger(bench: Bench) -> httpx.AsyncClient:
    _, token = await create_key(bench.ledger, "rival", name="rival", scopes=[Scope.ADMIN], source="crm")
    return bench.client(token.text)


def naming_one() -> list[tuple[str, str, Json | None]]:
    """Every operation that names a customer, an entry, a promise, a subscription or a message; with a body."""
    document: Json = create_app(Opened(Settings.model_construct())).openapi()
    found = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            name = body_name(operation)
            if any(f"{{{each}}}" in path for each in NOBODYS) or name == "ReversalIn":
                found.append((method, path, BODIES[name] if name else None))
    return found


def body_name(operation: Json) -> str | None:
    schema: dict[str, Any] = (
        operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    )
    return schema["$ref"].removeprefix(REF) if "$ref" in schema else None


async def test_every_address_that_names_somebody_elses_answers_as_if_there_were_none(
    api: httpx.AsyncClient, bench: Bench
) -> None:
    entry = (await posted(api, customer="ada", kind=GIFT))["entry"]
    promise = {"id": entry["id"], "customer": "ada", "kind": "promise.broken", "due_at": wire_time(NOON + DAY)}
    assert (await api.post("/v1/promises", json=promise)).status_code == 201
    subscription = (await made(api, PUBLIC))["id"]
    message = (await got(api, "/v1/messages"))["messages"][0]["id"]
    naming = naming_one()
    assert len(naming) == 30

    async with await stranger(bench) as rival:
        for method, path, body in naming:
            own_id = subscription if "/webhooks" in path else entry["id"]
            own = path.format(customer="ada", id=own_id, message_id=message, namespace="crm")
            nobodys = path.format(**NOBODYS)
            code = next(code for part, code in CODES if part in path)
            seen = problem_of(await rival.request(method, own, json=body), 404, code)
            unseen = problem_of(await rival.request(method, nobodys, json=body), 404, code)
            assert {**seen, "request_id": ""} == {**unseen, "request_id": ""}, (method, path)
    assert (await got(api, "/v1/customers/ada"))["segment"] is None
    assert (await got(api, f"/v1/webhooks/{subscription}"))["description"] == ""


async def test_lists_hold_ones_own_alone(api: httpx.AsyncClient, bench: Bench) -> None:
    await posted(api, customer="ada", kind=GIFT)
    promise = {"id": "p", "customer": "bob", "kind": "promise.broken", "due_at": wire_time(NOON + DAY)}
    assert (await api.post("/v1/promises", json=promise)).status_code == 201
    await made(api, PUBLIC)
    tariff = await got(api, "/v1/tariff")
    tariff["name"] = "acme's own"
    assert (await api.put("/v1/tariff", json=tariff, headers={"If-Match": "*"})).status_code == 200

    async with await stranger(bench) as rival:
        assert (await got(rival, "/v1/customers"))["customers"] == []
        assert (await got(rival, "/v1/entries"))["entries"] == []
        assert (await got(rival, "/v1/promises"))["promises"] == []
        assert (await got(rival, "/v1/webhooks"))["webhooks"] == []
        assert (await got(rival, "/v1/messages"))["messages"] == []
        assert (await got(rival, "/v1/checkpoints"))["checkpoints"] == []
        looked_up = await rival.post("/v1/customers/lookup", json={"customers": ["ada"]})
        assert body_of(looked_up)["customers"][0]["found"] is False
        assert (await got(rival, "/v1/tariff"))["name"] != "acme's own"
        problem_of(await rival.get("/v1/tariff/versions/2"), 404, "unknown_tariff_version")
        # The same source and id are another interaction here.
        assert (await posted(rival, customer="ada"))["entry"]["position"] == 1
    assert (await got(api, "/v1/customers/ada"))["balance"] == 45


async def test_a_cursor_of_another_book_is_refused(api: httpx.AsyncClient, bench: Bench) -> None:
    batch = {"interactions": [happening(str(number), f"c{number}") for number in range(3)]}
    await api.post("/v1/interactions/batch", json=batch)
    cursor = (await got(api, "/v1/customers", limit=1))["next_cursor"]

    async with await stranger(bench) as rival:
        await rival.post("/v1/interactions/batch", json=batch)
        refused = await rival.get("/v1/customers", params={"limit": 1, "cursor": cursor})
    assert problem_of(refused, 422, "invalid_request")["errors"][0]["code"] == "cursor_invalid"
