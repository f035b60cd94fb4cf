"""What callers send of promises."""

from datetime import timedelta
from functools import partial
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from app.api.wire_fields import (
    ADDRESSABLE,
    UNADDRESSABLE,
    AttributesIn,
    Customer,
    Identifier,
    KindName,
    Source,
    WholeNumber,
    WireTime,
    instant_or_none,
)
from app.api.wire_in import WireIn, required
from app.domain.document_place import Place
from app.domain.duration import parse_duration
from app.domain.instant import DAY, instant_of
from app.domain.promise import State
from app.domain.promise_errors import InvalidPromise
from app.domain.promise_request import MakePromise, MovePromise, SettlePromise, span_of
from app.domain.promise_terms import GRACE_MAX
from app.domain.steps import AFTER_DAYS_MAX, STEPS_MAX, read_steps
from app.domain.tariff import Step


def _duration(text: str, *, days_max: int) -> str:
    parsed = parse_duration(text)
    if parsed is None or parsed > timedelta(days=days_max):
        detail = "send an ISO 8601 duration such as P3D, at most {days_max} days"
        raise PydanticCustomError("duration_invalid", detail, {"days_max": days_max})
    return text


_ShortText = Annotated[str, StringConstraints(max_length=50)]
Lateness = Annotated[_ShortText, AfterValidator(partial(_duration, days_max=AFTER_DAYS_MAX))]
Grace = Annotated[_ShortText, AfterValidator(partial(_duration, days_max=GRACE_MAX // DAY))]


def _addressable(own_id: str) -> str:
    if own_id in UNADDRESSABLE:
        raise PydanticCustomError(
            "id_invalid", "a promise cannot be named . or .., which no client can address in a path"
        )
    return own_id


PromiseId = Annotated[Identifier, AfterValidator(_addressable), Field(json_schema_extra={"pattern": ADDRESSABLE})]
_OF_WHOM = "whose promise it is; the API key's own source if left out"


class StepIn(WireIn):
    """A running total by lateness."""

    after: Lateness = Field(description="how late, as an ISO 8601 duration such as P3D")
    points: WholeNumber = Field(description="what that lateness costs in all: below 0")


class PromiseIn(WireIn):
    """A commitment to a customer. `attributes` may be personal; identifiers carry no personal data."""

    id: PromiseId = Field(description="the reporter's own id, of the same names as the ids of its interactions")
    source: Source | None = Field(None, description="who reports; the API key's own source if left out")
    customer: Customer
    kind: KindName = Field(description="the kind of interaction that a miss is")
    due_at: WireTime
    grace: Grace | None = Field(None, description="how long the clock waits for a late report: P0D if left out")
    steps: Annotated[list[StepIn], Field(min_length=1, max_length=STEPS_MAX)] | None = Field(
        None, description="the tariff's steps of the kind if left out; with neither its points at the due time"
    )
    kept_kind: KindName | None = Field(None, description="what keeping it in time posts: promise.kept if left out")
    attributes: AttributesIn | None = Field(None, description="by which both outcomes are valued now")
    value_at: WireTime | None = Field(None, description="when it was made; now if left out")

    def to_domain(self, *, source: str | None) -> MakePromise:
        """The promise; `source` stands in where the body has none. Raises InvalidPromise for steps out of order."""
        return MakePromise(
            source=_own_source(self.source, source),
            id=self.id,
            customer=self.customer,
            kind=self.kind,
            due_at=instant_of(self.due_at),
            grace=None if self.grace is None else span_of(parse_duration(self.grace) or timedelta()),
            steps=None if self.steps is None else _steps(self.steps),
            kept_kind=self.kept_kind,
            attributes=self.attributes,
            value_at=instant_or_none(self.value_at),
        )


class SettledIn(WireIn):
    """When a promise was kept or withdrawn."""

    source: Source | None = Field(None, description=_OF_WHOM)
    value_at: WireTime | None = Field(None, description="when it was; now if left out")

    def to_domain(self, own_id: str, state: State, *, source: str | None) -> SettlePromise:
        """The request to settle the promise of that id."""
        name = _own_source(self.source, source), own_id
        return SettlePromise(name=name, state=state, value_at=instant_or_none(self.value_at))


class MovedIn(WireIn):
    """A new due time, of which the customer was told before the old one."""

    source: Source | None = Field(None, description=_OF_WHOM)
    id: Identifier | None = Field(None, description="an own id makes the call safe to repeat even after another move")
    due_at: WireTime
    told_customer: Annotated[bool, Field(strict=True)]
    value_at: WireTime | None = Field(None, description="when the customer was told; now if left out")

    def to_domain(self, own_id: str, *, source: str | None) -> MovePromise:
        """The request to move the promise of that id."""
        return MovePromise(
            name=(_own_source(self.source, source), own_id),
            own_id=self.id,
            due_at=instant_of(self.due_at),
            told_customer=self.told_customer,
            value_at=instant_or_none(self.value_at),
        )


def _own_source(sent: str | None, default: str | None) -> str:
    return required(sent or default, "source", "name the source, or give the API key one")


def _steps(sent: list[StepIn]) -> tuple[Step, ...]:
    place = Place("/steps")
    steps = read_steps(place, [{"after": step.after, "points": step.points} for step in sent])
    if place.faults:
        raise InvalidPromise(place.faults[0].detail, faults=tuple(place.faults))
    return steps
