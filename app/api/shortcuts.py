"""The busy routes, which the door answers itself: FastAPI's way to them would cost as much as what they do."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.types import Scope

from app.api import customers, interactions

Answer = Callable[[Request], Awaitable[Response]]


def shortcut(scope: Scope) -> Answer | None:
    """What answers the request, if its route is one of the busy ones; sets the `route` that it is."""
    if scope["query_string"]:  # no parameter is known there, which FastAPI says
        return None
    path: str = scope["path"]
    if scope["method"] == "POST" and path == _POST.path:
        scope["route"] = _POST
        return interactions.answer_interaction
    if path.endswith(_END) and path.startswith(_BEGIN) and scope["method"] == "GET":
        customer = path[len(_BEGIN) : -len(_END)]
        if customer and "/" not in customer:
            scope["route"], scope["path_params"] = _BALANCE, {"customer": customer}
            return customers.answer_balance
    return None


def _route(router: APIRouter, name: str) -> APIRoute:
    (found,) = (each for each in router.routes if isinstance(each, APIRoute) and each.name == name)
    return found


_POST = _route(interactions.router, "post_interaction")
_BALANCE = _route(customers.router, "get_balance")
_BEGIN, _END = _BALANCE.path.split("{customer}")
