"""Every operation of the API, tried with a key of another book: nothing of this one is told, and nothing changes."""

from typing import Any

import httpx
import pytest

from app.domain.instant import DAY
from app.main import Opened, create_app
from app.settings import Settings
from tests.api.sentences import GIFT, Json, got, happening, posted, wire_time
from tests.api.subscribing import made
from tests.api.test_books_apart import BODIES, PUBLIC, body_name, stranger
from tests.conftest import NOON, Bench

WHOLE: dict[tuple[str, str], Any] = {
    ("post", "/v1/interactions"): happening("1", "eve"),
    ("post", "/v1/interactions/batch"): {"interactions": [happening("2", "eve")]},
    ("post", "/v1/promises"): {"id": "p", "customer": "eve", "kind": "promise.broken", "due_at": wire_time(NOON + DAY)},
    ("post", "/v1/webhooks"): {"url": PUBLIC, "message_types": ["*"]},
    ("post", "/v1/sandbox/clock"): {"advance": "P1D"},
    ("post", "/v1/tariff/valuations"): {"interactions": [{"kind": GIFT}]},
    ("post", "/v1/customers/lookup"): {"customers": ["ada", "bob"]},
}
NOT_FOR_LIVE_BOOKS = {("post", "/v1/sandbox/clock"): 403}
LISTS = ("/v1/customers", "/v1/entries", "/v1/tariff", "/v1/policy", "/v1/webhooks", "/v1/messages", "/v1/promises")


def operations() -> list[tuple[str, str, str | None]]:
    document: Json = create_app(Opened(Settings.model_construct())).openapi()
    paths = document["paths"].items()
    return [(method, path, body_name(each)) for path, methods in paths for method, each in methods.items()]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_nothing_that_another_books_key_asks_tells_or_changes_anything(
    api: httpx.AsyncClient, bench: Bench
) -> None:
    entry = (await posted(api, customer="ada", kind=GIFT))["entry"]
    promise = {"id": "p", "customer": "bob", "kind": "promise.broken", "due_at": wire_time(NOON + DAY)}
    assert (await api.post("/v1/promises", json=promise)).status_code == 201
    subscription = (await made(api, PUBLIC, description="acme's own"))["id"]
    message = (await got(api, "/v1/messages"))["messages"][0]["id"]
    tariff = await got(api, "/v1/tariff")
    assert (
        await api.put("/v1/tariff", json={**tariff, "name": "acme's"}, headers={"If-Match": "*"})
    ).status_code == 200
    before = [await got(api, path) for path in LISTS]
    own = {"customer": "ada", "id": entry["id"], "message_id": message, "version": 1, "namespace": "crm"}
    marks = [entry["id"], entry["hash"], message, subscription, "acme's", '"ada"', '"bob"']

    async with await stranger(bench) as rival:
        rules = {path: await got(rival, path) for path in ("/v1/tariff", "/v1/policy")}
        whole = {**WHOLE, ("post", "/v1/policy/preview"): {"policy": rules["/v1/policy"]}}
        whole |= {("put", path): document for path, document in rules.items()}
        statuses: dict[tuple[str, str], int] = {}
        for method, path, name in operations():
            ids = {**own, "id": subscription} if "/webhooks" in path else own
            body = whole.get((method, path), BODIES.get(name or "")) if method != "get" else None
            answer = await rival.request(
                method, path.format(**ids), json=body, headers={"If-Match": "*"} if method == "put" else None
            )
            assert answer.status_code < 500, (method, path, answer.text)
            asked = f"{answer.url} {body}"
            said = [mark for mark in marks if mark in answer.text and mark.strip('"') not in asked]
            assert not said, (method, path, answer.text)
            statuses[method, path] = answer.status_code
    assert {name: status for name, status in statuses.items() if name in whole and status >= 300} == NOT_FOR_LIVE_BOOKS
    assert [await got(api, path) for path in LISTS] == before
