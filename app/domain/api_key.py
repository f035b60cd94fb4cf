"""API keys: `gw_<book>_<secret>`; the first part of the secret names the key, the rest is hashed."""

import hmac
import re
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256

from app.domain.instant import Instant

KEY_ID_CHARACTERS = 12
SECRET_BYTES = 26  # 6 bytes name the key, 20 are secret
BOOK_PATTERN = r"^[a-z0-9-]{1,40}$"

_TOKEN = re.compile(r"gw_([a-z0-9-]{1,40})_([0-9a-f]{52})")


class Scope(StrEnum):
    """What a key may do. `admin` may do everything in its book."""

    INTERACTIONS_WRITE = "interactions:write"
    ACCOUNTS_READ = "accounts:read"
    WEBHOOKS_MANAGE = "webhooks:manage"
    RULES_MANAGE = "rules:manage"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as it is kept: never the secret, only its SHA-256."""

    book: str
    key_id: str
    name: str
    secret_hash: bytes = field(repr=False)
    scopes: tuple[Scope, ...]
    source: str | None
    created_at: Instant
    expires_at: Instant | None
    revoked_at: Instant | None

    def may(self, scope: Scope) -> bool:
        """Whether the key carries the scope."""
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def is_live(self, now: Instant) -> bool:
        """Whether the key is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A key as its holder presents it."""

    book: str
    secret: str = field(repr=False)

    @property
    def key_id(self) -> str:
        """The public part: what lists and entries show."""
        return self.secret[:KEY_ID_CHARACTERS]

    @property
    def text(self) -> str:
        """What is sent in the Authorization header."""
        return f"gw_{self.book}_{self.secret}"

    def secret_hash(self) -> bytes:
        """SHA-256 of the secret; its 160 random bits need no slow hash."""
        return sha256(self.secret.encode()).digest()


def parse_token(text: str) -> Token | None:
    """The token that a caller sent; None if it is not even shaped like one."""
    match = _TOKEN.fullmatch(text)
    return Token(book=match[1], secret=match[2]) if match else None


def opens(key: ApiKey | None, token: Token, now: Instant) -> bool:
    """Whether the token is this key's and the key is live; compared in constant time, also when there is none."""
    expected = key.secret_hash if key else bytes(32)
    is_same = hmac.compare_digest(expected, token.secret_hash())
    return is_same and key is not None and key.is_live(now)


def is_book_name(name: str) -> bool:
    """Whether a book may be called so: `test` would make its keys look like a sandbox's."""
    return re.fullmatch(BOOK_PATTERN, name) is not None and name != "test"
