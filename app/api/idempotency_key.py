"""The Idempotency-Key header: it serves as the interaction's id where the body has none."""

import re
from typing import Annotated

from fastapi import Depends, Header, Request

from app.domain.errors import Fault, InvalidRequest
from app.domain.interaction import IDENTIFIER_CHARACTERS_MAX

IDEMPOTENCY_KEY = "Idempotency-Key"
_DESCRIPTION = (
    "serves as the interaction's id where the body has none; then one line of 1 to "
    f"{IDENTIFIER_CHARACTERS_MAX} printable ASCII characters. Not looked at where the body has one"
)
_PRINTABLE = re.compile(r"[ -~]*")


def _sent(
    request: Request, _documented: Annotated[str | None, Header(alias=IDEMPOTENCY_KEY, description=_DESCRIPTION)] = None
) -> list[str]:
    return request.headers.getlist(IDEMPOTENCY_KEY)


IdempotencyKeys = Annotated[list[str], Depends(_sent)]


def the_one_key(lines: list[str]) -> str | None:
    """The key among the header's lines, None if there is no line; InvalidRequest unless it is one good one."""
    if len(lines) > 1:
        raise _refused("repeated", "send this header once")
    if not lines:
        return None
    if not lines[0]:
        raise _refused("too_short", "send at least 1 character")
    if len(lines[0]) > IDENTIFIER_CHARACTERS_MAX:
        raise _refused("too_long", f"send at most {IDENTIFIER_CHARACTERS_MAX} characters")
    if not _PRINTABLE.fullmatch(lines[0]):
        raise _refused("text_invalid", "send printable ASCII characters")
    return lines[0]


def _refused(code: str, detail: str) -> InvalidRequest:
    return InvalidRequest(faults=(Fault(pointer=f"/header/{IDEMPOTENCY_KEY}", code=code, detail=detail),))
