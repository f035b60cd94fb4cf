"""The door: what every request passes before it reaches a route. A plain ASGI middleware.

It names the request, keeps path segments percent-encoded for the router (so that a customer's name may hold a
slash), asks for an API key under /v1, and turns whatever fails into a problem document.
"""

import base64
import binascii
import logging
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import problem_response
from app.api.state import Service
from app.domain.api_key import ApiKey, opens, parse_token
from app.domain.errors import DatabaseUnavailable, InternalError, Refusal, Unauthorized
from app.queries.keys import find_key

logger = logging.getLogger("goodwill.api")

NewRequestId = Callable[[], str]


class Door:
    """Wraps the application; `new_request_id` is chance, handed in by the root."""

    def __init__(self, app: ASGIApp, *, service: Service, new_request_id: NewRequestId) -> None:
        self.app = app
        self.service = service
        self.new_request_id = new_request_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = self.new_request_id()
        scope.setdefault("state", {})["request_id"] = request_id
        scope["path"] = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
        answering = _Answering(send, request_id)
        try:
            if scope["path"].startswith("/v1/"):
                scope["state"]["api_key"] = await self._api_key(Headers(scope=scope))
            await self.app(scope, receive, answering)
        except Refusal as refusal:
            await answering.refuse(refusal, scope, receive)
        except Exception:
            logger.exception("request %s failed", request_id)
            await answering.refuse(InternalError(), scope, receive)

    async def _api_key(self, headers: Headers) -> ApiKey:
        token = parse_token(_credentials(headers.get("authorization", "")))
        if token is None:
            raise Unauthorized
        ledger = await self.service.ledger()
        async with ledger.database.read() as tx:
            key = await find_key(tx, token.book, token.key_id)
        if not opens(key, token, ledger.now()) or key is None:
            raise Unauthorized
        return key


class _Answering:
    """Sends the answer with its request id, and remembers whether it has begun."""

    def __init__(self, send: Send, request_id: str) -> None:
        self.send = send
        self.request_id = request_id
        self.has_begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_begun = True
            MutableHeaders(scope=message)["X-Request-Id"] = self.request_id
        await self.send(message)

    async def refuse(self, refusal: Refusal, scope: Scope, receive: Receive) -> None:
        if isinstance(refusal, DatabaseUnavailable):
            logger.warning("request %s: the database does not answer: %s", self.request_id, refusal.__cause__)
        if not self.has_begun:
            await problem_response(refusal, self.request_id)(scope, receive, self)


def _credentials(authorization: str) -> str:
    """The API key in a Bearer header, or the user of a Basic one; empty if there is neither."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).decode("utf-8").partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""
