"""A checkpoint: where a book stood, signed, so that whoever keeps it can tell later that nothing before it was changed.

`docs/verification.md` describes its form for strangers. It holds nothing personal.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from app.domain.chain import genesis
from app.domain.handed_over import Kind, Misshapen, is_base64, is_hash, is_text, is_whole, read_json, shaped
from app.domain.instant import Instant, instant_of, wire_time
from app.domain.interaction import canonical

CHECKPOINT_VERSION = 1
ENTRIES_MAX = 100_000  # of one checkpoint: their hashes are held at once
_DOMAIN = f"goodwill-checkpoint/{CHECKPOINT_VERSION}"

SHAPE: dict[str, Kind] = {
    **dict.fromkeys(("checkpoint", "number", "since", "position", "policy_version"), is_whole),
    **dict.fromkeys(("previous", "hash", "root", "policy_hash"), is_hash),
    "book": is_text,
    "signed_at": lambda value: is_text(value) and _is_wire_time(value),
    "public_key": lambda value: is_text(value) and _is_key(value),
    "signature": is_base64,
}
"""What a checkpoint holds in JSON."""

IsSigned = Callable[[bytes, bytes, bytes], bool]
"""Whether a public key's owner signed it: the public key, the signature and what was signed."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When a checkpoint is due: after so many entries, or if there is any so many minutes after the last one."""

    entries: int = 10_000
    minutes: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What is signed: that the entries after position `since` up to `position` are the leaves below `root`.

    `hash` is that of the entry at `position`, `previous` that of the checkpoint before, of the first one the book's
    genesis hash; `policy_hash` that of the policy in force when it was signed. The key is the raw 32 bytes of Ed25519.
    """

    book: str
    number: int
    since: int
    previous: bytes
    position: int
    hash: bytes
    root: bytes
    policy_version: int
    policy_hash: bytes
    signed_at: Instant
    public_key: bytes

    @property
    def signed_bytes(self) -> bytes:
        """RFC 8785 bytes of the array of its fields as they are shown."""
        return canonical_array([_DOMAIN, *statement_shown(self).values()])

    @property
    def own_hash(self) -> bytes:
        """What the next one names as `previous`."""
        return sha256(self.signed_bytes).digest()

    @property
    def size(self) -> int:
        """How many entries it covers."""
        return self.position - self.since


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint(Statement):
    """A statement, and the signature of its signed bytes: the raw 64 bytes of Ed25519."""

    signature: bytes


def policy_hash_of(document: Any) -> bytes:
    """The hash of a policy: of its document's RFC 8785 bytes."""
    return sha256(canonical(document)).digest()


def first_previous(book: str) -> bytes:
    """What the first checkpoint of a book follows."""
    return genesis(book)


def statement_shown(statement: Statement) -> dict[str, Any]:
    """The fields in their order: hashes in lower-case hex, the key in base64url as in a JWK, the time in RFC 3339."""
    return {
        "book": statement.book,
        "number": statement.number,
        "since": statement.since,
        "previous": statement.previous.hex(),
        "position": statement.position,
        "hash": statement.hash.hex(),
        "root": statement.root.hex(),
        "policy_version": statement.policy_version,
        "policy_hash": statement.policy_hash.hex(),
        "signed_at": wire_time(statement.signed_at),
        "public_key": key_text(statement.public_key),
    }


def checkpoint_shown(checkpoint: Checkpoint) -> dict[str, Any]:
    """A checkpoint in JSON, the same wherever it is shown; the signature in base64."""
    signature = base64.b64encode(checkpoint.signature).decode()
    return {"checkpoint": CHECKPOINT_VERSION, **statement_shown(checkpoint), "signature": signature}


def parsed_checkpoint(value: Any) -> Checkpoint:
    """The checkpoint that is shown so; Misshapen for what is none."""
    shown = shaped(value, SHAPE)
    if shown["checkpoint"] != CHECKPOINT_VERSION:
        raise Misshapen("it is a checkpoint of another form than 1")
    return Checkpoint(
        book=shown["book"],
        number=shown["number"],
        since=shown["since"],
        previous=bytes.fromhex(shown["previous"]),
        position=shown["position"],
        hash=bytes.fromhex(shown["hash"]),
        root=bytes.fromhex(shown["root"]),
        policy_version=shown["policy_version"],
        policy_hash=bytes.fromhex(shown["policy_hash"]),
        signed_at=instant_of(datetime.fromisoformat(shown["signed_at"])),
        public_key=key_of(shown["public_key"]),
        signature=base64.b64decode(shown["signature"]),
    )


def read_checkpoint(given: bytes) -> Checkpoint:
    """The checkpoint of a line of JSON, by itself or as the `data` of a message; Misshapen for what is none."""
    value = read_json(given)
    return parsed_checkpoint(value["data"] if type(value) is dict and "data" in value else value)


def key_text(public_key: bytes) -> str:
    """A public key as text: 43 characters of base64url, the `x` of its JWK (RFC 8037)."""
    return base64.urlsafe_b64encode(public_key).decode().rstrip("=")


def key_of(text: str) -> bytes:
    """The public key of its text; ValueError if it is none."""
    public_key = base64.b64decode(f"{text}=", altchars=b"-_", validate=True)
    if len(public_key) != 32 or key_text(public_key) != text:
        raise ValueError("a public key is 43 characters of base64url")
    return public_key


def canonical_array(values: list[Any]) -> bytes:
    """RFC 8785 bytes of an array of plain values."""
    return b"[" + b",".join(canonical(each) for each in values) + b"]"


def _is_wire_time(text: str) -> bool:
    """Whether a time is written as the wire shows it, and in no other of the ways of RFC 3339."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return False
    return moment.tzinfo is not None and wire_time(instant_of(moment)) == text


def _is_key(text: str) -> bool:
    try:
        return bool(key_of(text))
    except ValueError:
        return False
