"""Opaque cursors: where a page ended, signed with the book's key, good for the list that it came from only."""

import base64
import binascii
import hmac
import json
from typing import Any

from app.domain.errors import Fault, InvalidRequest
from app.sealing.keys import Key

CURSOR_CHARACTERS_MAX = 1_000
_MAC_BYTES = 16


def encode_cursor(key: Key, listed: tuple[object, ...], place: list[Any]) -> str:
    """The cursor of a place in a list; `listed` says which list, down to its filters."""
    plain = json.dumps(place, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_mac(key, listed, plain) + plain).decode().rstrip("=")


def decode_cursor(key: Key, listed: tuple[object, ...], cursor: str) -> list[Any]:
    """The place of a cursor; InvalidRequest unless this very list handed it out."""
    try:
        signed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise invalid_cursor() from None
    mac, plain = signed[:_MAC_BYTES], signed[_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(key, listed, plain)):
        raise invalid_cursor()
    place: list[Any] = json.loads(plain)
    return place


def invalid_cursor() -> InvalidRequest:
    """What a cursor of another list is answered."""
    fault = Fault(pointer="/query/cursor", code="cursor_invalid", detail="send the next_cursor of the page before")
    return InvalidRequest(faults=(fault,))


def _mac(key: Key, listed: tuple[object, ...], plain: bytes) -> bytes:
    return key.digest(b"cursor/" + repr(listed).encode() + b"/" + plain)[:_MAC_BYTES]
