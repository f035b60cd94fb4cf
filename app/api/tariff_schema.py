"""The JSON Schema of a tariff, for the OpenAPI document. The domain's reader decides; this says what it reads."""

from typing import Any

from app.domain.policy import Memory
from app.domain.tariff import POINTS_MAX, POINTS_MIN, AttributeType, Basis, Group
from app.domain.tariff_document import KIND_NAME_LENGTH_MAX, KINDS_MAX, NEEDS_MAX, SAYS_LENGTH_MAX

_LINE = {
    "type": "string",
    "minLength": 1,
    "maxLength": 200,
    "pattern": r"^[^\x00-\x1f\x7f-\x9f]*\S[^\x00-\x1f\x7f-\x9f]*$",
}
_MEMORY = {"enum": list(Memory)}
_POINTS = {"type": "integer", "minimum": POINTS_MIN, "maximum": POINTS_MAX}


def _object(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": {**required, **(optional or {})},
    }


_NEED = _object(
    {"type": {"enum": list(AttributeType)}, "says": {**_LINE, "maxLength": SAYS_LENGTH_MAX}},
    {"otherwise": {"type": ["number", "string", "boolean"], "description": "taken where the attribute is absent"}},
)
_STEP = _object({"after": {"type": "string", "description": "an ISO 8601 duration such as P1D"}, "points": _POINTS})
_KIND = _object(
    {
        "label": _object({"en": _LINE, "fr": _LINE}),
        "points": {"anyOf": [_POINTS, {"type": "string", "description": "a CEL expression"}]},
        "group": {"enum": list(Group)},
    },
    {
        "requires": {"type": "string", "description": "a CEL condition"},
        "least": _POINTS,
        "most": _POINTS,
        "memory": _MEMORY,
        "gesture": {"type": "boolean"},
        "declared_by_employee": {"type": "boolean"},
        "explicit": {"type": "boolean"},
        "needs": {"type": "object", "maxProperties": NEEDS_MAX, "additionalProperties": _NEED},
        "steps": {"type": "array", "items": _STEP},
        "basis": {"enum": list(Basis)},
    },
)

TARIFF_SCHEMA: dict[str, Any] = {
    "title": "Tariff",
    "description": "A price list of kinds. Expressions are compiled and tried when it is adopted.",
    **_object(
        {
            "name": _LINE,
            "deep_at": {"type": "integer", "minimum": POINTS_MIN, "maximum": -1},
            "memory_by_default": _object(dict.fromkeys(("credit", "debit", "deep_debit", "neutral"), _MEMORY)),
            "kinds": {
                "type": "object",
                "minProperties": 1,
                "maxProperties": KINDS_MAX,
                "propertyNames": {"pattern": "^[a-z0-9_]+(\\.[a-z0-9_]+)*$", "maxLength": KIND_NAME_LENGTH_MAX},
                "additionalProperties": _KIND,
            },
        }
    ),
}
