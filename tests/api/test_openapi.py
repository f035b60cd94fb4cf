"""The committed OpenAPI document is the code's, whatever the environment."""

from pathlib import Path
from typing import Any

import pytest

from app.api.problems import PROBLEM_JSON
from app.cli.openapi import openapi_text
from app.main import Opened, create_app
from app.settings import Settings

COMMITTED = Path(__file__).parents[2] / "openapi" / "openapi.json"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = create_app(Opened(Settings.model_construct())).openapi()
    return found


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, each) for path, methods in document["paths"].items() for method, each in methods.items()]


def test_the_committed_document_is_the_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOODWILL_DATABASE_URL", "no database at all")
    monkeypatch.setenv("GOODWILL_PORT", "no port")

    assert COMMITTED.read_text() == openapi_text(), "run `make openapi` and commit the difference"


def test_every_answer_that_is_not_well_is_a_problem(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert list(response["content"]) == [PROBLEM_JSON], (path, method, status)


def test_every_operation_under_v1_wants_a_key_and_says_what_it_does(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        assert ("security" in operation) == path.startswith("/v1/"), (path, method)
        assert operation["description"], (path, method)


def test_no_reference_leads_nowhere(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for reference in references(document):
        assert reference.removeprefix("#/components/schemas/") in schemas


def references(part: Any) -> list[str]:
    if isinstance(part, list):
        return [found for each in part for found in references(each)]
    if not isinstance(part, dict):
        return []
    own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
    return own + [found for each in part.values() for found in references(each)]
