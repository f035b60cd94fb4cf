"""Entity tags, and the headers that name them (RFC 9110, sections 8.8.3 and 13.1)."""

import re
from typing import Annotated

from fastapi import Header, Response

from app.api.json_answer import JsonAnswer
from app.domain.errors import Fault, IfMatchRequired, InvalidRequest

_TAG = r'(W/)?"[!#-~]*"'
_TAGS_PATTERN = rf"^(\*|{_TAG}([ \t]*,[ \t]*{_TAG})*)$"
_TAGS = re.compile(_TAGS_PATTERN[1:-1])
_OPAQUE = re.compile(r'"[!#-~]*"')
_MAY_BE_KEPT = (b"cache-control", b"private, no-cache")
_NO_VERSION = 0  # versions begin at 1

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description="needed: the ETag of the one in force, or several, or * for any",
        json_schema_extra={"pattern": _TAGS_PATTERN},
    ),
]


def tag_of(version: int) -> str:
    """The tag of a version of the tariff or of the policy."""
    return f'"{version}"'


def listed_tags(if_match: str | None) -> set[str]:
    """The tags of an If-Match header, or `*`; IfMatchRequired without one, InvalidRequest if it is malformed.

    A weak one counts: a proxy that compresses may have made it so.
    """
    if if_match is None:
        raise IfMatchRequired
    if not _TAGS.fullmatch(if_match):
        detail = "send *, or the ETags that you know, in quotes"
        raise InvalidRequest(faults=(Fault(pointer="/header/If-Match", code="text_invalid", detail=detail),))
    return _tags_in(if_match)


def expected_version(tags: set[str], in_force: int) -> int | None:
    """The version that has to be in force still when another is adopted, for If-Match with these tags; None for any."""
    if "*" in tags:
        return None
    return in_force if tag_of(in_force) in tags else _NO_VERSION


def tagged(body: bytes, tag: str, if_none_match: str | None) -> Response:
    """The JSON bytes under their tag; 304 if the caller has them."""
    headers = [(b"etag", tag.encode()), _MAY_BE_KEPT]
    if if_none_match is not None and _tags_in(if_none_match) & {tag, "*"}:
        return Response(status_code=304, headers={name.decode(): value.decode() for name, value in headers})
    return JsonAnswer(body, headers=headers)


def _tags_in(text: str) -> set[str]:
    return {"*"} if text.strip() == "*" else set(_OPAQUE.findall(text))
