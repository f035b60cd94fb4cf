"""The types of messages: what each means, its JSON Schema, and an example that validates."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import models_json_schema

from app.api.message_examples import EXAMPLES
from app.api.wire_message import MODELS
from app.domain.message import GRAVITY, MessageType

DIALECT = "https://json-schema.org/draft/2020-12/schema"

MEANINGS: Mapping[MessageType, str] = {
    MessageType.DEBIT_DEEP: "A debit was booked that is remembered for long. Never quiet.",
    MessageType.ACCOUNT_OVERDRAWN: "The account entered the depth marked, or entered deep.",
    MessageType.PROMISE_BROKEN: "A promise passed its due time, or a later step of its lateness. Never quiet.",
    MessageType.BALANCE_DROPPED: "The debits booked within a day came to 30 points or more with this one.",
    MessageType.ACCOUNT_RECOVERED: "An overdrawn account is steady or better.",
    MessageType.ACCOUNT_DELIGHTED: "A big credit is felt, and the account stands well.",
    MessageType.ACCOUNT_ABOUT_TO_BE_DELIGHTED: "One gesture away from delighted, on the way up. A subscription "
    "has to name it: account.* and * leave it out.",
    MessageType.ACCOUNT_STANDING_CHANGED: "The standing changed in a way that has no name of its own.",
    MessageType.ACCOUNT_MERGED: "Another customer was merged into this one. Never quiet.",
    MessageType.ACCOUNT_UNMERGED: "A customer who was merged into this one is another again. Never quiet.",
    MessageType.POLICY_ADOPTED: "Another policy is in force. The standings that it changes are not told of.",
    MessageType.IMPORT_FINISHED: "An import is done.",
    MessageType.CHECKPOINT_SIGNED: "A checkpoint of the ledger was signed, to be kept elsewhere. A subscription "
    "has to name it: * leaves it out.",
    MessageType.SUBSCRIPTION_DISABLED: "A subscription is sent nothing any more, since nothing arrives there.",
    MessageType.CAUSE_SUMMARY: "What one cause had to tell beyond 50 messages within 10 minutes: how many, and "
    "the ten gravest.",
    MessageType.TEST: "Somebody tries whether messages arrive.",
}


def message_schema(each: MessageType) -> dict[str, Any]:
    """The JSON Schema of the messages of a type, whole in itself, with an example."""
    schema = MODELS[each].model_json_schema(mode="serialization")
    schema["properties"]["type"] = {"const": each.value}
    described = {"title": each.value, "description": MEANINGS[each], "examples": [EXAMPLES[each]]}
    return {"$schema": DIALECT, **schema, **described}


def schema_text(each: MessageType) -> str:
    """The schema as it is committed under `openapi/webhooks/`."""
    return json.dumps(message_schema(each), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def webhooks(ref: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the OpenAPI document says of messages: its `webhooks`, and the component schemas that these refer to."""
    models = sorted(set(MODELS.values()), key=lambda model: model.__name__)
    _, defined = models_json_schema([(model, "serialization") for model in models], ref_template=ref + "{model}")
    return {each.value: _webhook(each, ref) for each in GRAVITY}, defined["$defs"]


def _webhook(each: MessageType, ref: str) -> dict[str, Any]:
    content = {"schema": {"$ref": ref + MODELS[each].__name__}, "example": EXAMPLES[each]}
    return {
        "post": {
            "operationId": f"receive_{each.value.replace('.', '_')}",
            "summary": each.value,
            "description": MEANINGS[each],
            "requestBody": {"required": True, "content": {"application/json": content}},
            "responses": {
                "2XX": {"description": "It arrived."},
                "410": {"description": "Nothing is wanted there any more: the subscription is disabled at once."},
            },
        }
    }
