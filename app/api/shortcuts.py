"""The busy routes, which stand right behind the door: FastAPI's way to them would cost as much as what they do."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api import customers, interactions
from app.api.body import StrictRequest
from app.api.encoded_path import encoded_path


def shortcut(scope: Scope) -> ASGIApp | None:
    """What answers the HTTP request, if it is for a busy route; it has that route's `path_params` then."""
    if scope["query_string"]:  # no parameter is known there, which FastAPI says
        return None
    path, method = encoded_path(scope), scope["method"]
    if method == "POST" and path == _POST.path:
        return _POSTING
    if method == "GET" and path.startswith(_BEGIN) and path.endswith(_END):
        customer = path[len(_BEGIN) : -len(_END)]
        if customer and "/" not in customer:
            scope["path_params"] = {"customer": customer}
            return _BALANCES
    return None


def _route(router: APIRouter, name: str) -> APIRoute:
    (found,) = (each for each in router.routes if isinstance(each, APIRoute) and each.name == name)
    return found


def _by(route: APIRoute, answer: Callable[[Request], Awaitable[Response]]) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = route
        response = await answer(StrictRequest(scope, receive))
        await response(scope, receive, send)

    return app


_POST, _BALANCE = _route(interactions.router, "post_interaction"), _route(customers.router, "get_balance")
_POSTING, _BALANCES = _by(_POST, interactions.answer_interaction), _by(_BALANCE, customers.answer_balance)
_BEGIN, _END = _BALANCE.path.split("{customer}")
