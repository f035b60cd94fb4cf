"""However a body is malformed, it gets a problem document and leaves no entry."""

from collections import Counter

import httpx

from app.api.fault_codes import FAULT_CODES
from tests.api.malformed import Sent, malformed
from tests.api.sentences import got, head_position, posted
from tests.conftest import Bench
from tests.soaking import so_many

MALFORMED_ON_SQLITE = so_many(2_000, soak=10_000)
MALFORMED_ON_POSTGRESQL = so_many(500, soak=10_000)  # the bodies hardly ever get as far as the database
SEED = 20260528


async def test_no_malformed_body_is_taken(api: httpx.AsyncClient, bench: Bench) -> None:
    entry = (await posted(api))["entry"]
    account = await got(api, "/v1/customers/ada")
    count = MALFORMED_ON_SQLITE if bench.url.startswith("sqlite") else MALFORMED_ON_POSTGRESQL

    answered: Counter[int] = Counter()
    for sent in malformed(entry["id"], count, seed=SEED):
        answered[await refused(api, sent)] += 1

    assert answered.total() == count
    assert set(answered) == {413, 415, 422}
    assert await head_position(api) == 1
    assert await got(api, "/v1/customers/ada") == account
    assert (await api.get("/v1/tariff")).headers["etag"] == '"1"'


async def refused(api: httpx.AsyncClient, sent: Sent) -> int:
    response = await api.request(sent.method, sent.path, content=sent.body, headers=sent.headers)
    problem = response.json()
    shown = (sent.method, sent.path, sent.body[:300], sent.headers, response.text[:300])
    assert response.headers["content-type"] == "application/problem+json", shown
    assert 400 <= response.status_code < 500, shown
    assert problem["type"] == "urn:goodwill:problem:" + problem["code"], shown
    assert problem["request_id"], shown
    if problem["code"] == "invalid_request":
        assert {fault["code"] for fault in problem["errors"]} <= set(FAULT_CODES), shown
    return response.status_code
