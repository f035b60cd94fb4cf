"""A receipt held against the public keys that one trusts: what anyone can say of it without the ledger."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from app.domain.audit import Finding
from app.domain.audit_checkpoints import signature_said
from app.domain.audit_export import LINE, canonical_of
from app.domain.chain import CANONICAL_VERSION
from app.domain.checkpoint import Checkpoint, IsSigned, parsed_checkpoint
from app.domain.handed_over import Misshapen, is_hash, is_text, is_whole, list_of, or_null, read_json, shaped
from app.domain.merkle import leaf_of, root_by
from app.domain.receipt import RECEIPT_VERSION

SHAPE = {
    "receipt": is_whole,
    "canonical": is_whole,
    "book": is_text,
    "accounts": list_of(is_text),
    "entries": list_of(lambda _: True),
    "checkpoints": list_of(lambda _: True),
    "uncovered": list_of(is_text),
    "next_after": or_null(is_whole),
}
"""What a receipt holds."""

ENTRY = {**LINE, "checkpoint": is_whole, "path": list_of(is_hash)}
"""What each of its entries holds."""


class NoReceipt(ValueError):
    """The file is no receipt."""


@dataclass(slots=True, kw_only=True)
class ReceiptAudit:
    """A receipt as far as it was looked at: `last` are sequence and balance of each account."""

    book: str
    accounts: set[str]
    entries: Sequence[Mapping[str, Any]]
    checkpoints: dict[int, Checkpoint]
    uncovered: int
    last: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]], init=False)

    @classmethod
    def begun(cls, given: bytes) -> "ReceiptAudit":
        """Read a receipt. Raises NoReceipt."""
        try:
            shown = shaped(read_json(given), SHAPE)
            if (shown["receipt"], shown["canonical"]) != (RECEIPT_VERSION, CANONICAL_VERSION):
                raise NoReceipt("it is of another form than 1")
            entries = [shaped(each, ENTRY) for each in shown["entries"]]
            checkpoints = [parsed_checkpoint(each) for each in shown["checkpoints"]]
        except Misshapen as error:
            raise NoReceipt(f"it is no receipt: {error}") from error
        if not entries:
            raise NoReceipt("it proves nothing: there is no entry in it that a checkpoint covers")
        by_number = {each.number: each for each in checkpoints}
        if len(by_number) < len(checkpoints):
            raise NoReceipt("it is no receipt: two of its checkpoints have one number")
        return cls(
            book=shown["book"],
            accounts=set(shown["accounts"]),
            entries=entries,
            checkpoints=by_number,
            uncovered=len(shown["uncovered"]),
        )

    def findings(
        self, *, is_signed: IsSigned, trusted: Collection[bytes], kept: Mapping[int, Checkpoint]
    ) -> Iterator[Finding]:
        """What is wrong with it. A checkpoint is `kept` by its number; of the others nothing is held against it.

        If no key is `trusted`, all have to be of the first one's.
        """
        for number, each in self.checkpoints.items():
            trusted = trusted or (each.public_key,)
            said = list(signature_said(each, self.book, is_signed=is_signed, trusted=trusted))
            if number in kept and kept[number].own_hash != each.own_hash:
                said.append("It is another than the one that was kept.")
            yield from (Finding(law=3, where=f"checkpoint {number}", what=what) for what in said)
        for line in self.entries:
            where = f"position {line['position']}"
            yield from (Finding(law=law, where=where, what=what) for law, what in self._in_line(line))

    def _in_line(self, line: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
        own = bytes.fromhex(line["hash"])
        if sha256(bytes.fromhex(line["previous"]) + canonical_of(line)).digest() != own:
            yield 3, "Its hash is not that of the line before it and its own content."
        if line["account_id"] not in self.accounts:
            yield 3, f"It is of account {line['account_id']}, of which it does not speak."
        if not self._is_covered(line, own):
            yield 3, f"Its path does not lead to the root of checkpoint {line['checkpoint']}."
        yield from self._in_account(line)

    def _is_covered(self, line: Mapping[str, Any], own: bytes) -> bool:
        over = self.checkpoints.get(line["checkpoint"])
        if over is None:
            return False
        path = [bytes.fromhex(node) for node in line["path"]]
        return root_by(leaf_of(own), line["position"] - over.since - 1, over.size, path) == over.root

    def _in_account(self, line: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
        """The first one may be any: a receipt comes in pages."""
        whose, sequence, balance = line["account_id"], line["sequence"], line["balance_after"]
        before, had = self.last.get(whose, (sequence - 1, balance - line["points"]))
        self.last[whose] = sequence, balance
        if sequence != before + 1:
            yield 1, f"It is sequence {sequence} of its account, and the one before it is {before}."
        if balance != had + line["points"]:
            yield 2, f"Its balance_after is {balance}; {had} and its points make another."
