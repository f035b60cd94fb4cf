"""What the tests of the HTTP face say again and again."""

from typing import Any
from urllib.parse import quote

import httpx

from app.domain.instant import Instant, moment_of

Json = dict[str, Any]

APOLOGY = "apology.first"  # 3
GIFT = "moment.unexpected_gift"  # 45
FAILURE = "product.failed"  # -20
WAIT = "wait.excessive"  # -6
LATE = "delivery.late"  # needs days_late


def happening(own_id: str | None = "1", customer: str = "ada", kind: str = APOLOGY, **more: Any) -> Json:
    """An interaction's body."""
    return {**({} if own_id is None else {"id": own_id}), "customer": customer, "kind": kind, **more}


async def posted(
    api: httpx.AsyncClient, own_id: str = "1", customer: str = "ada", kind: str = APOLOGY, **more: Any
) -> Json:
    """What a new interaction is answered."""
    response = await api.post("/v1/interactions", json=happening(own_id, customer, kind, **more))
    assert response.status_code == 201, response.text
    return body_of(response)


async def got(api: httpx.AsyncClient, path: str, **parameters: Any) -> Json:
    """What a GET that succeeds answers."""
    response = await api.get(path, params=parameters)
    assert response.status_code == 200, response.text
    return body_of(response)


async def head_position(api: httpx.AsyncClient) -> int:
    """How many entries the book has."""
    page = await got(api, "/v1/entries", limit=1000)
    return len(page["entries"])


def body_of(response: httpx.Response) -> Json:
    """A JSON object."""
    body: Json = response.json()
    assert isinstance(body, dict)
    return body


def problem_of(response: httpx.Response, status: int, code: str) -> Json:
    """The problem document of a refused request, once it is seen to be a whole one."""
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json"), (
        response.text
    )
    problem = body_of(response)
    assert problem["code"] == code, problem
    assert problem["status"] == status
    assert problem["type"] == f"urn:goodwill:problem:{code}"
    assert problem["title"]
    assert problem["detail"]
    assert problem["request_id"] == response.headers["x-request-id"]
    assert all(set(error) == {"pointer", "code", "detail"} for error in problem["errors"])
    return problem


def faults(problem: Json) -> list[tuple[str, str]]:
    """Where what is wrong."""
    return [(error["pointer"], error["code"]) for error in problem["errors"]]


def address(customer: str) -> str:
    """The path of a customer."""
    return f"/v1/customers/{quote(customer, safe='')}"


def wire_time(instant: Instant) -> str:
    """An instant as callers write it."""
    return moment_of(instant).isoformat()
