"""What /metrics counts."""

import re

import httpx

from tests.api.sentences import happening, posted
from tests.conftest import Bench

REQUESTS = "goodwill_http_requests_total"
SECONDS = "goodwill_http_request_duration_seconds_count"
INTERACTIONS = "goodwill_interactions_total"


async def counted(api: httpx.AsyncClient) -> dict[str, float]:
    """Every sample, by its name with its labels."""
    lines = (await api.get("/metrics")).text.splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


def request(series: str, method: str, route: str, status: int) -> str:
    return f'{series}{{method="{method}",route="{route}",status="{status}"}}'


async def test_requests_are_counted_by_the_template_of_their_route(api: httpx.AsyncClient, bench: Bench) -> None:
    await posted(api)
    before = await counted(api)

    for name in ("ada", "ada", "nobody"):
        await api.get(f"/v1/customers/{name}")
    await api.head("/v1/customers/ada")
    await api.request("NONSENSE", "/v1/customers/ada")
    await api.get("/v1/nothing/of/the/kind")
    await api.post("/v1/interactions", content=b"{")
    await api.post("/v1/interactions", content=b"{", headers={"authorization": "Bearer gw_acme_wrong"})

    after = await counted(api)
    for method, route, status, times in [
        ("GET", "/v1/customers/{customer}", 200, 2),
        ("GET", "/v1/customers/{customer}", 404, 1),
        ("HEAD", "/v1/customers/{customer}", 200, 1),
        ("other", "/v1/customers/{customer}", 405, 1),
        ("GET", "none", 404, 1),
        ("POST", "/v1/interactions", 415, 1),
        ("POST", "none", 401, 1),
    ]:
        for series in (REQUESTS, SECONDS):
            name = request(series, method, route, status)
            assert after[name] - before.get(name, 0) == times, name


async def test_no_label_holds_what_was_sent(api: httpx.AsyncClient) -> None:
    await api.request("CANARY", "/v1/customers/canary?canary=canary")
    await api.get("/canary")

    text = (await api.get("/metrics")).text
    assert "canary" not in text.lower()
    assert set(re.findall(r'goodwill_http.*method="(\w+)"', text)) <= {
        *("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "other")
    }


async def test_interactions_are_counted_by_what_became_of_them(api: httpx.AsyncClient) -> None:
    before = await counted(api)

    entry = (await posted(api))["entry"]
    await api.post("/v1/interactions", json=happening())
    await api.post("/v1/interactions", json=happening(note="other words"))
    await api.post("/v1/interactions", json=happening("2", kind="no.such"))
    await api.post(f"/v1/entries/{entry['id']}/reversal", json={"reason": "x"})
    batch = [happening(), happening("3"), happening("4"), happening("5", kind="no.such")]
    await api.post("/v1/interactions/batch", json={"interactions": batch})

    after = await counted(api)
    grown = {name: after[f'{INTERACTIONS}{{outcome="{name}"}}'] - before[f'{INTERACTIONS}{{outcome="{name}"}}']
             for name in ("created", "replayed", "conflict", "refused")}  # fmt: skip
    assert grown == {"created": 4, "replayed": 2, "conflict": 1, "refused": 2}
