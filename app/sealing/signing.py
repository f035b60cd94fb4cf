"""Ed25519 (RFC 8032): a book's signing key, which the master key wraps, and what its public half is for."""

from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app.sealing.keys import Entropy, Key, MasterKey

SEED_BYTES = 32


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key, by the 32 bytes that it is made of."""

    seed: bytes = field(repr=False)

    @property
    def public_key(self) -> bytes:
        """Its public half, the raw 32 bytes."""
        return Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """The signature of a message, the raw 64 bytes."""
        return Ed25519PrivateKey.from_private_bytes(self.seed).sign(message)

    def wrapped(self, master_key: MasterKey, book: str, *, entropy: Entropy) -> bytes:
        """The key, sealed for its book and its public half."""
        return master_key.wrap(Key(self.seed), signing_place(book, self.public_key), entropy=entropy)


def new_signing_key(entropy: Entropy) -> SigningKey:
    """A fresh signing key."""
    return SigningKey(entropy(SEED_BYTES))


def unwrapped_signing_key(master_key: MasterKey, wrapped: bytes, book: str, public_key: bytes) -> SigningKey:
    """The key that was wrapped for its book; MasterKeyMismatch if no master key wrapped it there."""
    return SigningKey(master_key.unwrap(wrapped, signing_place(book, public_key)).secret)


def signing_place(book: str, public_key: bytes) -> str:
    """Where a book's signing key belongs."""
    return f"signing/{book}/{public_key.hex()}"


def is_signed(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the owner of the public key signed the message."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
