"""One verification of a live book: what it reads from, what it has found so far, and who is told how far it is."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.audit import CORRUPT, Finding
from app.domain.entry import Head
from app.domain.errors import InvalidPolicy
from app.domain.policy import Policy, PolicyHistory
from app.operations.audit_content import opened_book_key
from app.operations.ledger import Ledger, policy_history
from app.queries.audit import tariff_versions_of
from app.queries.books import head
from app.sealing.keys import Key

FINDINGS_KEPT_MAX = 100  # a book that is wrong all over needs no longer list; all are counted

Progress = Callable[[int, int], None]
"""Told the entries done and their total; each entry is done twice, in its ledger and in its account."""


def unwatched(_done: int, _total: int) -> None:
    """Nobody wants to know how far it is."""


@dataclass(slots=True, kw_only=True)
class Found:
    """What was found: all findings counted by law, the first of them kept; what was looked at.

    `last_line` has the position and the hash of the last line looked at, None where there was none.
    """

    lines: int = 0
    last_line: tuple[int, bytes] | None = None
    accounts: int = 0
    entries: int = 0
    findings: list[Finding] = field(default_factory=list[Finding])
    counts: Counter[int] = field(default_factory=Counter[int])

    def add(self, found: Iterable[Finding]) -> None:
        """Count the findings, and keep them while there is room."""
        for finding in found:
            self.counts[finding.law] += 1
            if len(self.findings) < FINDINGS_KEPT_MAX:
                self.findings.append(finding)

    def add_unreadable(self, law: int, where: str, error: Exception) -> None:
        """Something is stored there that no release ever wrote."""
        self.add([Finding(law=law, where=where, what=f"It cannot be read ({type(error).__name__}: {error}).")])

    def merge(self, other: "Found") -> None:
        """Add what was found in another part."""
        self.lines, self.last_line = self.lines + other.lines, other.last_line or self.last_line
        self.accounts, self.entries = self.accounts + other.accounts, self.entries + other.entries
        self.counts += other.counts
        self.findings += other.findings[: FINDINGS_KEPT_MAX - len(self.findings)]


@dataclass(slots=True, kw_only=True)
class Audit:
    """What a verification reads from, by which rules; and what it has found so far."""

    ledger: Ledger
    tx: AsyncConnection
    book: str
    head: Head | None = None
    own_key: Key | None = None
    policies: PolicyHistory = PolicyHistory.always(Policy())  # noqa: RUF009 - it is frozen
    tariffs: set[int] = field(default_factory=set[int])
    found: Found = field(default_factory=Found)


async def begun_audit(ledger: Ledger, tx: AsyncConnection, book: str) -> Audit:
    """The rules of a book as far as they can be read; what cannot is found."""
    audit = Audit(ledger=ledger, tx=tx, book=book, own_key=await opened_book_key(ledger, tx, book))
    if audit.own_key is None:
        what = "The master key does not open the book's key."
        audit.found.add([Finding(law=3, where="head", what=what)])
    try:
        audit.head = await head(tx, book)
        assert audit.head is not None
        audit.tariffs = await tariff_versions_of(tx, book)
        if audit.head.tariff_version not in audit.tariffs:
            what = "The version of the tariff that it names does not exist."
            audit.found.add([Finding(law=3, where="head", what=what)])
        audit.policies = await policy_history(ledger, tx, book, up_to=audit.head.policy_version)
    except (InvalidPolicy, *CORRUPT) as error:
        audit.found.add_unreadable(4, "head or the policy in force", error)
    return audit
