"""The door: what every request passes before it reaches a route. A plain ASGI middleware.

It names the request, keeps path segments percent-encoded for the router (so that a customer's name may hold a
slash), answers HEAD as GET without its body, asks for an API key under /v1, and turns whatever fails into a
problem document; it counts what passed.
"""

import asyncio
import base64
import binascii
import logging
from collections.abc import Callable
from contextlib import nullcontext
from hashlib import sha256
from time import perf_counter

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.encoded_path import encoded_path
from app.api.metrics import count_request
from app.api.pace import WRONG_AT_ONCE, WRONG_PER_SECOND, Pace
from app.api.problems import problem_response
from app.api.room import Room
from app.api.safe_headers import add_safe_headers
from app.api.state import Service
from app.api.watch import Watch, about
from app.domain.api_key import ApiKey, opens, parse_token
from app.domain.errors import DatabaseUnavailable, InternalError, Refusal, Unauthorized
from app.queries.keys import find_key

logger = logging.getLogger("goodwill.api")

NewRequestId = Callable[[], str]
KEY_SECONDS = 1.0
"""A key that another process revokes opens for as long at most."""

_UNWATCHED = nullcontext()
_LISTS = (b"accept", b"if-match", b"if-none-match")


class Door:
    """Wraps the application; `new_request_id` is chance, handed in by the root.

    `per_second` bounds the requests of each key in this process, None does not; `watch` writes down what passed.
    """

    app: ASGIApp

    def __init__(
        self,
        *,
        service: Service,
        room: Room,
        new_request_id: NewRequestId,
        per_second: float | None = None,
        watch: Watch | None = None,
    ) -> None:
        self.service = service
        self.room = room
        self.pace = None if per_second is None else Pace(per_second, max(1.0, per_second))  # of each key
        self.wrong = Pace(WRONG_PER_SECOND, WRONG_AT_ONCE)  # secrets, of each key and address
        self.new_request_id = new_request_id
        self.watch = watch

    def before(self, app: ASGIApp) -> "Door":
        """This door, before the application."""
        self.app = app
        return self

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request by the application."""
        await (
            self.serve(scope, receive, send, self.app) if scope["type"] == "http" else self.app(scope, receive, send)
        )

    async def serve(self, scope: Scope, receive: Receive, send: Send, app: ASGIApp) -> None:
        """Serve one HTTP request by the application that is given."""
        request_id = self.new_request_id()
        answering = _Answering(send, request_id, is_head=scope["method"] == "HEAD")
        # A scope of our own: the server below goes by the method that was sent.
        passed = {
            **scope,
            "state": {**scope.get("state", {}), "request_id": request_id, "service": self.service},
            "path": encoded_path(scope),
            "headers": _with_joined_lists(scope["headers"]),
            "method": "GET" if answering.is_head else scope["method"],
        }
        begun = perf_counter()
        try:
            with self.watch.following(passed, scope["method"], answering) if self.watch else _UNWATCHED:
                await self._answer(passed, receive, answering, app)
        finally:
            route, seconds = getattr(passed.get("route"), "path", None), perf_counter() - begun
            count_request(route=route, method=scope["method"], status=answering.status, seconds=seconds)

    async def _answer(self, passed: Scope, receive: Receive, answering: "_Answering", app: ASGIApp) -> None:
        request_id = answering.request_id
        try:
            await self._pass(passed, receive, answering, app)
        except ClientDisconnect:
            logger.info("request %s: the caller went away", request_id, extra=about(passed))
        except Refusal as refusal:
            await answering.refuse(refusal, passed, receive)
        except Exception:
            logger.exception("request %s failed", request_id, extra=about(passed))
            await answering.refuse(InternalError(), passed, receive)

    async def _pass(self, scope: Scope, receive: Receive, send: Send, app: ASGIApp) -> None:
        if not scope["path"].startswith("/v1/"):  # a full server still says how it is
            await app(scope, receive, send)
            return
        with self.room.entered() as held:
            scope["state"]["held"] = held
            if scope["method"] != "OPTIONS":
                key = scope["state"]["api_key"] = await self._api_key(scope)
                self._keep_pace(key)
            await app(scope, receive, send)

    def _keep_pace(self, key: ApiKey) -> None:
        if self.pace is not None:
            now = asyncio.get_running_loop().time()
            self.pace.check(key.key_id, now)
            self.pace.spend(key.key_id, now)

    async def _api_key(self, scope: Scope) -> ApiKey:
        """The caller's key, which was read within the last KEY_SECONDS; Unauthorized without one that opens.

        Whoever sends wrong secrets for a key again and again is told to wait, and nothing is looked up meanwhile.
        """
        sent = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        ledger, now = await self.service.ledger(), asyncio.get_running_loop().time()
        known = ledger.open_keys.get(sha256(sent).digest())
        if known is not None and now < known.until and known.key.is_live(ledger.now()):
            return known.key
        token = parse_token(_credentials(sent.decode("latin-1")))
        if token is None:
            raise Unauthorized
        whoever = (scope.get("client") or ("",))[0], token.book, token.key_id
        self.wrong.check(whoever, now)
        async with ledger.database.glance(token.book) as tx:
            key = await find_key(tx, token.book, token.key_id)
        if not opens(key, token, ledger.now()) or key is None:
            self.wrong.spend(whoever, now)
            raise Unauthorized
        ledger.keep_open(sha256(sent).digest(), key, until=now + KEY_SECONDS)
        return key


class _Answering:
    """Sends the answer with the headers that every answer has, and remembers whether it has begun."""

    def __init__(self, send: Send, request_id: str, *, is_head: bool) -> None:
        self.send = send
        self.request_id = request_id
        self.is_head = is_head
        self.status: int | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers: list[tuple[bytes, bytes]] = message["headers"]
            headers.append((b"x-request-id", self.request_id.encode()))
            add_safe_headers(headers)
        if self.is_head and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self.send(message)

    async def refuse(self, refusal: Refusal, scope: Scope, receive: Receive) -> None:
        if isinstance(refusal, DatabaseUnavailable):
            said, *_ = str(refusal.__cause__ or type(refusal).__name__).splitlines() or [""]
            logger.warning("request %s: %s: %s", self.request_id, refusal.code, said, extra=about(scope))
        if self.status is None:
            await problem_response(refusal, self.request_id)(scope, receive, self)


def _with_joined_lists(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Several lines of a header that is a list are one line (RFC 9110, 5.3)."""
    if sum(name in _LISTS for name, _ in headers) < 2:
        return headers
    lines = [(name, [value for other, value in headers if other == name]) for name in _LISTS]
    joined = [(name, b", ".join(values)) for name, values in lines if values]
    return [(name, value) for name, value in headers if name not in _LISTS] + joined


def _credentials(authorization: str) -> str:
    """The API key in a Bearer header, or the user of a Basic one; empty if there is neither."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).decode("utf-8").partition(":")[0]
        except (binascii.Error, ValueError):
            return ""
    return ""
