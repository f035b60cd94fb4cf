"""The hash chain: canonical form v1, written down in docs/verification.md for strangers."""

from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, cast

from app.domain.plain_json import plain_json

if TYPE_CHECKING:
    from app.domain.entry import Entry

CANONICAL_VERSION = 1


def genesis(book: str) -> bytes:
    """The hash before the first entry of a book."""
    return sha256(b"goodwill/1/" + book.encode()).digest()


def canonical_entry(entry: "Entry") -> bytes:
    """RFC 8785 bytes of the entry's array; times are integer microseconds UTC, hashes lower-case hex."""
    array: list[int | str | None] = [
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
    ]
    return canonical_line(array, entry.context, entry.sealed, entry.carried)


def canonical_line(array: Sequence[int | str | None], context: str, sealed: bytes, carried: str | None = None) -> bytes:
    """The same of what stands between the version and the hashes; ValueError for what has no bytes in this form."""
    texts = [plain_json(each) for each in array]
    if None in texts:
        raise ValueError("a number that canonical form 1 has no bytes for")
    moved = "null" if carried is None else f'"{sha256(carried.encode()).hexdigest()}"'
    hashes = f'"{sha256(context.encode()).hexdigest()}","{sha256(sealed).hexdigest()}",{moved}'
    return f"[{','.join([str(CANONICAL_VERSION), *cast('list[str]', texts), hashes])}]".encode()


def linked(previous: bytes, entry: "Entry") -> bytes:
    """The hash of an entry that follows the entry with hash `previous`."""
    return sha256(previous + canonical_entry(entry)).digest()
