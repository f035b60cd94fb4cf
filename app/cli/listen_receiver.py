"""The receiver of `goodwill listen`: answers what is posted to it, and shows what is proved to come from Goodwill."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any, cast

import typer
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from app.api.body import read_limited
from app.api.strict_json import strict_json
from app.domain.errors import InvalidRequest
from app.domain.request_errors import BodyTooLarge
from app.main import clock
from app.webhooks.sign import doubt

BODY_BYTES_MAX = 1_000_000
REMEMBERED_MAX = 10_000  # messages: a repeat comes soon after, or is asked for by somebody who knows
DRAIN_SECONDS = 1

Show = Callable[[dict[str, Any], str, bool], None]
"""Prints a message, its webhook-id, and whether it came before."""


class Receiver:
    """Receives from `run` to `stop`. Each message is shown before it is answered, so that none is lost unseen."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self._secret = ""
        self._remembered: dict[str, None] = {}
        self._unshown: OSError | None = None
        self._server = uvicorn.Server(
            uvicorn.Config(
                Starlette(routes=[Route("/{path:path}", self._receive, methods=["POST"])]),
                log_level="warning",
                access_log=False,
                server_header=False,
                lifespan="off",
                timeout_graceful_shutdown=DRAIN_SECONDS,
            )
        )

    def stop(self) -> None:
        """End `run`, or let it end as soon as it begins."""
        self._server.should_exit = True

    async def run(self, listener: socket.socket, secret: str) -> None:
        """Receive what is signed with the secret. Raises OSError if a message cannot be shown."""
        self._secret = secret
        await self._server.serve(sockets=[listener])
        if self._unshown is not None:
            raise self._unshown

    async def _receive(self, request: Request) -> Response:
        try:
            message = await self._proved(request)
            message_id = request.headers["webhook-id"]
            self._show(message, message_id, message_id in self._remembered)
        except _Refused as refused:
            typer.echo(f"Refused a request with {refused.status}: {refused.reason}.", err=True)
            return Response(status_code=refused.status)
        except OSError as error:
            self._unshown = error
            self.stop()
            return Response(status_code=503)
        self._remember(message_id)
        return Response(status_code=204)

    async def _proved(self, request: Request) -> dict[str, Any]:
        try:
            body = await read_limited(request, BODY_BYTES_MAX, lambda _size: None)
        except BodyTooLarge:
            raise _Refused(413, f"its body is longer than {BODY_BYTES_MAX:,} bytes") from None
        except (ClientDisconnect, asyncio.CancelledError):  # cancelled: we end, and wait for the rest no longer
            raise _Refused(400, "it broke off before its body was complete") from None
        wrong = doubt(self._secret, request.headers, body, now=clock())
        if wrong is not None:
            raise _Refused(400, wrong)
        return _object(body)

    def _remember(self, message_id: str) -> None:
        self._remembered[message_id] = None
        if len(self._remembered) > REMEMBERED_MAX:
            del self._remembered[next(iter(self._remembered))]


class _Refused(Exception):
    """A request that is no message: the status it is answered, and why, in words about it."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = strict_json(body)
    except InvalidRequest:
        value = None
    if not isinstance(value, dict):
        raise _Refused(400, "it is signed, but its body is no JSON object")
    return cast("dict[str, Any]", value)
