"""JSON that strangers hand over, read so that every program reads the same of it, and objects of a known shape.

`docs/verification.md` says how it is to be written, and `docs/verifier.mjs` reads it in the same way.
"""

import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping
from itertools import accumulate
from typing import Any, NoReturn, cast

from app.domain.plain_json import WHOLE_MAX

DEPTH_MAX = 32  # a receipt has four levels, a message a few more
_TOO_DEEP = f"it nests over {DEPTH_MAX} levels deep"
_WHOLE_CHARACTERS_MAX = 17  # a sign and the sixteen digits of 2^53
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_HASH = re.compile("[0-9a-f]{64}")

Kind = Callable[[Any], bool]


class Misshapen(ValueError):
    """It is not written as it should be; the message is a sentence without its end."""


def read_json(given: bytes) -> Any:
    """The JSON value of UTF-8 bytes; Misshapen for what another program might read otherwise.

    Refused are numbers that are not written as integers, or are beyond 2^53 - 1, and nesting over 32 levels.
    """
    try:
        text = given.decode()
        value = _DECODER.decode(text)
    except Misshapen:
        raise
    except ValueError as error:
        raise Misshapen("it is no JSON in UTF-8") from error
    except RecursionError as error:
        raise Misshapen(_TOO_DEEP) from error
    if text.count("[") + text.count("{") > DEPTH_MAX and _depth(text) > DEPTH_MAX:
        raise Misshapen(_TOO_DEEP)
    return value


def shaped(value: Any, shape: Mapping[str, Kind]) -> dict[str, Any]:
    """The object, if it has each field of the shape, of its kind; what else it has does not matter. Misshapen."""
    if type(value) is not dict:
        raise Misshapen("it is no JSON object")
    found = cast("dict[str, Any]", value)
    for name, is_right in shape.items():
        if name not in found:
            raise Misshapen(f"it has no `{name}`")
        if not is_right(found[name]):
            raise Misshapen(f"its `{name}` is not written as it should be")
    return found


def is_whole(value: Any) -> bool:
    """An integer; `true` is none."""
    return type(value) is int


def is_text(value: Any) -> bool:
    """A text without lone surrogates, so that it has bytes."""
    return type(value) is str and (value.isascii() or _has_bytes(value))


def is_hash(value: Any) -> bool:
    """The 64 lower-case hex digits of a SHA-256."""
    return type(value) is str and _HASH.fullmatch(value) is not None


def is_base64(value: Any) -> bool:
    """Base64 as RFC 4648 has it: with padding, and no other text of the same bytes."""
    try:
        return type(value) is str and base64.b64encode(base64.b64decode(value, validate=True)).decode() == value
    except ValueError:
        return False


def or_null(is_right: Kind) -> Kind:
    """Of that kind, or null."""
    return lambda value: value is None or is_right(value)


def list_of(is_right: Kind) -> Kind:
    """A list of that kind."""
    return lambda value: type(value) is list and all(map(is_right, cast("Iterable[Any]", value)))


def _has_bytes(text: str) -> bool:
    try:
        return bool(text.encode())
    except UnicodeEncodeError:
        return False


def _depth(text: str) -> int:
    """How deep the brackets of JSON nest, the ones in its texts left out."""
    brackets = re.findall(r"[][{}]", _STRING.sub("", text))
    return max(accumulate(1 if each in "[{" else -1 for each in brackets), default=0)


def _whole(text: str) -> int:
    if len(text) > _WHOLE_CHARACTERS_MAX or abs(int(text)) > WHOLE_MAX:
        _no_whole(text)
    return int(text)


def _no_whole(_text: str) -> NoReturn:
    raise Misshapen("it holds a number that is no integer, or too large for one")


_DECODER = json.JSONDecoder(parse_constant=_no_whole, parse_float=_no_whole, parse_int=_whole)
