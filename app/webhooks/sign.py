"""Standard Webhooks (www.standardwebhooks.com): what is signed is `id.timestamp.body`, byte for byte."""

import base64
import hmac
import re
from collections.abc import Mapping, Sequence

from app.domain.instant import SECOND, Instant
from app.sealing.keys import Entropy

PREFIX = "whsec_"
KEY_BYTES_MIN, KEY_BYTES, KEY_BYTES_MAX = 24, 32, 64  # what the standard admits, and what is made here
TOLERANCE: Instant = 5 * 60 * SECOND
HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")

_MESSAGE_ID = re.compile(r"[!-\-/-~]+")  # visible ASCII; without the full stop that ends it in what is signed
_TIMESTAMP = re.compile(r"\d{1,12}", re.ASCII)


class InvalidSecret(ValueError):
    """A secret is `whsec_` and the base64 of 24 to 64 bytes."""


def new_secret(entropy: Entropy) -> str:
    """A fresh secret."""
    return PREFIX + base64.b64encode(entropy(KEY_BYTES)).decode()


def parse_secret(secret: str) -> bytes:
    """The key of a secret, 24 to 64 bytes; InvalidSecret if it is none."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except ValueError:  # not base64, or not even ASCII
        key = b""
    if not secret.startswith(PREFIX) or not KEY_BYTES_MIN <= len(key) <= KEY_BYTES_MAX:
        raise InvalidSecret(str(InvalidSecret.__doc__))
    return key


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """`v1,` and the base64 of the signature. `timestamp` in seconds; the id has no full stop and no white space."""
    assert _MESSAGE_ID.fullmatch(message_id)
    return "v1," + _signed(parse_secret(secret), message_id, str(timestamp), body)


def headers(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers of the standard; while a secret is being replaced, a signature by each, newest first."""
    assert secrets
    signatures = " ".join(signature(secret, message_id, timestamp, body) for secret in secrets)
    return dict(zip(HEADERS, (message_id, str(timestamp), signatures), strict=True))


def is_authentic(secret: str, received: Mapping[str, str], body: bytes, *, now: Instant) -> bool:
    """Whether these headers (names in lower case) prove that a holder of the secret sent the body within 5 minutes."""
    return doubt(secret, received, body, now=now) is None


def doubt(secret: str, received: Mapping[str, str], body: bytes, *, now: Instant) -> str | None:
    """What is wrong with the proof, in words about the request; None if it is authentic."""
    missing = [name for name in HEADERS if not received.get(name)]
    if missing:
        return f"it has no {' and no '.join(missing)}"
    message_id, timestamp, given = (received[name] for name in HEADERS)
    if not _TIMESTAMP.fullmatch(timestamp):
        return "its webhook-timestamp is no number of seconds"
    away = abs(now - int(timestamp) * SECOND)
    if away > TOLERANCE:
        return f"its webhook-timestamp is {away // SECOND:,} s from the clock here, and at most 300 s are taken"
    expected = b"v1," + _signed(parse_secret(secret), message_id, timestamp, body).encode()
    if not any(hmac.compare_digest(expected, token.encode()) for token in given.split()):
        return "its signature is not by this secret, or its body is not what was signed"
    return None


def _signed(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    content = f"{message_id}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.digest(key, content, "sha256")).decode()
