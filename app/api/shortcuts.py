"""The busy routes, which the door answers itself: FastAPI's way to them would cost as much as what they do."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.types import Scope

from app.api import interactions

Answer = Callable[[Request], Awaitable[Response]]


def shortcut(scope: Scope) -> Answer | None:
    """What answers the request, if its route is one of the busy ones; sets the `route` that it is."""
    if scope["query_string"]:  # no parameter is known there, which FastAPI says
        return None
    if scope["method"] == "POST" and scope["path"] == _POST.path:
        scope["route"] = _POST
        return interactions.answer_interaction
    return None


def _route(router: APIRouter, name: str) -> APIRoute:
    (found,) = (each for each in router.routes if isinstance(each, APIRoute) and each.name == name)
    return found


_POST = _route(interactions.router, "post_interaction")
