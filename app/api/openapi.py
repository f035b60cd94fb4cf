"""What the OpenAPI document says beyond the routes: security, problems, words."""

from typing import Any

from fastapi import FastAPI

from app.api.problems import PROBLEM_JSON
from app.api.wire import ProblemOut

DESCRIPTION = """One emotional bank account per customer: interactions become credits and debits on an
append-only ledger; balances, standings and worklists are read from it.

Every non-2xx answer is an RFC 9457 problem document."""

PROBLEMS: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A problem document.",
        "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/ProblemOut"}}},
    }
}

_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "gw_<book>_<secret>"},
    "basic": {"type": "http", "scheme": "basic", "description": "the API key as user, no password"},
}


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
    schemas.setdefault("ProblemOut", ProblemOut.model_json_schema(ref_template="#/components/schemas/{model}"))
    schemas.update(schemas["ProblemOut"].pop("$defs", {}))
    document["components"]["securitySchemes"] = _SCHEMES
    for path, operations in document["paths"].items():
        for operation in operations.values():
            operation["responses"].pop("422", None)
            if path.startswith("/v1/"):
                operation["security"] = [{name: []} for name in _SCHEMES]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return document
