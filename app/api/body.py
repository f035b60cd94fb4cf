"""Reading JSON at the door: strictly, within a limit, before anything else sees it."""

import json
from collections.abc import Callable, Coroutine
from email.message import Message
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from app.domain.errors import BodyTooLarge, Fault, InvalidRequest, UnsupportedMediaType

SINGLE_BYTES_MAX = 64 * 1024
BATCH_BYTES_MAX = 8 * 1024 * 1024
TARIFF_BYTES_MAX = 1024 * 1024
DEPTH_MAX = 32
INTEGER_MAX = 2**53 - 1  # beyond it RFC 8785 and most clients no longer agree on a number

JSON_TYPE = "application/json"
NDJSON_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl")


class StrictRequest(Request):
    """A request whose JSON has been read strictly."""

    bytes_max = SINGLE_BYTES_MAX
    _strict: Any = None

    async def body(self) -> bytes:
        """The body, up to the limit."""
        if not hasattr(self, "_body"):
            self._body = await read_limited(self, self.bytes_max)
        return self._body

    async def json(self) -> Any:
        """The JSON value that was sent; a Refusal if it is not exactly one."""
        if self._strict is None:
            media_type_of(self, (JSON_TYPE,))
            self._strict = strict_json(await self.body())
        return self._strict


class StrictRoute(APIRoute):
    """A route that refuses unknown parameters and reads its body strictly."""

    request_class: type[StrictRequest] = StrictRequest

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler behind the door."""
        handler = super().get_route_handler()
        known = {field.alias for field in self.dependant.query_params}

        async def strict(request: Request) -> Response:
            _refuse_unknown_parameters(request, known)
            strictly = self.request_class(request.scope, request.receive)
            if self.body_field is not None:
                await strictly.json()
            return await handler(strictly)

        return strict


class TariffRequest(StrictRequest):
    """A tariff may be larger than an interaction."""

    bytes_max = TARIFF_BYTES_MAX


class TariffRoute(StrictRoute):
    """A route whose body is a tariff."""

    request_class = TariffRequest


async def read_limited(request: Request, bytes_max: int) -> bytes:
    """The body; BodyTooLarge as soon as it is known to exceed the limit."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > bytes_max:
        raise BodyTooLarge(f"At most {bytes_max} bytes are accepted here.")
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > bytes_max:
            raise BodyTooLarge(f"At most {bytes_max} bytes are accepted here.")
        chunks.append(chunk)
    return b"".join(chunks)


def media_type_of(request: Request, accepted: tuple[str, ...]) -> str:
    """The body's media type; UnsupportedMediaType unless it is an accepted one, in UTF-8 and not compressed."""
    message = Message()
    message["content-type"] = request.headers.get("content-type", "")
    charset = message.get_content_charset("utf-8")
    encoding = request.headers.get("content-encoding", "identity")
    if message.get_content_type() not in accepted or charset not in ("utf-8", "utf8") or encoding != "identity":
        raise UnsupportedMediaType(f"Send {' or '.join(accepted)} in UTF-8, not compressed.")
    return message.get_content_type()


def strict_json(text: bytes) -> Any:
    """The JSON value of UTF-8 bytes; InvalidRequest for anything that another parser might read otherwise.

    Refused: NaN and infinities, numbers out of range, duplicate keys, lone surrogates, NUL, nesting over 32.
    """
    try:
        value = json.loads(
            text.decode("utf-8"),
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_whole,
            object_pairs_hook=_unique,
        )
    except RecursionError:
        raise _invalid("too_deep", f"nest at most {DEPTH_MAX} levels deep") from None
    except _Unreadable as error:
        raise _invalid(error.code, str(error)) from None
    except ValueError:
        raise _invalid("json_invalid", "send one JSON value in UTF-8") from None
    _check(value, DEPTH_MAX)
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
    if len(text) > 17 or abs(int(text)) > INTEGER_MAX:
        raise _Unreadable("number_out_of_range", "send integers beyond 2^53 - 1 as strings")
    return int(text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Unreadable("duplicate_key", "name each field of an object once")
    return found


def _check(value: Any, depth: int) -> None:
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, dict | list):
        if depth == 0:
            raise _invalid("too_deep", f"nest at most {DEPTH_MAX} levels deep")
        parts = [*value, *value.values()] if isinstance(value, dict) else value
        for part in parts:
            _check(part, depth - 1)


def _check_text(text: str) -> None:
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise _invalid("text_invalid", "text may hold neither NUL nor lone surrogates")


def _invalid(code: str, detail: str) -> InvalidRequest:
    return InvalidRequest(faults=(Fault(pointer="", code=code, detail=detail),))


def _refuse_unknown_parameters(request: Request, known: set[str]) -> None:
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        detail = f"known here: {', '.join(sorted(known)) or 'no parameters'}"
        raise InvalidRequest(faults=tuple(_unknown_parameter(name, detail) for name in unknown[:10]))


def _unknown_parameter(name: str, detail: str) -> Fault:
    escaped = name.replace("~", "~0").replace("/", "~1")[:200]
    return Fault(pointer=f"/query/{escaped}", code="unknown_parameter", detail=detail)
