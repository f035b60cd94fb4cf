"""Laws 1 to 3 as checks on an export alone, line by line: what anyone can say of a ledger without its database."""

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.domain.audit import Finding, Link, first_link, line_findings
from app.domain.audit_checkpoints import Covering
from app.domain.chain import CANONICAL_VERSION, canonical_line
from app.domain.erasure import ERASED
from app.domain.exported import EXPORT_VERSION
from app.domain.handed_over import Misshapen, is_base64, is_hash, is_text, is_whole, or_null, read_json, shaped
from app.domain.merging import MERGED_INTO
from app.domain.remembered import remembered_findings

HEAD = {"export": is_whole, "canonical": is_whole, "book": is_text, "position": is_whole, "hash": is_hash}
"""What the first line holds."""

ARRAY = {
    "position": is_whole,
    "account_id": is_text,
    "sequence": is_whole,
    "entry_id": is_text,
    "kind": is_text,
    "points": is_whole,
    "balance_after": is_whole,
    "value_at": is_whole,
    "booked_at": is_whole,
    "memory": is_text,
    "source": is_text,
    "external_id": or_null(is_text),
    "tariff_version": is_whole,
    "api_key_id": is_text,
    "reverses": or_null(is_text),
}
"""What canonical form 1 holds before the hashes, in its order."""

LINE = {
    **ARRAY,
    "context": is_text,
    "sealed": is_base64,
    "carried": or_null(is_text),
    "previous": is_hash,
    "hash": is_hash,
}
"""What the line of an entry holds."""


def canonical_of(line: Mapping[str, Any]) -> bytes:
    """The canonical bytes of an exported line."""
    sealed = base64.b64decode(line["sealed"])
    return canonical_line([line[name] for name in ARRAY], line["context"], sealed, line["carried"])


class NoExport(ValueError):
    """The file is no export."""


@dataclass(slots=True, kw_only=True)
class _Account:
    sequence: int = 0
    balance: int = 0
    is_erased: bool = False
    is_merged: bool = False


@dataclass(slots=True, kw_only=True)
class ExportAudit:
    """An export as far as it was read.

    `known` are the hashes that are remembered, by their positions, `stored` those that it has there; `covering` are the
    checkpoints that it is held against.
    """

    book: str
    position: int
    hash: str
    last: Link
    known: Mapping[int, bytes] = field(default_factory=dict[int, bytes])
    stored: dict[int, bytes] = field(default_factory=dict[int, bytes])
    accounts: dict[str, _Account] = field(default_factory=dict[str, _Account])
    covering: Covering = field(default_factory=Covering)

    @classmethod
    def begun(cls, given: bytes) -> "ExportAudit":
        """Begin with the first line. Raises NoExport."""
        try:
            head = shaped(read_json(given), HEAD)
        except Misshapen as error:
            raise NoExport(f"its first line is not that of an export: {error}") from error
        if (head["export"], head["canonical"]) != (EXPORT_VERSION, CANONICAL_VERSION):
            raise NoExport("it is of another form than 1")
        book: str = head["book"]
        return cls(book=book, position=head["position"], hash=head["hash"], last=first_link(book))

    def findings(self, given: bytes) -> list[Finding]:
        """What is wrong with the next line."""
        try:
            return [*self._in_line(shaped(read_json(given), LINE))]
        except Misshapen as error:
            where = f"position {self.last.position + 1}"
            return [Finding(law=3, where=where, what=f"It cannot be read: {error}.")]

    def ended(self) -> Iterator[Finding]:
        """What is wrong with the whole, once every line was read."""
        if (self.position, self.hash) != (self.last.position, self.last.hash.hex()):
            what = f"It says position {self.position} and hash {self.hash}; the last line is at {self.last.position}."
            yield Finding(law=3, where="the first line", what=what)
        yield from remembered_findings(self.known, self.stored, self.last.position)
        yield from self.covering.ended(self.last.position)

    def _in_line(self, line: dict[str, Any]) -> Iterable[Finding]:
        own = Link(line["position"], bytes.fromhex(line["hash"]), line["booked_at"])
        yield from line_findings(self.last, own, canonical_of(line))
        where = f"position {own.position}"
        if line["previous"] != self.last.hash.hex():
            yield Finding(law=3, where=where, what="Its previous is not the hash of the line before it.")
        yield from self._in_account(where, line)
        if own.position in self.known:
            self.stored[own.position] = own.hash
        self.last = own
        yield from self.covering.line(own.position, own.hash)

    def _in_account(self, where: str, line: dict[str, Any]) -> Iterator[Finding]:
        account = self.accounts.setdefault(line["account_id"], _Account())
        if line["sequence"] != account.sequence + 1:
            what = f"It is sequence {line['sequence']} of its account, and the one before it is {account.sequence}."
            yield Finding(law=1, where=where, what=what)
        if line["balance_after"] != account.balance + line["points"]:
            what = f"Its balance_after is {line['balance_after']}; {account.balance} and its points make another."
            yield Finding(law=2, where=where, what=what)
        if account.is_erased:
            yield Finding(law=2, where=where, what="Its account was erased before.")
        is_merge = line["kind"] == MERGED_INTO
        if account.is_merged and not (is_merge and line["reverses"]):
            yield Finding(law=2, where=where, what="Its account was merged into another before.")
        account.is_merged = is_merge and not line["reverses"]
        account.sequence, account.balance = line["sequence"], line["balance_after"]
        account.is_erased |= line["kind"] == ERASED
