"""`goodwill verify` of an export, of checkpoints or of a receipt by themselves: without any database or setting."""

import sys
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from app.cli.checkpoint_files import read_checkpoints, signed_by, trusted_keys
from app.cli.remembering import HeadsFile
from app.cli.session import fail
from app.domain.audit import LAWS, Finding
from app.domain.audit_checkpoints import Covering, row_findings
from app.domain.audit_export import ExportAudit, NoExport
from app.domain.audit_receipt import NoReceipt, ReceiptAudit
from app.domain.checkpoint import Checkpoint
from app.sealing.signing import is_signed

CHECKED = (1, 2, 3)  # the other laws are about what is stored beside the ledger
TOLD_MAX = 100


@dataclass(frozen=True, slots=True)
class Files:
    """What is to be verified, and held against it: each a file, `-` for standard input; `keys` are trusted."""

    export: Path | None
    receipt: Path | None
    checkpoints: Path | None
    keys: Sequence[str]

    @property
    def are_given(self) -> bool:
        """Whether there is any."""
        return any((self.export, self.receipt, self.checkpoints, self.keys))


def verify_files(files: Files, remembered: HeadsFile | None) -> bool:
    """Check what is given, the export perhaps against remembered heads, and report; whether all is sound."""
    named = files.export or files.receipt
    if files.keys and not (files.receipt or files.checkpoints):
        fail("--key goes with what is signed: checkpoints or a receipt")
    kept, trusted = read_checkpoints(files.checkpoints) if files.checkpoints else [], trusted_keys(files.keys)
    if named is None:
        return _verified_checkpoints(kept, trusted)
    try:
        with nullcontext(sys.stdin.buffer) if str(named) == "-" else named.open("rb") as file:
            if files.export is not None:
                return _verified_export(file, remembered, kept, trusted)
            return _verified_receipt(file, kept, trusted)
    except OSError as error:
        fail(f"{named}: {error.strerror}")
    except (NoExport, NoReceipt) as error:
        fail(f"{named}: {error}")


def _verified_export(
    file: BinaryIO, remembered: HeadsFile | None, kept: list[Checkpoint], trusted: Sequence[bytes]
) -> bool:
    audit = ExportAudit.begun(file.readline())
    audit.known = remembered.of(audit.book).hashes if remembered else {}
    audit.covering = Covering(deque(kept))
    found = _Verdict.of(chain(_of_row(kept, audit.book, trusted), _of_lines(audit, file), audit.ended()))
    print(f"export of book {audit.book}: {audit.last.position:,} entries, {len(audit.accounts):,} accounts")
    after = audit.last.position - kept[-1].position if kept else audit.last.position
    return found.told([*_row_said(kept, trusted, after)], f"sound: position {audit.position:,}, hash {audit.hash}")


def _verified_checkpoints(kept: list[Checkpoint], trusted: Sequence[bytes]) -> bool:
    found = _Verdict.of(_of_row(kept, kept[0].book, trusted))
    print(f"checkpoints of book {kept[0].book}: {len(kept):,}")
    said = f"sound: checkpoint {kept[-1].number:,}, position {kept[-1].position:,}, hash {kept[-1].hash.hex()}"
    return found.told([*_row_said(kept, trusted, None)], said)


def _verified_receipt(file: BinaryIO, kept: list[Checkpoint], trusted: Sequence[bytes]) -> bool:
    audit = ReceiptAudit.begun(file.read())
    by_number = {each.number: each for each in kept}
    trusted = trusted or [each.public_key for each in kept[:1]]
    receipt = audit.findings(is_signed=is_signed, trusted=trusted, kept=by_number)
    found = _Verdict.of(chain(_of_row(kept, audit.book, trusted), receipt))
    print(
        f"receipt of book {audit.book}: {len(audit.entries):,} entries of account {', '.join(sorted(audit.accounts))}"
    )
    said = [f"  {audit.uncovered:,} more that no checkpoint covers yet"] if audit.uncovered else []
    return found.told([*said, *signed_by([*audit.checkpoints.values()], trusted)], "sound: they are on the ledger")


def _of_row(kept: list[Checkpoint], book: str, trusted: Sequence[bytes]) -> Iterator[Finding]:
    return row_findings(kept, book, is_signed=is_signed, trusted=trusted)


def _of_lines(audit: ExportAudit, file: BinaryIO) -> Iterator[Finding]:
    for line in file:
        yield from audit.findings(line)


def _row_said(kept: list[Checkpoint], trusted: Sequence[bytes], after: int | None) -> Iterator[str]:
    """Which checkpoints there are, who signed them, and how many entries came after."""
    if kept:
        yield f"  checkpoints {kept[0].number:,} to {kept[-1].number:,}, up to position {kept[-1].position:,}"
        yield from signed_by(kept, trusted)
    if kept and after and after > 0:
        yield f"  {after:,} entries after it are covered by none"


@dataclass(frozen=True, slots=True)
class _Verdict:
    """All findings counted by law, the first of them kept."""

    broken: Counter[int]
    findings: list[Finding]

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> "_Verdict":
        """Look through the findings once."""
        verdict = cls(Counter(), [])
        for found in findings:
            verdict.broken[found.law] += 1
            verdict.findings.extend([found] if len(verdict.findings) < TOLD_MAX else [])
        return verdict

    def told(self, facts: Iterable[str], sound: str) -> bool:
        """Print the laws, the facts and the findings; whether it is sound."""
        for law in CHECKED:
            said = f"{self.broken[law]:,} broken" if self.broken[law] else "ok"
            print(f"  law {law}  {said:<12} {LAWS[law]}")
        for line in facts:
            print(line)
        for found in self.findings:
            print(f"  law {found.law}, {found.where}: {found.what}")
        if self.broken.total() > len(self.findings):
            print(f"  … and {self.broken.total() - len(self.findings):,} more")
        print("  NOT SOUND" if self.broken else f"  {sound}")
        return not self.broken
