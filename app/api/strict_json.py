"""Reading JSON strictly: one value, and no text that another parser might read otherwise."""

import json
from typing import Any

from app.domain.errors import Fault, InvalidRequest

DEPTH_MAX = 32
INTEGER_MAX = 2**53 - 1  # beyond it RFC 8785 and most clients no longer agree on a number
_INTEGER_CHARACTERS_MAX = 17  # a sign and the sixteen digits of 2^53


def strict_json(text: bytes) -> Any:
    """The JSON value of UTF-8 bytes; InvalidRequest for anything that another parser might read otherwise.

    Refused: NaN and infinities, numbers out of range, duplicate keys, lone surrogates, NUL, nesting over 32.
    """
    try:
        value = _DECODER.decode(text.decode("utf-8"))
    except RecursionError:
        raise _invalid("too_deep", f"nest at most {DEPTH_MAX} levels deep") from None
    except _Unreadable as error:
        raise _invalid(error.code, str(error)) from None
    except ValueError:
        raise _invalid("json_invalid", "send one JSON value in UTF-8") from None
    # Only an escape can bring in what UTF-8 and JSON do not let through as it is, and only brackets nest.
    texts = b"\\u" in text
    if texts or text.count(b"{") + text.count(b"[") > DEPTH_MAX:
        _check(value, texts=texts)
    return value


class _Unreadable(ValueError):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def _no_constant(_name: str) -> Any:
    raise _Unreadable("number_out_of_range", "NaN and Infinity are not JSON numbers")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise _Unreadable("number_out_of_range", "send a number that a double can hold")
    return number


def _whole(text: str) -> int:
    if len(text) > _INTEGER_CHARACTERS_MAX or abs(int(text)) > INTEGER_MAX:
        raise _Unreadable("number_out_of_range", "send integers beyond 2^53 - 1 as strings")
    return int(text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Unreadable("duplicate_key", "name each field of an object once")
    return found


_DECODER = json.JSONDecoder(
    parse_constant=_no_constant, parse_float=_finite, parse_int=_whole, object_pairs_hook=_unique
)
_CONTAINERS = (dict, list)


def _check(value: Any, *, texts: bool) -> None:
    """Level by level: going into each value by itself costs three times as much."""
    parts: list[Any] = [value]
    for _ in range(DEPTH_MAX + 1):
        if texts:
            _check_texts(parts)
        containers = [part for part in parts if type(part) in _CONTAINERS]
        if not containers:
            return
        parts = [part for each in containers for part in _parts(each)]
    raise _invalid("too_deep", f"nest at most {DEPTH_MAX} levels deep")


def _parts(value: dict[str, Any] | list[Any]) -> list[Any]:
    return [*value, *value.values()] if isinstance(value, dict) else value


def _check_texts(parts: list[Any]) -> None:
    for part in parts:
        if isinstance(part, str):
            _check_text(part)


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _text_invalid() from None
    if "\0" in text:
        raise _text_invalid()


def _text_invalid() -> InvalidRequest:
    return _invalid("text_invalid", "text may hold neither NUL nor lone surrogates")


def _invalid(code: str, detail: str) -> InvalidRequest:
    return InvalidRequest(faults=(Fault(pointer="", code=code, detail=detail),))
