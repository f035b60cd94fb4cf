"""Whatever goes wrong is a problem document, and tells nothing that it should not."""

import logging
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.api.problems import STATUS_OF
from app.domain.errors import DatabaseUnavailable, MasterKeyMismatch, Refusal
from app.operations import record as recording
from tests.api import sentences
from tests.api.sentences import body_of, faults, got, happening, posted, problem_of
from tests.conftest import Bench

DOCUMENT = Path(__file__).parents[2] / "docs" / "problems.md"
CANARY = "canary-7f3a"
NOT_OUR_JSON = (
    *("text/plain", "application/xml", "application/x-ndjson", "", "/"),
    "application/json; charset=latin-1",
    "application/json; charset=utf-8; charset=utf-8",
    "application/json; charset=utf-8\xff",
    'application/json; charset="utf-8',
    "application/json, application/json",
    "application/json; charset*=a; charset*0=b",
    "application/json; charset*=a%00b'x'y",
    "application/json; charset*=utf-8''utf-8",
    "application/json; charset*" + "9" * 5000 + "=x",
    "application/json" + " ;" * 5000 + "=",
)


def all_refusals(of: type[Refusal] = Refusal) -> set[type[Refusal]]:
    return {each for kind in of.__subclasses__() for each in {kind, *all_refusals(kind)}}


def test_every_refusal_has_a_status_and_a_code_of_its_own() -> None:
    assert set(STATUS_OF) == all_refusals()
    assert len({kind.code for kind in STATUS_OF}) == len(STATUS_OF)


def test_every_problem_stands_in_the_documentation() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (.+?) \|", DOCUMENT.read_text(), re.MULTILINE)

    documented = {code: (int(status), meaning) for code, status, meaning in rows}
    assert documented == {kind.code: (status.value, kind.title()) for kind, status in STATUS_OF.items()}


async def test_an_address_that_is_none_and_a_method_that_it_lacks(api: httpx.AsyncClient) -> None:
    for path in (
        "/",
        "/v2/customers",
        "/v1/customers/",
        "/v1/customer",
        "/v1/customers/a/b",
        "/v1/tariff/",
        "/v1//entries",
    ):
        problem_of(await api.get(path), 404, "not_found")
    for method, path, allowed in [
        ("PUT", "/v1/customers/ada", "DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("DELETE", "/v1/tariff", "GET, HEAD, OPTIONS, PUT"),
        ("GET", "/v1/interactions", "OPTIONS, POST"),
        ("TRACE", "/healthz", "GET, HEAD, OPTIONS"),
        ("NONSENSE", "/v1/entries", "GET, HEAD, OPTIONS"),
        ("POST", "/docs", "GET, HEAD, OPTIONS"),
    ]:
        response = await api.request(method, path)
        problem_of(response, 405, "method_not_allowed")
        assert response.headers["allow"] == allowed
        options = await api.options(path)
        assert (options.status_code, options.headers["allow"]) == (204, allowed)
    problem_of(await api.options("/v1/none"), 404, "not_found")


async def test_head_answers_as_get_without_its_body(api: httpx.AsyncClient) -> None:
    await posted(api)

    for path in ("/v1/customers/ada/balance", "/v1/entries", "/healthz", "/v1/customers/nobody"):
        head, get = await api.head(path), await api.get(path)
        assert (head.status_code, head.content) == (get.status_code, b"")
        assert head.headers["content-type"] == get.headers["content-type"]
        assert head.headers["content-length"] == str(len(get.content))
    assert (await api.head("/v1/interactions")).status_code == 405


async def test_every_answer_is_named_and_none_is_kept_by_others(api: httpx.AsyncClient) -> None:
    answers = [await api.get(path) for path in ("/v1/entries", "/v1/nothing", "/healthz", "/v1/entries?x=1")]

    assert len({answer.headers["x-request-id"] for answer in answers}) == 4
    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}
    assert {answer.headers["x-content-type-options"] for answer in answers} == {"nosniff"}


async def test_a_body_too_large(api: httpx.AsyncClient) -> None:
    async def drops() -> Any:
        for _ in range(100):
            yield b" " * 1000

    declared = await api.post(
        "/v1/interactions", content=b" " * (64 * 1024 + 1), headers={"content-type": "application/json"}
    )
    assert problem_of(declared, 413, "body_too_large")["bytes_max"] == 64 * 1024
    undeclared = await api.post("/v1/interactions", content=drops(), headers={"content-type": "application/json"})
    problem_of(undeclared, 413, "body_too_large")


async def test_a_body_of_another_type_charset_or_encoding(api: httpx.AsyncClient) -> None:
    async def sent(*lines: tuple[str, str]) -> httpx.Response:
        raw = [(name.encode(), text.encode("latin-1")) for name, text in lines]
        return await api.post(
            "/v1/interactions", content=b'{"id":"1","customer":"ada","kind":"apology.first"}', headers=raw
        )

    for kind in NOT_OUR_JSON:
        problem_of(await sent(("content-type", kind)), 415, "unsupported_media_type")
    problem_of(await sent(*[("content-type", "application/json")] * 2), 415, "unsupported_media_type")
    for encoding in ("gzip", "br", "deflate, gzip", "x"):
        coded = (("content-type", "application/json"), ("content-encoding", encoding))
        problem_of(await sent(*coded), 415, "unsupported_media_type")
        problem_of(await sent(*coded, ("content-encoding", "identity")), 415, "unsupported_media_type")
    for kind in (
        'Application/JSON; charset="UTF-8"',
        "application/json;",
        "application/json ; x=1; CharSet=utf8 ;",
        'application/json; a="b; charset=x"',
    ):
        assert (await sent(("content-type", kind), ("content-encoding", "Identity"))).is_success, kind


async def test_parameters_that_are_not_known_are_refused_by_name(api: httpx.AsyncClient) -> None:
    await posted(api)
    for path in (
        "/v1/entries",
        "/v1/customers/ada",
        "/v1/tariff",
        "/v1/customers",
        "/v1/customers/ada/balance",
        "/healthz",
    ):
        problem = problem_of(await api.get(path, params={"Limit": "1"}), 422, "invalid_request")
        assert faults(problem) == [("/query/Limit", "unknown_parameter")]
    posting = await api.post("/v1/interactions?dry_run=true", json=happening("2"))
    assert faults(problem_of(posting, 422, "invalid_request")) == [("/query/dry_run", "unknown_parameter")]
    assert await sentences.head_position(api) == 1


async def test_no_problem_echoes_what_was_sent(api: httpx.AsyncClient) -> None:
    entry = (await posted(api))["entry"]
    long_name = CANARY * 20
    sent: list[tuple[str, str, Any]] = [
        ("POST", "/v1/interactions", happening(CANARY, CANARY, CANARY)),
        ("POST", "/v1/interactions", happening(value_at=CANARY, note=7, motive=CANARY, cost=CANARY, points=CANARY)),
        ("POST", "/v1/interactions", {**happening(), long_name: 1}),
        ("POST", "/v1/interactions", happening(note=CANARY, attributes={"a": CANARY})),
        ("POST", "/v1/interactions/batch", {"interactions": [CANARY, happening("2", CANARY, CANARY)]}),
        ("POST", "/v1/interactions/batch", {"interactions": [], long_name: 1}),
        ("POST", "/v1/interactions/reversal", {"reason": "x", "interaction": {"id": CANARY, "source": CANARY}}),
        ("POST", f"/v1/entries/{CANARY}/reversal", {"reason": "x"}),
        ("PATCH", f"/v1/customers/{CANARY}", {"segment": "x"}),
        ("PUT", "/v1/tariff", {"name": 1, "kinds": {"a.b": {"points": CANARY, "group": CANARY}}, long_name: 1}),
        ("POST", "/v1/tariff/valuations", {"interactions": [{"kind": 1, "motive": CANARY}]}),
        ("POST", "/v1/customers/lookup", {"customers": [CANARY * 20]}),
        ("GET", f"/v1/customers/{CANARY}", None),
        ("GET", f"/v1/{CANARY}?{CANARY}={CANARY}", None),
        ("GET", f"/v1/entries?{long_name}=1&after={CANARY}", None),
        ("GET", f"/v1/customers?standing={CANARY}&cursor={CANARY}&as_of={CANARY}&order={CANARY}", None),
        ("GET", f"/v1/customers/ada/balance?as_of={CANARY}", None),
        ("GET", f"/v1/tariff/versions/{CANARY}", None),
        (CANARY, f"/v1/entries/{entry['id']}/reversal", None),
    ]
    for method, path, body in sent:
        response = await api.request(method, path, json=body, headers={"If-Match": "*", "X-Request-Id": CANARY})
        assert response.status_code >= 400, (method, path)
        assert CANARY not in response.text
        assert CANARY not in str(response.headers)


async def test_what_nobody_foresaw_is_a_500_without_details(
    api: httpx.AsyncClient, bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(*_arguments: object) -> None:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(recording, "lock_book", fails)
    with caplog.at_level(logging.ERROR):
        response = await api.post("/v1/interactions", json=happening())

    problem = problem_of(response, 500, "internal_error")
    assert CANARY not in response.text
    assert problem["errors"] == []
    assert problem["request_id"] in caplog.text


async def test_what_cannot_be_had_just_now_is_a_503_that_says_when(
    api: httpx.AsyncClient, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for refusal in (DatabaseUnavailable(), MasterKeyMismatch("It does not fit.")):

        async def refuses(refusal: Refusal = refusal) -> None:
            raise refusal

        monkeypatch.setattr(bench.services[0], "ledger", refuses)
        for path in ("/readyz", "/v1/entries"):
            response = await api.get(path)
            assert problem_of(response, 503, refusal.code)["detail"] == refusal.detail
            assert response.headers["retry-after"] == "1"
        assert body_of(await api.get("/healthz")) == {"status": "ok"}


async def test_health_readiness_and_metrics_need_no_key(api: httpx.AsyncClient) -> None:
    del api.headers["authorization"]

    assert (await got(api, "/readyz"))["status"] == "ok"
    assert "python_info" in (await api.get("/metrics")).text
    assert (await got(api, "/openapi.json"))["info"]["title"] == "Goodwill"
