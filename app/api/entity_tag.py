"""Entity tags, and the headers that name them (RFC 9110, sections 8.8.3 and 13.1)."""

import re

from fastapi import Response

from app.domain.errors import Fault, InvalidRequest

_TAG = r'(W/)?"[!#-~]*"'
TAGS_PATTERN = rf"^(\*|{_TAG}([ \t]*,[ \t]*{_TAG})*)$"  # for the OpenAPI document too
_TAGS = re.compile(TAGS_PATTERN[1:-1])
_OPAQUE = re.compile(r'"[!#-~]*"')


def listed_tags(if_match: str) -> set[str]:
    """The tags of an If-Match header, or `*`; InvalidRequest if it is malformed.

    A weak one counts: a proxy that compresses may have made it so.
    """
    if not _TAGS.fullmatch(if_match):
        detail = "send *, or the ETags that you know, in quotes"
        raise InvalidRequest(faults=(Fault(pointer="/header/If-Match", code="text_invalid", detail=detail),))
    return _tags_in(if_match)


def tagged(body: bytes, tag: str, if_none_match: str | None) -> Response:
    """The JSON bytes under their tag; 304 if the caller has them."""
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if _tags_in(if_none_match or "") & {tag, "*"}:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def _tags_in(text: str) -> set[str]:
    return {"*"} if text.strip() == "*" else set(_OPAQUE.findall(text))
