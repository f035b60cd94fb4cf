"""One verification of a live book: what it reads from, what it has found so far, and who is told how far it is."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.audit import Finding
from app.domain.entry import Head
from app.domain.policy import Policy, PolicyHistory
from app.operations.ledger import Ledger
from app.sealing.keys import Key

FINDINGS_KEPT_MAX = 100  # a book that is wrong all over needs no longer list; all are counted
PROGRESS_EVERY = 500

Progress = Callable[[int, int], None]
"""Told the entries done and their total; each entry is done twice, in its ledger and in its account."""


def unwatched(_done: int, _total: int) -> None:
    """Nobody wants to know how far it is."""


@dataclass(slots=True, kw_only=True)
class Audit:
    """One verification: what it reads from, and what it has found so far."""

    ledger: Ledger
    tx: AsyncConnection
    book: str
    total: int
    progress: Progress
    head: Head | None = None
    policies: PolicyHistory = PolicyHistory.always(Policy())  # noqa: RUF009 - it is frozen
    own_key: Key | None = None
    tariffs: set[int] = field(default_factory=set[int])
    accounts: int = 0
    done: int = 0
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

    def step(self) -> None:
        """One entry more is done."""
        self.done += 1
        if self.done % PROGRESS_EVERY == 0 or self.done == self.total:
            self.progress(self.done, self.total)
