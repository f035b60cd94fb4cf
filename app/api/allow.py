"""Which methods an address answers."""

from collections.abc import Iterable

from fastapi import FastAPI
from starlette.routing import compile_path


def allowed_methods(app: FastAPI, path: str, known: Iterable[str] = ()) -> list[str]:
    """The methods of a path, sorted: what the document says that describes the routes, else those known.

    HEAD goes with every GET (the door sees to it), OPTIONS with everything.
    """
    paths: dict[str, dict[str, object]] = app.openapi()["paths"]
    # As in the document, an address that stands there as it is, is no customer's.
    templates = [path] if path in paths else [each for each in paths if compile_path(each)[0].match(path)]
    found = {method.upper() for template in templates for method in paths[template]} or {*filter(None, known)}
    found.add("OPTIONS")
    return sorted(found | {"HEAD"} if "GET" in found else found)
