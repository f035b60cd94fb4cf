"""API keys: `gw_<book>_<secret>`; the first part of the secret names the key, the rest is hashed.

A sandbox is a book called `test_<name>`, so that its keys say what they are: `gw_test_<name>_<secret>`.
"""

import hmac
import re
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256

from app.domain.instant import Instant

KEY_ID_CHARACTERS = 12
SECRET_BYTES = 26  # 6 bytes name the key, 20 are secret
SANDBOX_PREFIX = "test_"  # no other book's name holds an underscore
BOOK_NAMES = "A book's name is 1 to 40 of a-z, 0-9 and -, but not test; a sandbox's is test_ and up to 35 of them."

_BOOK = re.compile(r"[a-z0-9-]{1,40}|test_[a-z0-9-]{1,35}")
_TOKEN = re.compile(rf"gw_({_BOOK.pattern})_([0-9a-f]{{52}})")


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

    def may(self, *any_of: Scope) -> bool:
        """Whether the key carries one of the scopes."""
        return Scope.ADMIN in self.scopes or any(scope in self.scopes for scope in any_of)

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
    return _BOOK.fullmatch(name) is not None and name.removeprefix(SANDBOX_PREFIX) != "test"


def is_sandbox(book: str) -> bool:
    """Whether the book is a sandbox: its clock can be moved, and it can be emptied."""
    return book.startswith(SANDBOX_PREFIX)


def sandbox_of(name: str) -> str:
    """The book that is the sandbox of that name, whether or not the name says so itself."""
    return SANDBOX_PREFIX + name.removeprefix(SANDBOX_PREFIX)
