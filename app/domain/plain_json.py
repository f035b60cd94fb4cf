"""RFC 8785 of plain values: no floats, no large numbers, no lists, names in ASCII. A test holds it against `rfc8785`.

Nearly all that is hashed and sealed is plain, and the general encoders take several times as long.
"""

from json.encoder import encode_basestring as quoted
from typing import Any, cast

WHOLE_MAX = 2**53 - 1  # beyond it not every reader of JSON has whole numbers

_LITERALS = {None: "null", True: "true", False: "false"}


def plain_json(value: Any) -> str | None:
    """The text of a plain value; None for any other."""
    kind = type(cast("object", value))
    if kind is str:
        return quoted(value)
    if kind is int:
        return str(value) if -WHOLE_MAX <= value <= WHOLE_MAX else None
    if kind is dict:
        return _object(cast("dict[str, Any]", value))
    return _LITERALS[value] if value is None or kind is bool else None


def _object(value: dict[str, Any]) -> str | None:
    parts: list[str] = []
    for name in sorted(value):
        text = plain_json(value[name])
        if text is None or not name.isascii():  # sorted by UTF-16 they might stand in another order
            return None
        parts.append(f"{quoted(name)}:{text}")
    return f"{{{','.join(parts)}}}"
