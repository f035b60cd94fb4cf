"""The tariff on the wire. A whole tariff travels as the JSON document that was adopted."""

from typing import Annotated, Any, Literal

from pydantic import Field

from app.api.wire import LabelOut, WireOut
from app.api.wire_fields import ATTRIBUTES_BYTES_MAX, AttributesIn, Identifier, KindName, WholeNumber
from app.api.wire_in import Motive, WireIn
from app.api.wire_problem import ProblemOut
from app.domain.policy import Memory
from app.domain.standing import Direction
from app.domain.tariff import KindRule

VALUATIONS_MAX = 500


class KindOut(WireOut):
    """A kind that the tariff prices. `points` is a number or the CEL expression that gives it."""

    kind: str
    label: LabelOut
    points: int | str
    requires: str | None
    least: int
    most: int
    group: str
    memory: Memory | None
    gesture: bool
    declared_by_employee: bool
    explicit: bool
    needs: dict[str, dict[str, Any]]

    @classmethod
    def of(cls, rule: KindRule) -> "KindOut":
        """The kind as the wire shows it."""
        return cls(
            kind=rule.name,
            label=LabelOut(en=rule.label.en, fr=rule.label.fr),
            points=rule.points if isinstance(rule.points, int) else rule.points.source,
            requires=rule.requires.source if rule.requires else None,
            least=rule.least,
            most=rule.most,
            group=rule.group.value,
            memory=rule.memory,
            gesture=rule.gesture,
            declared_by_employee=rule.declared_by_employee,
            explicit=rule.explicit,
            needs={
                name: {"type": need.type.value, "says": need.says, "otherwise": need.otherwise}
                for name, need in rule.needs.items()
            },
        )


class KindsOut(WireOut):
    """Kinds that match a search, best first."""

    kinds: list[KindOut]


class TariffVersionOut(WireOut):
    """Which version of the tariff is in force now."""

    version: int


class ValuationIn(WireIn):
    """What an interaction would be, as far as its price depends on it."""

    kind: KindName
    attributes: AttributesIn | None = Field(
        None, description=f"at most {ATTRIBUTES_BYTES_MAX} bytes, as JSON in UTF-8 without spaces"
    )
    channel: Identifier | None = None
    touchpoint: Identifier | None = None
    motive: Motive | None = None
    source: Identifier | None = None
    points: WholeNumber | None = None


class ValuationsIn(WireIn):
    """Interactions to value without posting them; under a `tariff` of your own, or the one in force."""

    interactions: Annotated[list[ValuationIn], Field(min_length=1, max_length=VALUATIONS_MAX)]
    tariff: dict[str, Any] | None = None


class ValuedOut(WireOut):
    """What an interaction would be worth."""

    outcome: Literal["valued"] = "valued"
    kind: str
    points: int
    direction: Direction
    magnitude: int
    memory: Memory


class NotValuedOut(WireOut):
    """Why an interaction would be refused."""

    outcome: Literal["refused"] = "refused"
    problem: ProblemOut


class ValuationsOut(WireOut):
    """The valuations in order; `tariff_version` is null for a tariff of the caller's own."""

    tariff_version: int | None
    valuations: list[ValuedOut | NotValuedOut]
