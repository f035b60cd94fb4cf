"""Three layers of keys: the master key wraps book and account keys; an account's key seals what is personal.

Sealed bytes are a random 96-bit nonce followed by AES-256-GCM ciphertext and tag; the associated data binds
them to their place, so that a blob moved elsewhere does not open.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.domain.errors import MasterKeyMismatch

MASTER_KEY_BYTES = 32
NONCE_BYTES = 12
KEY_BYTES = 64  # half for AES-GCM, half for HMAC-SHA-256

Entropy = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class MasterKey:
    """The key of the settings. It wraps other keys and touches no data.

    What it did not wrap `others` may open, each 32 bytes, while one master key replaces another.
    """

    secret: bytes = field(repr=False)
    others: tuple[bytes, ...] = field(default=(), repr=False)

    def wrap(self, key: "Key", place: str, *, entropy: Entropy) -> bytes:
        """The key, sealed for `place`."""
        return _seal(_master(self.secret), key.secret, place.encode(), entropy)

    def unwrap(self, wrapped: bytes, place: str) -> "Key":
        """The key that was wrapped for `place`; MasterKeyMismatch if neither this nor another master key wrapped it."""
        for secret in (self.secret, *self.others):
            try:
                return Key(_open(_master(secret), wrapped, place.encode()))
            except InvalidTag:
                continue
        raise MasterKeyMismatch

    def rewrapped(self, wrapped: bytes, place: str, *, entropy: Entropy) -> bytes | None:
        """The same key, wrapped by this master key; None if it is. MasterKeyMismatch as `unwrap` has it."""
        try:
            _open(_master(self.secret), wrapped, place.encode())
        except InvalidTag:
            return self.wrap(self.unwrap(wrapped, place), place, entropy=entropy)
        return None


@dataclass(frozen=True, slots=True)
class Key:
    """A book's or an account's key: seals, opens and authenticates."""

    secret: bytes = field(repr=False)

    def seal(self, plain: bytes, place: str, *, entropy: Entropy) -> bytes:
        """The bytes sealed for `place`."""
        return _seal(AESGCM(self.secret[:32]), plain, place.encode(), entropy)

    def open(self, sealed: bytes, place: str) -> bytes:
        """The bytes that were sealed for `place`; InvalidTag if they were altered or moved."""
        return _open(AESGCM(self.secret[:32]), sealed, place.encode())

    def digest(self, content: bytes) -> bytes:
        """HMAC-SHA-256 under this key, 32 bytes."""
        return hmac.digest(self.secret[32:], content, "sha256")


def new_key(entropy: Entropy) -> Key:
    """A fresh book or account key."""
    return Key(entropy(KEY_BYTES))


def book_place(book: str) -> str:
    """Where a book's key belongs."""
    return f"book/{book}"


def account_place(book: str, account_id: UUID) -> str:
    """Where an account's key belongs."""
    return f"account/{book}/{account_id}"


def name_place(book: str, account_id: UUID) -> str:
    """Where a customer's sealed name belongs."""
    return f"name/{book}/{account_id}"


def entry_place(book: str, entry_id: UUID) -> str:
    """Where an entry's sealed content belongs."""
    return f"entry/{book}/{entry_id}"


def message_place(book: str, message_id: UUID) -> str:
    """Where a message's sealed body belongs."""
    return f"message/{book}/{message_id}"


def attempt_place(book: str, subscription_id: UUID, message_id: UUID, ordinal: int) -> str:
    """Where the sealed excerpt of what one try was answered belongs."""
    return f"attempt/{book}/{subscription_id}/{message_id}/{ordinal}"


def subscription_place(book: str, subscription_id: UUID, field: str) -> str:
    """Where a subscription's sealed URL or secrets belong."""
    return f"subscription/{book}/{subscription_id}/{field}"


def _seal(cipher: AESGCM, plain: bytes, place: bytes, entropy: Entropy) -> bytes:
    nonce = entropy(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, place)


def _open(cipher: AESGCM, sealed: bytes, place: bytes) -> bytes:
    return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place)


@lru_cache(maxsize=4)
def _master(secret: bytes) -> AESGCM:
    """A master key's cipher, which opens a key for each posting: to make it takes longer than to open one."""
    return AESGCM(secret)
