"""What the OpenAPI document says beyond the routes: security, problems, words."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from app.api.message_catalogue import webhooks
from app.api.policy_schema import POLICY_SCHEMA
from app.api.problems import PROBLEM_JSON
from app.api.tariff_schema import TARIFF_SCHEMA
from app.api.wire_problem import ProblemOut

DESCRIPTION = """One emotional bank account per customer: interactions become credits and debits on an
append-only ledger; balances, standings and worklists are read from it.

Every non-2xx answer is an RFC 9457 problem document; `docs/problems.md` lists their codes. Every answer carries an
`X-Request-Id`. A GET may be asked as HEAD; OPTIONS names the methods of an address. Parameters that are not listed
are refused, and so is one that is sent twice where it takes one value. In a path a customer is percent-encoded: `/`,
`+`, `@` and `%` work."""

Responses = dict[int | str, dict[str, Any]]

REF = "#/components/schemas/"
_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "the API key: gw_<book>_<secret>"},
    "basic": {"type": "http", "scheme": "basic", "description": "the API key as user; no password is looked at"},
}


def refusals(*statuses: int) -> Responses:
    """The answers that are problem documents, for a route's `responses`."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {PROBLEM_JSON: {"schema": {"$ref": REF + "ProblemOut"}}},
        }
        for status in statuses
    }


def header(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A header of an answer."""
    return {"description": description, "required": True, "schema": schema}


ETAG = {"ETag": header("names these very bytes or this version", {"type": "string", "pattern": '^"[0-9a-f]+"$'})}

# What any route under /v1 may answer; a route adds its own.
ANSWERS: Responses = refusals(401, 403, 422, 429, 500, 503)
BODY_ANSWERS: Responses = refusals(413, 415)
HEALTH_ANSWERS: Responses = refusals(422, 500, 503)


def install(app: FastAPI) -> None:
    """Let the application describe itself as it behaves."""
    generate = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _completed(generate())
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    schemas = document["components"]["schemas"]
    schemas["ProblemOut"] = ProblemOut.model_json_schema(ref_template=REF + "{model}")
    schemas.update(schemas["ProblemOut"].pop("$defs", {}))
    schemas["Tariff"] = TARIFF_SCHEMA
    schemas["Policy"] = POLICY_SCHEMA
    document["webhooks"], told = webhooks(REF)
    schemas.update({name: schema for name, schema in told.items() if name not in schemas})
    document["components"]["securitySchemes"] = _SCHEMES
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if path.startswith("/v1/"):
                operation["security"] = [{name: []} for name in _SCHEMES]
            for parameter in operation.get("parameters", []):
                _complete_parameter(parameter)
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return document


def _complete_parameter(parameter: dict[str, Any]) -> None:
    """A parameter may be left out but is never null; without If-Match the answer is 428."""
    schema = parameter["schema"]
    if "anyOf" in schema:
        (some,) = (each for each in schema.pop("anyOf") if each != {"type": "null"})
        schema.update(some)
    parameter["required"] = parameter.get("required", False) or parameter["name"] == "If-Match"
