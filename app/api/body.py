"""Reading a request at the door: strictly, within a limit, before anything else sees it."""

import re
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, get_args, get_origin

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError

from app.api.pointer import pointer_to
from app.api.problems import faults_of
from app.api.state import Requires
from app.api.strict_json import strict_json
from app.api.wire_fields import CustomerPath
from app.domain.errors import Fault, InvalidRequest
from app.domain.request_errors import BodyTooLarge, UnsupportedMediaType

_Model = TypeVar("_Model", bound=BaseModel)

SINGLE_BYTES_MAX = 64 * 1024
BATCH_BYTES_MAX = 8 * 1024 * 1024
LARGE_BYTES_MAX = 1024 * 1024  # a tariff of 1,000 kinds; 500 customers of 200 characters
FAULTS_MAX = 10

JSON_TYPE = "application/json"
NDJSON_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl")

_CUSTOMER: TypeAdapter[str] = TypeAdapter(CustomerPath)

_WORD = r"[!#$&^_`|~.+0-9A-Za-z-]++"  # without *, ' and %: no parameter in the form of RFC 2231
_PARAMETER = re.compile(rf'[ \t]*+;(?:[ \t]*+({_WORD})=({_WORD}|"[ !#-\[\]-~]*+"))?')
_MEDIA_TYPE = re.compile(rf"({_WORD}/{_WORD})((?:{_PARAMETER.pattern})*+)[ \t]*+")
_UTF8 = ("utf-8", "utf8")


class StrictRequest(Request):
    """A request whose JSON has been read strictly."""

    bytes_max = SINGLE_BYTES_MAX
    _strict: Any = None

    async def body(self) -> bytes:
        """The body, up to the limit."""
        if not hasattr(self, "_body"):
            self._body = await read_limited(self, self.bytes_max, self.state.held.take)
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
        parameters = self.dependant.query_params
        known = {field.alias for field in parameters}
        single = {field.alias for field in parameters if not _takes_many(field.field_info.annotation)}
        required = [each.call for each in self.dependant.dependencies if isinstance(each.call, Requires)]

        async def strict(request: Request) -> Response:
            # Who may not ask is told nothing of what was wrong with the question.
            for scopes in required:
                scopes.check(request)
            _refuse_parameters(request, known, single)
            strictly = self.request_class(request.scope, request.receive)
            if self.body_field is not None:
                await strictly.json()
            return await handler(strictly)

        return strict


async def strict_body(request: Request) -> Any:
    """The JSON value that was sent, whatever kind of request holds it."""
    strictly = request if isinstance(request, StrictRequest) else StrictRequest(request.scope, request.receive)
    return await strictly.json()


def read_model(model: type[_Model], value: Any) -> _Model:
    """The value as a model of the wire; InvalidRequest naming each fault."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise _invalid(error) from None


def read_customer(segment: str) -> str:
    """The customer that a segment of the path names; InvalidRequest if nobody can be named so."""
    try:
        return _CUSTOMER.validate_python(segment)
    except ValidationError as error:
        raise _invalid(error, "path", "customer") from None


def _invalid(error: ValidationError, *place: str) -> InvalidRequest:
    found = error.errors(include_input=False, include_url=False)
    return InvalidRequest(faults=faults_of([{**each, "loc": (*place, *each["loc"])} for each in found]))


class LargeRequest(StrictRequest):
    """A request whose body may be larger than an interaction."""

    bytes_max = LARGE_BYTES_MAX


class LargeRoute(StrictRoute):
    """A route whose body is a tariff, or names many."""

    request_class = LargeRequest


async def read_limited(request: Request, bytes_max: int, take: Callable[[int], None]) -> bytes:
    """The body; BodyTooLarge as soon as it is known to exceed the limit. `take` is told of each part's size."""
    if _declared(request) > bytes_max:
        raise _too_large(bytes_max)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > bytes_max:
            raise _too_large(bytes_max)
        take(len(chunk))
        chunks.append(chunk)
    return b"".join(chunks)


def media_type_of(request: Request, accepted: tuple[str, ...]) -> str:
    """The body's media type; UnsupportedMediaType unless it is an accepted one, in UTF-8 and not compressed."""
    content_types = request.headers.getlist("content-type")
    encoding = ",".join(request.headers.getlist("content-encoding")).strip().lower() or "identity"
    media_type, charset = _read_type(content_types[0] if len(content_types) == 1 else "")
    if media_type not in accepted or charset not in _UTF8 or encoding != "identity":
        raise UnsupportedMediaType(f"Send {' or '.join(accepted)} in UTF-8, not compressed.")
    return media_type


def _read_type(content_type: str) -> tuple[str, str]:
    """The type and the charset (RFC 9110, 8.3), in lower case; empty if it is not written strictly so."""
    match = _MEDIA_TYPE.fullmatch(content_type.lower())
    if match is None:
        return "", ""
    charsets = [text.strip('"') for name, text in _PARAMETER.findall(match[2]) if name == "charset"]
    return match[1], charsets[0] if len(charsets) == 1 else "" if charsets else _UTF8[0]


def _declared(request: Request) -> int:
    """The length that the caller announces, 0 for none; what is no number the server below us has refused."""
    declared = request.headers.get("content-length", "")
    return int(declared) if declared.isascii() and declared.isdigit() and len(declared) < 20 else 0


def _too_large(bytes_max: int) -> BodyTooLarge:
    return BodyTooLarge(f"At most {bytes_max} bytes are accepted here.", extra={"bytes_max": bytes_max})


def _takes_many(annotation: Any) -> bool:
    return get_origin(annotation) is list or any(_takes_many(part) for part in get_args(annotation))


def _refuse_parameters(request: Request, known: set[str], single: set[str]) -> None:
    sent = [name for name, _ in request.query_params.multi_items()]
    unknown = sorted(set(sent) - known)
    repeated = sorted(name for name in single if sent.count(name) > 1)
    detail = f"known here: {', '.join(sorted(known)) or 'no parameters'}"
    faults = [_parameter_fault(name, "unknown_parameter", detail) for name in unknown]
    faults += [_parameter_fault(name, "repeated", "send this parameter once") for name in repeated]
    if faults:
        raise InvalidRequest(faults=tuple(faults[:FAULTS_MAX]))


def _parameter_fault(name: str, code: str, detail: str) -> Fault:
    return Fault(pointer=pointer_to("query", name), code=code, detail=detail)
