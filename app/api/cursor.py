"""Opaque cursors: where a page ended, in base64url JSON."""

import base64
import binascii
import json
from typing import Any

from app.domain.errors import Fault, InvalidRequest

CURSOR_CHARACTERS_MAX = 1_000


def encode_cursor(place: dict[str, Any]) -> str:
    """The cursor of a place."""
    return base64.urlsafe_b64encode(json.dumps(place, separators=(",", ":")).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, shape: dict[str, type | tuple[type, ...]]) -> dict[str, Any]:
    """The place of a cursor; InvalidRequest unless it has exactly these fields of these types."""
    try:
        place = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        raise invalid_cursor() from None
    if not isinstance(place, dict) or place.keys() != shape.keys():
        raise invalid_cursor()
    if not all(isinstance(place[name], kind) and not _is_huge(place[name]) for name, kind in shape.items()):
        raise invalid_cursor()
    return place


def invalid_cursor() -> InvalidRequest:
    """The refusal of a cursor that no page here handed out."""
    fault = Fault(pointer="/query/cursor", code="cursor_invalid", detail="send the next_cursor of the page before")
    return InvalidRequest(faults=(fault,))


def _is_huge(value: Any) -> bool:
    return isinstance(value, bool) or (isinstance(value, int | float) and not abs(value) < 2**62)
