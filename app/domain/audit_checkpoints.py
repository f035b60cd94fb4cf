"""Checkpoints held against each other, against whom one trusts, and against the lines of a ledger: law 3."""

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from app.domain.audit import Finding
from app.domain.checkpoint import Checkpoint, IsSigned, first_previous, key_text
from app.domain.merkle import Growing, root_of


def row_findings(
    checkpoints: Iterable[Checkpoint],
    book: str,
    *,
    is_signed: IsSigned,
    trusted: Collection[bytes],
    before: Checkpoint | None = None,
) -> Iterator[Finding]:
    """What is wrong with checkpoints in order, by themselves; they may begin anywhere, or after the one `before`.

    If no key is `trusted`, all have to be of the first one's.
    """
    for each in checkpoints:
        trusted = trusted or (each.public_key,)
        said = (*signature_said(each, book, is_signed=is_signed, trusted=trusted), *_order_said(each, before))
        yield from (Finding(law=3, where=f"checkpoint {each.number}", what=what) for what in said)
        before = each


def signature_said(each: Checkpoint, book: str, *, is_signed: IsSigned, trusted: Collection[bytes]) -> Iterator[str]:
    """What is wrong with a checkpoint by itself."""
    if each.book != book:
        yield f"It is of book {each.book}."
    if each.size < 1:
        yield "It covers no entry."
    if not is_signed(each.public_key, each.signature, each.signed_bytes):
        yield "Its signature does not hold."
    if each.public_key not in trusted:
        yield f"It is signed by the key {key_text(each.public_key)}, which is not trusted."


def _order_said(each: Checkpoint, before: Checkpoint | None) -> Iterator[str]:
    if before is None:
        if each.number == 1 and (each.since, each.previous) != (0, first_previous(each.book)):
            yield "It is the first one, yet it follows another."
        return
    if each.number != before.number + 1:
        yield f"The one before it is checkpoint {before.number}."
    elif (each.since, each.previous) != (before.position, before.own_hash):
        yield f"It does not follow checkpoint {before.number} as that stands."
    if each.signed_at < before.signed_at:
        yield "It is signed earlier than the one before it."


@dataclass(slots=True)
class Covering:
    """Checkpoints by number that wait for the lines that they cover, which come by position."""

    waiting: deque[Checkpoint] = field(default_factory=deque[Checkpoint])
    tree: Growing = field(default_factory=Growing)

    def line(self, position: int, own: bytes) -> Iterator[Finding]:
        """What the next line's hash shows."""
        while self.waiting and self.waiting[0].position < position:
            yield from self._missing(self.waiting[0].position, "which is not there")
        if not self.waiting or position <= self.waiting[0].since:
            return
        self.tree.add(own)
        if position == self.waiting[0].position:
            yield from self._closed(self.waiting.popleft(), own)

    def ended(self, last: int) -> Iterator[Finding]:
        """What is left, once the line at position `last` was the last."""
        while self.waiting:
            what = f"which is gone; the last line is at position {last}: the tail was cut, or this is an older state"
            yield from self._missing(self.waiting[0].position, what)

    def _missing(self, position: int, what: str) -> Iterator[Finding]:
        checkpoint = self.waiting.popleft()
        self.tree = Growing()
        yield Finding(law=3, where=f"checkpoint {checkpoint.number}", what=f"It covers position {position}, {what}.")

    def _closed(self, checkpoint: Checkpoint, own: bytes) -> Iterator[Finding]:
        branches, self.tree = self.tree.branches, Growing()
        where = f"checkpoint {checkpoint.number}"
        if own != checkpoint.hash:
            what = f"Position {checkpoint.position} has another hash than it says: the ledger was written anew."
            yield Finding(law=3, where=where, what=what)
        if root_of(branches) != checkpoint.root:
            what = f"Its root is not that of the entries after position {checkpoint.since}."
            yield Finding(law=3, where=where, what=what)
