"""A receipt: what proves that one customer's entries are on the ledger, without a word about anybody else."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.domain.chain import CANONICAL_VERSION
from app.domain.checkpoint import Checkpoint, checkpoint_shown
from app.domain.entry import Entry
from app.domain.exported import entry_exported

RECEIPT_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """An entry, the hash of the one before it in the book, and the path from its leaf to its checkpoint's root."""

    entry: Entry
    previous: bytes
    checkpoint: int
    path: Sequence[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Entries of one customer by position, the checkpoints that cover them, and the entries that none covers yet.

    They are of the customer's account and of those that are merged into it. `next_after` is the position after which
    there are more; None at the end.
    """

    book: str
    account_ids: Sequence[UUID]
    entries: Sequence[Proven]
    checkpoints: Sequence[Checkpoint]
    uncovered: Sequence[UUID]
    next_after: int | None


def receipt_shown(receipt: Receipt) -> dict[str, Any]:
    """A receipt in JSON."""
    return {
        "receipt": RECEIPT_VERSION,
        "canonical": CANONICAL_VERSION,
        "book": receipt.book,
        "accounts": [str(account_id) for account_id in receipt.account_ids],
        "entries": [
            {
                **entry_exported(each.entry, each.previous),
                "checkpoint": each.checkpoint,
                "path": [node.hex() for node in each.path],
            }
            for each in receipt.entries
        ],
        "checkpoints": [checkpoint_shown(each) for each in receipt.checkpoints],
        "uncovered": [str(entry_id) for entry_id in receipt.uncovered],
        "next_after": receipt.next_after,
    }
