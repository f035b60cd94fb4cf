"""The codes in `errors` are a closed list that stands in the documentation."""

import re
from pathlib import Path
from typing import get_args

import httpx
from pydantic_core import core_schema

from app.api.fault_codes import _NAMED, FAULT_CODES, named
from tests.api.sentences import faults, happening, problem_of

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "problems.md"
# How the rooms that read a request name a fault: the word after one of these.
NAMING = re.compile(r'(?:code=|CustomError\(\s*|_Unreadable\(|_invalid\(|_refused\(|_fault\(.*?, )"(\w+)"')


def test_every_code_stands_in_the_documentation() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([^|\d][^|]+) \|$", DOCUMENT.read_text(), re.MULTILINE)

    assert dict(rows) == dict(FAULT_CODES)


def test_the_http_face_uses_no_other_code() -> None:
    used = {code for path in (ROOT / "app" / "api").glob("*.py") for code in NAMING.findall(path.read_text())}

    assert len(used) > 10
    assert used <= set(FAULT_CODES)


def test_whatever_the_validator_says_becomes_one_of_the_codes() -> None:
    kinds: tuple[str, ...] = get_args(core_schema.ErrorType)
    context = {"min_length": 1, "max_length": 2, "ge": 1, "le": 2, "expected": "'a' or 'b'"}

    assert set(_NAMED) <= set(kinds)
    for kind in kinds:
        for more in ({"ctx": context}, {}):
            code, detail = named({"type": kind, "msg": "its words", **more})
            assert code in FAULT_CODES, kind
            assert detail
            assert "{" not in detail
            assert kind in FAULT_CODES or detail != "its words"


async def test_a_whole_number_is_written_in_one_way(api: httpx.AsyncClient) -> None:
    for wrong in ("1_0", "+1", "1.0", "01", " 1", "1e2", "", "٣", "0x1", "1" * 400):
        for path, name in (
            ("/v1/entries", "limit"),
            ("/v1/entries", "after"),
            ("/v1/customers", "limit"),
            ("/v1/promises", "limit"),
        ):
            problem = problem_of(await api.get(path, params={name: wrong}), 422, "invalid_request")
            assert faults(problem) == [(f"/query/{name}", "number_invalid")], wrong
    for wrong in ("1.0", "+1", "1_0", "x"):
        problem = problem_of(await api.get(f"/v1/tariff/versions/{wrong}"), 422, "invalid_request")
        assert faults(problem) == [("/path/version", "number_invalid")]
    for wrong in ("0", "-1", "1001"):
        problem = problem_of(await api.get("/v1/entries", params={"limit": wrong}), 422, "invalid_request")
        assert faults(problem) == [("/query/limit", "number_out_of_range")]


async def test_a_parameter_of_one_value_is_sent_once(api: httpx.AsyncClient) -> None:
    for path, name in (
        ("/v1/entries?limit=1&limit=1", "limit"),
        ("/v1/customers?standing=steady&standing=overdrawn&order=felt&order=stake", "order"),
        ("/v1/customers/ada/balance?as_of=2026-05-20T10:00:00Z&as_of=2026-05-21T10:00:00Z", "as_of"),
    ):
        assert faults(problem_of(await api.get(path), 422, "invalid_request")) == [(f"/query/{name}", "repeated")]
    assert (await api.get("/v1/customers?standing=steady&standing=overdrawn")).status_code == 200


async def test_no_client_can_address_a_dot(api: httpx.AsyncClient) -> None:
    for name in (".", ".."):
        for path, body, pointer in (
            ("/v1/interactions", happening(customer=name), "/customer"),
            ("/v1/customers/lookup", {"customers": ["ada", name]}, "/customers/1"),
            (
                "/v1/interactions/reversal",
                {"reason": "x", "interaction": {"id": "1"}, "replacement": happening("2", name)},
                "/replacement/customer",
            ),
        ):
            problem = problem_of(await api.post(path, json=body), 422, "invalid_request")
            assert faults(problem) == [(pointer, "customer_invalid")]
    for name in ("...", ".a", "a.."):
        assert (await api.post("/v1/interactions", json=happening(f"of {name}", name))).status_code == 201
