"""What may be asked of a promise, and its content: what makes a resend the same or another one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app.domain.errors import Fault
from app.domain.instant import MICROSECOND, Instant
from app.domain.promise import PromiseName, State
from app.domain.promise_errors import InvalidPromise
from app.domain.tariff import Step

KEPT_KIND = "promise.kept"
"""What keeping posts unless the promise says otherwise; and, worth nothing, what keeping late posts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MakePromise:
    """A commitment to a customer, as its source reported it. Absent `steps` are the tariff's; `grace` is a span."""

    source: str
    id: str
    customer: str
    kind: str
    due_at: Instant
    grace: int | None = None
    steps: tuple[Step, ...] | None = None
    kept_kind: str | None = None
    attributes: Mapping[str, Any] | None = None
    value_at: Instant | None = None

    @property
    def name(self) -> PromiseName:
        """How its reporter knows the promise."""
        return self.source, self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class MovePromise:
    """A new due time, told to the customer before the old one. With an `own_id` the same move again is replayed,
    without one only the last move is."""

    name: PromiseName
    own_id: str | None = None
    due_at: Instant
    told_customer: bool
    value_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlePromise:
    """The promise was kept or withdrawn (`state`), at `value_at`: None means "when it is booked"."""

    name: PromiseName
    state: State
    value_at: Instant | None = None


PromiseRequest = MakePromise | MovePromise | SettlePromise


def named_pairs(request: PromiseRequest) -> list[PromiseName]:
    """Each (source, id) that the request names: that of the entry which made the promise, and a move's own."""
    match request:
        case MovePromise(own_id=str(own_id)):
            return [request.name, (request.name[0], own_id)]
        case _:
            return [request.name]


def promise_content_of(request: PromiseRequest) -> dict[str, Any]:
    """The request as sent: no defaults, no valuation, no customer; equal spans of time are equal."""
    match request:
        case MakePromise():
            sent: dict[str, Any] = {
                "kind": request.kind,
                "due_at": request.due_at,
                "grace": request.grace,
                "steps": None if request.steps is None else [[span_of(s.after), s.points] for s in request.steps],
                "kept_kind": request.kept_kind,
                "attributes": request.attributes,
            }
        case MovePromise():
            sent = {"promise": request.name[1], "due_at": request.due_at, "told_customer": request.told_customer}
        case _:
            sent = {"promise": request.name[1], "state": request.state.value}
    sent["value_at"] = request.value_at
    return {name: value for name, value in sent.items() if value is not None}


def span_of(duration: timedelta) -> int:
    """A duration in microseconds."""
    return duration // timedelta(microseconds=MICROSECOND)


def refused_promise(pointer: str, code: str, detail: str) -> InvalidPromise:
    """The refusal of one thing that is wrong."""
    return InvalidPromise(detail, faults=(Fault(pointer=pointer, code=code, detail=detail),))
