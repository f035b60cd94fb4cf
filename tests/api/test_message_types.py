"""What messages say is described, type by type, and the descriptions hold."""

import json
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest

from app.api.message_catalogue import DIALECT, MEANINGS, message_schema, schema_text
from app.api.message_examples import EXAMPLES
from app.api.wire_message import MODELS
from app.domain.api_key import Scope
from app.domain.message import GRAVITY, MessageType
from app.operations.manage_keys import create_key
from tests.api.sentences import got
from tests.conftest import Bench

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "openapi" / "webhooks"


def is_described(each: MessageType, body: Any) -> bool:
    """Whether the body is what the schema of its type says, formats of times and ids included."""
    return jsonschema_rs.validator_for(message_schema(each), validate_formats=True).is_valid(body)


def test_the_committed_schemas_are_the_codes() -> None:
    written = {path.name: path.read_text() for path in COMMITTED.iterdir()}
    assert written == {f"{each}.json": schema_text(each) for each in GRAVITY}, "run `make openapi` and commit it"


def test_every_type_has_a_model_a_meaning_and_an_example() -> None:
    assert set(MODELS) == set(MEANINGS) == set(EXAMPLES) == set(MessageType)


@pytest.mark.parametrize("each", GRAVITY)
def test_an_example_validates_and_is_told_in_full(each: MessageType) -> None:
    example = EXAMPLES[each]
    assert example["type"] == each == example["types"][0]
    assert is_described(each, example)
    told = MODELS[each].model_validate_json(json.dumps(example))
    assert json.loads(told.model_dump_json(by_alias=True)) == example


@pytest.mark.parametrize("each", GRAVITY)
def test_a_body_that_lacks_something_or_is_of_another_type_does_not_validate(each: MessageType) -> None:
    example = EXAMPLES[each]
    for name in example:
        assert not is_described(each, {other: value for other, value in example.items() if other != name})
    for name in example["data"]:
        data = {other: value for other, value in example["data"].items() if other != name}
        assert not is_described(each, {**example, "data": data})
    assert not is_described(each, {**example, "timestamp": "noon"})
    assert not any(is_described(other, example) for other in GRAVITY if other != each)


async def test_the_catalogue_lists_every_type_gravest_first_for_any_key(api: httpx.AsyncClient, bench: Bench) -> None:
    listed = (await got(api, "/v1/message-types"))["message_types"]
    assert [each["type"] for each in listed] == list(GRAVITY)
    assert [each["gravity"] for each in listed] == list(range(1, len(GRAVITY) + 1))
    for each in listed:
        assert each["schema"]["$schema"] == DIALECT
        assert jsonschema_rs.is_valid(each["schema"], each["example"])

    for scope in Scope:
        _, token = await create_key(bench.ledger, bench.book, name=scope.value, scopes=(scope,))
        async with bench.client(token.text) as client:
            assert (await client.get("/v1/message-types")).status_code == 200
    async with bench.client("gw_acme_nobody") as client:
        assert (await client.get("/v1/message-types")).status_code == 401


def test_the_openapi_document_tells_of_every_webhook() -> None:
    document = json.loads((ROOT / "openapi" / "openapi.json").read_text())
    assert sorted(document["webhooks"]) == sorted(GRAVITY)
    for name, webhook in document["webhooks"].items():
        content = webhook["post"]["requestBody"]["content"]["application/json"]
        assert content["example"] == EXAMPLES[MessageType(name)]
        whole = {"components": document["components"], **content["schema"]}
        assert jsonschema_rs.is_valid(whole, content["example"])


def test_the_docs_tell_of_every_type() -> None:
    page = (ROOT / "docs" / "messages.md").read_text()
    listed = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")]
    assert listed == list(GRAVITY)
