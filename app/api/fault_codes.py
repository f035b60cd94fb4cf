"""What a fault in the shape of a request is called: a closed list. The validator's own vocabulary stays inside."""

from collections.abc import Mapping
from typing import Any, cast

FAULT_CODES: Mapping[str, str] = {
    "cursor_invalid": "The cursor was not handed out by this very list.",
    "customer_invalid": "A customer cannot be named `.` or `..`: no client can address it in a path.",
    "duplicate_key": "An object names a field twice.",
    "duration_invalid": "An ISO 8601 duration of days, hours, minutes or seconds is accepted here.",
    "id_invalid": "A promise cannot be named `.` or `..`: no client can address it in a path.",
    "invalid": "The value is not what the OpenAPI document describes.",
    "json_invalid": "The body is not one JSON value in UTF-8.",
    "missing": "The field is needed.",
    "not_a_list": "A list is accepted here.",
    "not_an_object": "An object is accepted here.",
    "number_invalid": "A number is accepted here, in some places only a whole one.",
    "number_out_of_range": "The number is too small or too large.",
    "order_unknown": "Hindsight knows no such order.",
    "repeated": "A parameter or header that takes one value is sent more than once.",
    "source_reserved": "The source `goodwill` is the system's own.",
    "text_invalid": "Text is accepted here, and not every character may stand in it.",
    "time_in_the_future": "Nobody knows yet what will be known then.",
    "time_invalid": "An RFC 3339 time with an offset is accepted here.",
    "too_deep": "The JSON value is nested too deeply.",
    "too_long": "The text or the list is longer than is accepted here, or the object larger.",
    "too_short": "The text or the list is shorter than is accepted here.",
    "unknown_field": "The field is not known here.",
    "unknown_parameter": "The parameter is not known here.",
    "unknown_value": "The value is not one of those that are listed.",
}

_OBJECT = ("not_an_object", "send an object")
_LIST = ("not_a_list", "send a list")
_TEXT = ("text_invalid", "send text")
_NUMBER = ("number_invalid", "send a number")
_WHOLE = ("number_invalid", "send a whole number")
_TIME = ("time_invalid", "send an RFC 3339 time with an offset, such as 2026-05-03T09:30:00Z")
_ONE_OF = ("unknown_value", "send one of {expected}")

_NAMED: Mapping[str, tuple[str, str]] = {
    "missing": ("missing", "this field is needed"),
    "extra_forbidden": ("unknown_field", "this field is not known here"),
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "dict_type": _OBJECT,
    "bool_type": ("invalid", "send true or false"),
    "list_type": _LIST,
    "too_short": ("too_short", "send at least {min_length} of them"),
    "too_long": ("too_long", "send at most {max_length} of them"),
    "string_type": _TEXT,
    "string_unicode": _TEXT,
    "string_pattern_mismatch": ("text_invalid", "a character that may not stand here, or the wrong form"),
    "string_too_short": ("too_short", "send at least {min_length} characters"),
    "string_too_long": ("too_long", "send at most {max_length} characters"),
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_from_float": _WHOLE,
    "greater_than_equal": ("number_out_of_range", "send a number of at least {ge}"),
    "less_than_equal": ("number_out_of_range", "send a number of at most {le}"),
    "datetime_type": _TIME,
    "datetime_parsing": _TIME,
    "datetime_from_date_parsing": _TIME,
    "datetime_object_invalid": _TIME,
    "enum": _ONE_OF,
    "literal_error": _ONE_OF,
}


def named(error: Mapping[str, Any]) -> tuple[str, str]:
    """The code and the sentence of one of pydantic's errors; neither holds what was sent."""
    kind, context = str(error["type"]), cast("dict[str, Any]", error.get("ctx") or {})
    if kind in _NAMED and (context or "{" not in _NAMED[kind][1]):
        code, detail = _NAMED[kind]
        return code, detail.format(**context)
    # A validator of our own names its fault itself.
    return (kind, str(error["msg"])) if kind in FAULT_CODES else ("invalid", FAULT_CODES["invalid"])
