"""The busy routes are answered before FastAPI; that they are is seen by their speed alone."""

from typing import Any

import httpx
import pytest
from starlette.types import Scope

from app import main
from tests.api.sentences import happening
from tests.conftest import Bench

NEVER_ALIKE = {"request_id", "id", "hash", "position", "customer", "interaction"} | {
    *("booked_at", "value_at", "last_entry_at", "standing_since", "next_crossing_at"),
}
BODIES: list[bytes | dict[str, Any]] = [
    happening(),
    happening(),
    happening(customer="bob"),
    happening(id="2", kind="no.such.kind"),
    happening(id="3", unknown=1),
    {"customer": "ada", "kind": "apology.first"},
    b"[]",
    b"null",
    b"1",
    b"",
    b"{",
    b'{"id": "4", "id": "5"}',
]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_posting_is_answered_alike_by_the_door_and_by_fastapi(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = await answers(bench, "quick")
    taken: list[str] = []

    def never(scope: Scope) -> None:
        taken.append(scope["path"])

    monkeypatch.setattr(main, "shortcut", never)
    assert await answers(bench, "slow") == quick
    assert len(taken) == len(BODIES) * len(TYPES)


TYPES = ("application/json", "text/plain")


async def answers(bench: Bench, prefix: str) -> list[tuple[int, str, Any]]:
    """To each body, as JSON and as no JSON: status, type and what does not change from one posting to the next."""
    found: list[tuple[int, str, Any]] = []
    async with bench.client() as api:
        api.headers["Idempotency-Key"] = f"{prefix}-key"
        for body in BODIES:
            for media_type in TYPES:
                answer = await send(api, body, media_type, prefix)
                found.append((answer.status_code, answer.headers["content-type"], lasting(answer.json())))
    return found


async def send(api: httpx.AsyncClient, body: bytes | dict[str, Any], media_type: str, prefix: str) -> httpx.Response:
    headers = {"content-type": media_type}
    if isinstance(body, bytes):
        return await api.post("/v1/interactions", content=body, headers=headers)
    named = {**body, "customer": f"{prefix}-{body['customer']}", "source": prefix}
    return await api.post(
        "/v1/interactions", content=httpx.Request("POST", "http://a", json=named).content, headers=headers
    )


def lasting(value: Any) -> Any:
    """Without what differs from one posting, or from one customer, to the next."""
    if isinstance(value, dict):
        kept = value.keys() - NEVER_ALIKE - ({"entry"} if isinstance(value.get("entry"), str) else set())
        return {name: lasting(value[name]) for name in kept}
    return [lasting(each) for each in value] if isinstance(value, list) else value
