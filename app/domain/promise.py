"""A promise: a commitment to a customer with a due time. What is due of it, and what stands.

Its terms are fixed when it is made; what happens to it is entries (`promise_fold`). Spans of time are whole
microseconds, as instants are.
"""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from app.domain.instant import Instant, moment_of
from app.domain.policy import Memory

PromiseName = tuple[str, str]
"""The reporter's source and id."""

STEP_PREFIX = "promise/"
"""How the external ids of step entries begin; their source is the system's own."""


class State(StrEnum):
    """Where a promise is. `overdue` is never stored: it is an open promise whose due time has passed."""

    OPEN = "open"
    OVERDUE = "overdue"
    BROKEN = "broken"
    KEPT = "kept"
    WITHDRAWN = "withdrawn"


SETTLED = frozenset({State.KEPT, State.WITHDRAWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """So many points in all (`total`) once the promise is `after` past its due time; how that step's entry fades."""

    after: int
    total: int
    memory: Memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a miss and a keeping are worth, as the tariff of `tariff_version` said when the promise was made."""

    kind: str
    kept_kind: str
    due_at: Instant
    grace: int
    steps: tuple[Lateness, ...]
    kept_points: int
    kept_memory: Memory
    tariff_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise(Terms):
    """A promise as its entries leave it. `posted` counts the steps ever posted; `sealed` is the making's content.

    `made_by`, `moved_by` (the last one) and `settled_by` are entries; `settled_at` is when it was kept or withdrawn.
    """

    source: str
    id: str
    account_id: UUID
    made_at: Instant
    made_by: UUID
    sealed: bytes
    state: State = State.OPEN
    posted: int = 0
    moved_by: UUID | None = None
    settled_at: Instant | None = None
    settled_by: UUID | None = None

    @property
    def name(self) -> PromiseName:
        """How its reporter knows it."""
        return self.source, self.id

    @property
    def is_settled(self) -> bool:
        """Whether nothing more can become of it."""
        return self.state in SETTLED

    @property
    def next_step_at(self) -> Instant | None:
        """When the clock is to post the next step; None if there is none."""
        if self.is_settled or self.posted == len(self.steps):
            return None
        return self.due_at + self.steps[self.posted].after + self.grace

    @property
    def was_late(self) -> bool:
        """Whether it was settled after its due time."""
        return self.settled_at is not None and self.settled_at > self.due_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """The `n`th step (from 1) as it is posted: an increment of the running total, at the step's own time."""

    n: int
    value_at: Instant
    points: int
    memory: Memory


def step_of(promise: Promise, n: int) -> Missed:
    """One step. Requires `1 <= n <= len(promise.steps)`."""
    step = promise.steps[n - 1]
    before = promise.steps[n - 2].total if n > 1 else 0
    return Missed(n=n, value_at=promise.due_at + step.after, points=step.total - before, memory=step.memory)


def due_steps(promise: Promise, now: Instant) -> list[Missed]:
    """The steps to post by now, in order: grace delays when that is, never the time for which they count."""
    if promise.is_settled:
        return []
    steps = [step_of(promise, n) for n in range(promise.posted + 1, len(promise.steps) + 1)]
    return [step for step in steps if step.value_at + promise.grace <= now]


def steps_standing(promise: Promise, settled_at: Instant) -> int:
    """How many of its steps stand if it is kept or withdrawn at `settled_at`: none in time, else those up to then."""
    if settled_at <= promise.due_at:
        return 0
    return sum(promise.due_at + step.after <= settled_at for step in promise.steps)


def shown_state(promise: Promise, now: Instant) -> State:
    """The state as it is shown: an open promise is overdue from its due time on until a step is posted."""
    return State.OVERDUE if promise.state is State.OPEN and now > promise.due_at else promise.state


def step_name(promise: Promise, n: int) -> str:
    """The external id of a step's entry. No two promises share one: `/` and `%` inside their names are escaped."""
    due_at = moment_of(promise.due_at).isoformat().replace("+00:00", "Z")
    return f"{STEP_PREFIX}{escaped(promise.source)}/{escaped(promise.id)}/{due_at}/{n}"


def escaped(name: str) -> str:
    """A name as a part of a path."""
    return name.replace("%", "%25").replace("/", "%2F")
