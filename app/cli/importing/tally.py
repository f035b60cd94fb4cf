"""What an import came to, and how fast."""

import time
from dataclasses import dataclass, field

from app.domain.errors import InteractionConflict, Refusal
from app.operations.outcome import Posted


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counts of rows. `read` is the sum of created, replayed, conflict, refused and skipped once all are settled.

    `shifted` local times never occurred; `unordered` rows of a replay lay before what was booked already.
    """

    read: int = 0
    created: int = 0
    replayed: int = 0
    conflict: int = 0
    refused: int = 0
    skipped: int = 0
    shifted: int = 0
    unordered: int = 0
    began: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        """Since the import began."""
        return time.perf_counter() - self.began

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.read / max(self.seconds, 1e-6)

    def reject(self, refusal: Refusal) -> None:
        """Count a row that was not posted."""
        if isinstance(refusal, InteractionConflict):
            self.conflict += 1
        else:
            self.refused += 1

    def post(self, outcome: Posted, *, is_replay: bool) -> None:
        """Count a row that is on the ledger."""
        if outcome.replayed:
            self.replayed += 1
        else:
            self.created += 1
            self.unordered += is_replay and outcome.entry.booked_at > outcome.entry.value_at

    @property
    def rows(self) -> dict[str, int]:
        """Rows by what became of them."""
        return {name: getattr(self, name) for name in ("read", "created", "replayed", "conflict", "refused", "skipped")}

    def lines(self) -> list[str]:
        """The summary, for people and for `grep`."""
        told = [f"{name:<9}{count:>10,}" for name, count in self.rows.items()]
        told.append(f"{self.shifted:,} local times never occurred and were shifted forward")
        if self.unordered:
            told.append(f"{self.unordered:,} rows lay before what was booked already: they are booked when that was")
        told.append(f"{self.seconds:,.1f} seconds, {self.rate:,.0f} rows/s")
        return told
