"""A promise of the model (DESIGN 3, decision 11)."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.laws.model_account import Line

Step = tuple[int, int, str]
"""How late, what that costs in all, and how the step's line fades."""


@dataclass(slots=True, kw_only=True, eq=False)
class Promise:
    """What was agreed, and what became of it. `posted` are the lines of its steps, `told` those of its moves."""

    name: tuple[str, str]
    customer: str
    kind: str
    kept_kind: str
    due_at: int
    grace: int
    steps: tuple[Step, ...]
    kept: tuple[int, str]
    tariff_version: int
    made_at: int
    state: str = "open"
    posted: list[Line] = field(default_factory=list[Line])
    moves: list[Line] = field(default_factory=list[Line])
    settled_by: Line | None = None

    @property
    def is_settled(self) -> bool:
        """Whether nothing more becomes of it."""
        return self.settled_by is not None

    def due(self, by: int) -> list[tuple[int, "Promise", int]]:
        """The steps to be posted by then, and when each is."""
        if self.is_settled:
            return []
        waiting = range(len(self.posted) + 1, len(self.steps) + 1)
        dues = [(self.due_at + self.steps[n - 1][0] + self.grace, self, n) for n in waiting]
        return [due for due in dues if due[0] <= by]

    def standing(self, settled_at: int) -> int:
        """How many steps stand if it is settled then."""
        if settled_at <= self.due_at:
            return 0
        return sum(self.due_at + after <= settled_at for after, _, _ in self.steps)

    def shown_state(self, at: int) -> str:
        """The state at an instant."""
        return "overdue" if self.state == "open" and at > self.due_at else self.state

    def step_facts(self, n: int) -> dict[str, Any]:
        """What the line of a step says."""
        after, total, memory = self.steps[n - 1]
        before = self.steps[n - 2][1] if n > 1 else 0
        due = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.due_at)).isoformat()
        own_id = f"promise/{self.name[0]}/{self.name[1]}/{due.replace('+00:00', 'Z')}/{n}"
        return {
            "source": "goodwill",
            "own_id": own_id,
            "kind": self.kind,
            "points": total - before,
            "value_at": self.due_at + after,
            "memory": memory,
            "tariff_version": self.tariff_version,
            "content": {},
            "context": {"promise": self.name[1]},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is answered to something that is on the ledger now."""

    line: Line
    replayed: bool = False
    replacement: Line | None = None
    promise: Promise | None = None
