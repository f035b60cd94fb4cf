"""The JSON Schema of a policy, for the OpenAPI document. The domain's reader decides; this says what it reads."""

from datetime import timedelta
from typing import Any

from app.domain.duration import duration_text
from app.domain.policy import Policy
from app.domain.policy_document import (
    HALF_LIFE_DAYS_MAX,
    HALF_LIFE_DAYS_MIN,
    HALF_LIFE_NAMES,
    NEGATIVE_NAMES,
    SEGMENT_LENGTH_MAX,
    SEGMENTS_MAX,
    SPAN_DAYS_MAX,
    THRESHOLD_MAX,
    THRESHOLD_MIN,
    THRESHOLD_NAMES,
)

_DAYS = {"type": ["number", "null"], "minimum": HALF_LIFE_DAYS_MIN, "maximum": HALF_LIFE_DAYS_MAX}
_POSITIVE = {"type": "number", "minimum": THRESHOLD_MIN, "maximum": THRESHOLD_MAX}
_NEGATIVE = {"type": "number", "minimum": -THRESHOLD_MAX, "maximum": -THRESHOLD_MIN}
_THRESHOLDS = {name: _NEGATIVE if name in NEGATIVE_NAMES else _POSITIVE for name in THRESHOLD_NAMES}


_SPANS = {
    "alert_within": "nobody is told of what mattered longer before it was booked",
    "quiet_for": "a change of standing is told of once in this time, unless the depth worsens",
}


def _object(properties: dict[str, Any], *, required: list[str]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


def _span(name: str, says: str) -> dict[str, Any]:
    otherwise = duration_text(timedelta(microseconds=getattr(Policy(), name)))
    described = f"an ISO 8601 duration of at most {SPAN_DAYS_MAX} days: {says}"
    return {"type": "string", "default": otherwise, "description": described}


POLICY_SCHEMA: dict[str, Any] = {
    "title": "Policy",
    "description": "Half-lives in days (null never fades; passing may not exceed lasting) and thresholds in points "
    "(deep below marked). A segment has the book's thresholds but for those it names.",
    **_object(
        {
            "half_lives": _object(dict.fromkeys(HALF_LIFE_NAMES, _DAYS), required=list(HALF_LIFE_NAMES)),
            "thresholds": _object(_THRESHOLDS, required=list(THRESHOLD_NAMES)),
            "segments": {
                "type": "object",
                "maxProperties": SEGMENTS_MAX,
                "propertyNames": {"minLength": 1, "maxLength": SEGMENT_LENGTH_MAX},
                "additionalProperties": _object(_THRESHOLDS, required=[]),
            },
            **{name: _span(name, says) for name, says in _SPANS.items()},
        },
        required=["half_lives", "thresholds"],
    ),
}
