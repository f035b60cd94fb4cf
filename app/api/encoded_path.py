"""A request's path, as routes see it."""

from urllib.parse import quote, unquote_to_bytes

from starlette.types import Scope

_IN_SEGMENTS = "!$&'()*+,;=:@"  # what RFC 3986 lets stand in a path segment besides letters, digits and -._~


def encoded_path(scope: Scope) -> str:
    """The path, percent-encoded in the one normal form: `%61` is `a`, `%2f` stays what it is, as `%2F`."""
    path: str = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
    if "%" not in path:
        return path
    return "/".join(quote(unquote_to_bytes(segment), safe=_IN_SEGMENTS) for segment in path.split("/"))
