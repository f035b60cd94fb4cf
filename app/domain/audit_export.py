"""Laws 1 to 3 as checks on an export alone, line by line: what anyone can say of a ledger without its database."""

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.domain.audit import CORRUPT, Finding, Link, first_link, line_findings
from app.domain.audit_checkpoints import Covering
from app.domain.chain import CANONICAL_VERSION, canonical_line
from app.domain.erasure import ERASED
from app.domain.merging import MERGED_INTO
from app.domain.remembered import remembered_findings

ARRAY = (
    *("position", "account_id", "sequence", "entry_id", "kind", "points", "balance_after", "value_at", "booked_at"),
    *("memory", "source", "external_id", "tariff_version", "api_key_id", "reverses"),
)
"""What canonical form 1 holds before the hashes, in its order."""


def canonical_of(line: Mapping[str, Any]) -> bytes:
    """The canonical bytes of an exported line; one of CORRUPT, or binascii.Error, is raised for what is none."""
    sealed = base64.b64decode(line["sealed"], validate=True)
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
    def begun(cls, text: str) -> "ExportAudit":
        """Begin with the first line. Raises NoExport."""
        try:
            head: dict[str, Any] = json.loads(text)
            book, position, own = str(head["book"]), int(head["position"]), str(head["hash"])
        except (ValueError, LookupError, TypeError) as error:
            raise NoExport("its first line is not that of an export") from error
        if head.get("canonical") != CANONICAL_VERSION:
            raise NoExport("it is of another canonical form than 1")
        return cls(book=book, position=position, hash=own, last=first_link(book))

    def findings(self, text: str) -> list[Finding]:
        """What is wrong with the next line."""
        where = f"position {self.last.position + 1}"
        try:
            line: dict[str, Any] = json.loads(text)
            return [*self._in_line(line)]
        except (*CORRUPT, binascii.Error) as error:
            return [Finding(law=3, where=where, what=f"It cannot be read ({type(error).__name__}).")]

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
