"""The hash chain: canonical form v1, written down in docs/verification.md for strangers."""

from hashlib import sha256
from typing import TYPE_CHECKING

import rfc8785

if TYPE_CHECKING:
    from app.domain.entry import Entry

CANONICAL_VERSION = 1


def genesis(book: str) -> bytes:
    """The hash before the first entry of a book."""
    return sha256(b"goodwill/1/" + book.encode()).digest()


def canonical_entry(entry: "Entry") -> bytes:
    """RFC 8785 bytes of the entry's array; times are integer microseconds UTC, hashes lower-case hex."""
    return rfc8785.dumps(
        [
            CANONICAL_VERSION,
            entry.position,
            str(entry.account_id),
            entry.sequence,
            str(entry.entry_id),
            entry.kind,
            entry.points,
            entry.balance_after,
            entry.value_at,
            entry.booked_at,
            entry.memory.value,
            entry.source,
            entry.external_id,
            entry.tariff_version,
            entry.api_key_id,
            None if entry.reverses is None else str(entry.reverses),
            sha256(entry.context.encode()).hexdigest(),
            sha256(entry.sealed).hexdigest(),
            None,
        ]
    )


def linked(previous: bytes, entry: "Entry") -> bytes:
    """The hash of an entry that follows the entry with hash `previous`."""
    return sha256(previous + canonical_entry(entry)).digest()
