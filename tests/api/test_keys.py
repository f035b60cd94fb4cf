"""Who may do what."""

import base64

import httpx

from app.domain.api_key import Scope
from app.domain.instant import DAY
from app.operations.manage_keys import create_key, revoke_key
from tests.api.sentences import Json, body_of, faults, happening, posted, problem_of
from tests.conftest import Bench

BALANCE = "/v1/customers/ada/balance"
Asking = tuple[str, str, Json | None]

VALUATION = {"interactions": [{"kind": "apology.first"}]}


async def status(bench: Bench, authorization: str | None) -> int:
    async with bench.client() as client:
        del client.headers["authorization"]
        headers = {} if authorization is None else {b"Authorization": authorization.encode("latin-1")}
        response = await client.get(BALANCE, headers=headers)
    if response.status_code == 401:
        problem_of(response, 401, "unauthorized")
        assert "Bearer realm=" in response.headers["www-authenticate"]
        assert "Basic realm=" in response.headers["www-authenticate"]
    return response.status_code


def basic(user: str, password: str = "") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


async def test_a_key_is_a_bearer_token_or_the_user_of_basic_authentication(
    api: httpx.AsyncClient, bench: Bench
) -> None:
    await posted(api)

    for right in (f"Bearer {bench.token}", f"bearer  {bench.token}", basic(bench.token), basic(bench.token, "any")):
        assert await status(bench, right) == 200, right


async def test_without_the_right_key_nothing_opens(api: httpx.AsyncClient, bench: Bench) -> None:
    await posted(api)
    last = bench.token[-1]

    for wrong in (
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer gw_acme_" + "0" * 52,
        f"Bearer {bench.token[:-1]}{'0' if last != '0' else '1'}",
        f"Bearer {bench.token.replace('acme', 'other')}",
        f"Bearer {bench.token.replace('gw_', 'gw_test_')}",
        f"Bearer {bench.token.upper()}",
        f"Bearer {bench.token} {bench.token}",
        f"Token {bench.token}",
        bench.token,
        basic("", bench.token),
        basic(bench.token[:-1]),
        "Basic ???",
        "Basic w6k=",
        "Basic /w==",
        "Basic \xe9\xe9\xe9\xe9",
    ):
        assert await status(bench, wrong) == 401, wrong


async def test_a_revoked_or_expired_key_opens_nothing_any_more(api: httpx.AsyncClient, bench: Bench) -> None:
    await posted(api)
    expires_at = bench.clock.now + DAY
    key, token = await create_key(bench.ledger, "acme", name="b", scopes=[Scope.ACCOUNTS_READ])
    _, brief = await create_key(bench.ledger, "acme", name="c", scopes=[Scope.ACCOUNTS_READ], expires_at=expires_at)
    assert [await status(bench, f"Bearer {each.text}") for each in (token, brief)] == [200, 200]

    assert await revoke_key(bench.ledger, "acme", key.key_id)
    bench.clock.pass_days(1)

    assert [await status(bench, f"Bearer {each.text}") for each in (token, brief)] == [401, 401]


async def test_each_scope_opens_its_own(api: httpx.AsyncClient, bench: Bench) -> None:
    entry = (await posted(api))["entry"]
    tariff = body_of(await api.get("/v1/tariff"))
    writing: list[Asking] = [
        ("POST", "/v1/interactions", happening()),
        ("POST", "/v1/interactions/batch", {"interactions": [happening()]}),
        ("POST", f"/v1/entries/{entry['id']}/reversal", {"reason": "x", "id": "undo"}),
        ("POST", "/v1/interactions/reversal", {"reason": "x", "id": "undo", "interaction": {"id": "1"}}),
    ]
    below = ("", "/balance", "/statement", "/crossings")
    reading: list[Asking] = [("GET", f"/v1/customers/ada{path}", None) for path in below]
    reading += [("GET", path, None) for path in ("/v1/customers", "/v1/entries")]
    reading += [("POST", "/v1/customers/lookup", {"customers": ["ada"]})]
    ruling: list[Asking] = [("PUT", "/v1/tariff", tariff)]
    pricing: list[Asking] = [("GET", f"/v1/tariff{path}", None) for path in ("", "/kinds", "/versions/1")]
    pricing += [("POST", "/v1/tariff/valuations", VALUATION)]
    opened = {
        (Scope.INTERACTIONS_WRITE,): writing,
        (Scope.ACCOUNTS_READ,): reading,
        (Scope.RULES_MANAGE,): ruling,
        (Scope.ACCOUNTS_READ, Scope.RULES_MANAGE, Scope.INTERACTIONS_WRITE): pricing,
    }

    for scope in Scope:
        _, token = await create_key(bench.ledger, "acme", name=scope, scopes=[scope], source="crm")
        async with bench.client(token.text) as client:
            for needed, requests in opened.items():
                for method, path, body in requests:
                    response = await client.request(method, path, json=body, headers={"If-Match": "*"})
                    if scope in (*needed, Scope.ADMIN):
                        assert response.status_code in (200, 201), (scope, method, path, response.text)
                    else:
                        assert problem_of(response, 403, "forbidden")["scope"] == needed[0]


async def test_a_patch_answers_with_the_account_and_so_needs_both_scopes(api: httpx.AsyncClient, bench: Bench) -> None:
    await posted(api)
    both = [Scope.INTERACTIONS_WRITE, Scope.ACCOUNTS_READ]

    for scopes, lacking in ((both, None), (both[:1], both[1]), (both[1:], both[0])):
        _, token = await create_key(bench.ledger, "acme", name="patch", scopes=scopes)
        async with bench.client(token.text) as client:
            response = await client.patch("/v1/customers/ada", json={"value": 1})
        if lacking is None:
            assert response.status_code == 200
        else:
            assert problem_of(response, 403, "forbidden")["scope"] == lacking


async def test_who_may_not_ask_is_not_told_what_was_wrong_with_the_question(bench: Bench) -> None:
    _, token = await create_key(bench.ledger, "acme", name="hooks", scopes=[Scope.WEBHOOKS_MANAGE])

    async with bench.client(token.text) as client:
        for path in ("/v1/interactions", "/v1/interactions/batch", "/v1/tariff/valuations", "/v1/customers/lookup"):
            for body in (b"{", b" " * 9_000_000, b"{}"):
                problem_of(await client.post(path, content=body), 403, "forbidden")
        problem_of(await client.get("/v1/entries?limit=x&what=1"), 403, "forbidden")
        problem_of(await client.post("/v1/interactions?what=1", content=b"{"), 403, "forbidden")
        del client.headers["authorization"]
        problem_of(await client.post("/v1/interactions", content=b"{"), 401, "unauthorized")


async def test_without_a_source_of_its_own_a_key_leaves_it_to_the_caller(bench: Bench) -> None:
    _, token = await create_key(bench.ledger, "acme", name="no source", scopes=[Scope.INTERACTIONS_WRITE])

    async with bench.client(token.text) as client:
        silent = await client.post("/v1/interactions", json=happening())
        named = await client.post("/v1/interactions", json=happening(source="shop"))

    assert faults(problem_of(silent, 422, "invalid_request")) == [("/source", "missing")]
    assert named.status_code == 201
