"""Reading a request at the door: strictly, within a limit, before anything else sees it."""

from collections.abc import Callable, Coroutine
from email.message import Message
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from app.api.pointer import pointer_to
from app.api.strict_json import strict_json
from app.domain.errors import BodyTooLarge, Fault, InvalidRequest, UnsupportedMediaType

SINGLE_BYTES_MAX = 64 * 1024
BATCH_BYTES_MAX = 8 * 1024 * 1024
LARGE_BYTES_MAX = 1024 * 1024  # a tariff of 1,000 kinds; 500 customers of 200 characters
FAULTS_MAX = 10

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


class LargeRequest(StrictRequest):
    """A request whose body may be larger than an interaction."""

    bytes_max = LARGE_BYTES_MAX


class LargeRoute(StrictRoute):
    """A route whose body is a tariff, or names many."""

    request_class = LargeRequest


async def read_limited(request: Request, bytes_max: int) -> bytes:
    """The body; BodyTooLarge as soon as it is known to exceed the limit."""
    if _declared(request) > bytes_max:
        raise _too_large(bytes_max)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > bytes_max:
            raise _too_large(bytes_max)
        chunks.append(chunk)
    return b"".join(chunks)


def media_type_of(request: Request, accepted: tuple[str, ...]) -> str:
    """The body's media type; UnsupportedMediaType unless it is an accepted one, in UTF-8 and not compressed."""
    message = Message()
    message["content-type"] = request.headers.get("content-type", "")
    charset = message.get_content_charset("utf-8")
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if message.get_content_type() not in accepted or charset not in ("utf-8", "utf8") or encoding != "identity":
        raise UnsupportedMediaType(f"Send {' or '.join(accepted)} in UTF-8, not compressed.")
    return message.get_content_type()


def _declared(request: Request) -> int:
    """The length that the caller announces, 0 for none; what is no number the server below us has refused."""
    declared = request.headers.get("content-length", "")
    return int(declared) if declared.isascii() and declared.isdigit() and len(declared) < 20 else 0


def _too_large(bytes_max: int) -> BodyTooLarge:
    return BodyTooLarge(f"At most {bytes_max} bytes are accepted here.", extra={"bytes_max": bytes_max})


def _refuse_unknown_parameters(request: Request, known: set[str]) -> None:
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        detail = f"known here: {', '.join(sorted(known)) or 'no parameters'}"
        raise InvalidRequest(
            faults=tuple(
                Fault(pointer=pointer_to("query", name), code="unknown_parameter", detail=detail)
                for name in unknown[:FAULTS_MAX]
            )
        )
