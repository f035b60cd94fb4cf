"""A promise on the wire, as callers get it."""

from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.domain.duration import duration_text
from app.domain.instant import Instant, moment_of
from app.domain.policy import Memory
from app.domain.promise import Promise, State, shown_state, step_of


class StepOut(BaseModel):
    """A running total by lateness: so many points in all once the promise is so late."""

    model_config = ConfigDict(frozen=True)

    after: str = Field(description="an ISO 8601 duration")
    points: int
    memory: Memory
    value_at: datetime
    posted: bool = Field(description="whether the ledger had it; keeping the promise in time reverses it")


class PromiseOut(BaseModel):
    """A promise. What its outcomes are worth was fixed when it was made."""

    model_config = ConfigDict(frozen=True)

    id: str
    source: str
    customer: str
    kind: str = Field(description="what a miss posts")
    kept_kind: str = Field(description="what keeping it in time posts")
    kept_points: int
    state: State
    made_at: datetime
    due_at: datetime
    grace: str = Field(description="an ISO 8601 duration: how long the clock waits, never whether it was late")
    steps: list[StepOut]
    next_step_at: datetime | None = Field(description="when the clock posts the next step")
    settled_at: datetime | None = Field(description="when it was kept or withdrawn")
    late: bool = Field(description="whether it was settled after its due time")
    attributes: dict[str, Any]
    tariff_version: int

    @classmethod
    def of(cls, promise: Promise, customer: str, now: Instant, *, attributes: dict[str, Any]) -> "PromiseOut":
        """The promise as it is shown at `now`."""
        return cls(
            id=promise.id,
            source=promise.source,
            customer=customer,
            kind=promise.kind,
            kept_kind=promise.kept_kind,
            kept_points=promise.kept_points,
            state=shown_state(promise, now),
            made_at=moment_of(promise.made_at),
            due_at=moment_of(promise.due_at),
            grace=_text(promise.grace),
            steps=[_step(promise, n) for n in range(1, len(promise.steps) + 1)],
            next_step_at=_moment(promise.next_step_at),
            settled_at=_moment(promise.settled_at),
            late=promise.was_late,
            attributes=attributes,
            tariff_version=promise.tariff_version,
        )


def _step(promise: Promise, n: int) -> StepOut:
    step = promise.steps[n - 1]
    return StepOut(
        after=_text(step.after),
        points=step.total,
        memory=step.memory,
        value_at=moment_of(step_of(promise, n).value_at),
        posted=n <= promise.posted,
    )


def _text(span: int) -> str:
    return duration_text(timedelta(microseconds=span))


def _moment(instant: Instant | None) -> datetime | None:
    return None if instant is None else moment_of(instant)
