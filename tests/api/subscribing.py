"""Subscriptions over HTTP, in few words."""

from typing import Any

import httpx

from tests.api.sentences import Json, body_of

AWAY = "http://127.0.0.1:9/hook?token=secret"  # nobody listens there


async def made(api: httpx.AsyncClient, url: str = AWAY, *types: str, **more: Any) -> Json:
    """What a new subscription is answered."""
    response = await api.post("/v1/webhooks", json={"url": url, "message_types": types or ["*"], **more})
    assert response.status_code == 201, response.text
    return body_of(response)


async def done(api: httpx.AsyncClient, path: str, body: Json | None = None) -> Json:
    """What a POST that succeeds answers."""
    response = await (api.post(path) if body is None else api.post(path, json=body))
    assert response.status_code == 200, response.text
    return body_of(response)
