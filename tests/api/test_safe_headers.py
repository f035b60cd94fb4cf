"""Every answer, of whatever kind, tells a browser to do nothing with it but read it."""

import re
from base64 import b64encode
from hashlib import sha256

import httpx
import pytest

from app.main import Opened, create_app
from app.settings import Settings
from tests.api.sentences import happening, posted
from tests.api.test_protocol import MALFORMED, answer_in, said, server
from tests.conftest import Bench
from tests.servers import ServerProcess

__all__ = ["server"]

SAFE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
UPGRADE = b"GET /v1/entries HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n"
UPGRADE += b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"


def told(answer: httpx.Response) -> dict[str, str]:
    assert len(answer.headers.get_list("content-security-policy")) == 1
    return {name: answer.headers[name] for name in SAFE}


async def test_every_kind_of_answer_has_the_safe_headers(api: httpx.AsyncClient) -> None:
    await posted(api)
    tag = (await api.get("/v1/customers/ada/balance")).headers["etag"]
    wrong = {"authorization": "Bearer gw_acme_wrong"}
    answers = {
        (each.status_code, each.request.url.path): each
        for each in [
            await api.get("/v1/customers/ada/balance", headers={"if-none-match": tag}),
            await api.post("/v1/interactions", json=happening("2")),
            await api.post("/v1/interactions", json=happening("3", kind="no.such")),
            await api.post("/v1/interactions/batch", json={"interactions": [happening("4"), {}]}),
            await api.post("/v1/interactions", content=b"x" * 70_000, headers={"content-type": "application/json"}),
            await api.get("/v1/customers/ada"),
            await api.get("/v1/customers/ada/statement", headers={"accept": "text/csv"}),
            await api.get("/v1/customers/nobody"),
            await api.get("/v1/entries", headers=wrong),
            await api.get("/v1/entries?x=1"),
            await api.get("/nothing"),
            await api.head("/v1/tariff"),
            await api.options("/v1/policy"),
            await api.request("NONSENSE", "/v1/policy"),
            *[await api.get(path) for path in ("/healthz", "/readyz", "/metrics", "/openapi.json", "/docs/nothing")],
        ]
    }
    assert {status for status, _ in answers} == {200, 201, 204, 207, 304, 401, 404, 405, 413, 422}
    for kind, answer in answers.items():
        asks_again = {"cache-control": "private, no-cache"} if "etag" in answer.headers else {}
        assert told(answer) == {**SAFE, **asks_again}, kind
        assert answer.headers["content-security-policy"] == NOTHING, kind


async def test_a_failure_and_a_full_server_have_them_too(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    service = Opened(Settings(database_url=bench.url), ledger=bench.ledger)
    app = create_app(service)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    own = {"Authorization": f"Bearer {bench.token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://goodwill.test", headers=own) as api:
        monkeypatch.setattr(type(bench.ledger), "present", None)
        failed = await api.post("/v1/interactions", json=happening())
        app.door.room.requests_max = 0  # type: ignore[attr-defined]
        full = await api.get("/v1/entries")
    assert (failed.status_code, full.status_code) == (500, 429)
    for answer in (failed, full):
        assert told(answer) == SAFE
        assert answer.headers["content-security-policy"] == NOTHING


async def test_what_is_refused_below_the_application_has_them_too(server: ServerProcess) -> None:
    sent = [*MALFORMED.values(), b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 40_000 + b"\r\n\r\n", UPGRADE]
    heads = [answer_in(await said(server, each))[0] for each in sent]

    assert {head["status"][9:12] for head in heads} == {"400", "431", "401"}  # of a web socket nothing is known
    for head in heads:
        assert {name: head[name] for name in SAFE} == {name: value.lower() for name, value in SAFE.items()}
        assert head["content-security-policy"] == NOTHING


async def test_the_documentation_page_may_run_its_own_script_and_no_other(api: httpx.AsyncClient) -> None:
    page = await api.get("/docs")
    (script,) = re.findall(r"<script>(.*?)</script>", page.text, flags=re.DOTALL)
    hashed = b64encode(sha256(script.encode()).digest()).decode()
    policy = dict(each.split(" ", 1) for each in page.headers["content-security-policy"].split("; "))

    assert told(page) == SAFE
    assert page.headers["cross-origin-opener-policy"] == "same-origin"
    assert policy["script-src"] == f"'self' 'sha256-{hashed}'"
    assert (policy["default-src"], policy["connect-src"]) == ("'none'", "'self'")
    assert page.headers["content-security-policy"].startswith(NOTHING)
    for name in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert told(await api.get(name)) == SAFE, name
