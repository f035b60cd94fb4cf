"""What one interaction is worth, and which version of the tariff said so."""

from collections.abc import Mapping
from typing import NoReturn

from app.domain.attribute import ACCEPTED, typed_value
from app.domain.errors import (
    Fault,
    InvalidAttributes,
    PointsNotExplicit,
    PointsOutOfBounds,
    RequirementNotMet,
    SystemKind,
    UnknownKind,
    ValuationFailed,
)
from app.domain.expression import EvaluationFailed, Expression, evaluate_condition, evaluate_points
from app.domain.immutable import immutable
from app.domain.kind_search import close_kinds
from app.domain.policy import Memory
from app.domain.tariff import KindRule, Need, Tariff, is_system_kind


@immutable
class Valuation:
    """The points of an interaction and how they fade."""

    points: int
    memory: Memory
    tariff_version: int


def refuse_system_kind(kind: str) -> None:
    """SystemKind for a kind that the system alone posts, whether or not the tariff has a price for it."""
    if is_system_kind(kind):
        fault = Fault(pointer="/kind", code="system_kind", detail="choose a kind of the tariff that callers may post")
        raise SystemKind(faults=(fault,))


def value(
    tariff: Tariff,
    version: int,
    *,
    kind: str,
    attributes: Mapping[str, object],
    channel: str | None = None,
    touchpoint: str | None = None,
    motive: str | None = None,
    source: str | None = None,
    points: int | None = None,
) -> Valuation:
    """Values an interaction. Raises a `Refusal`, which says what would be accepted, and nothing else.

    In expressions absent context is the empty string, never null: so `channel == "phone"` and
    `channel.startsWith("p")` are both false where there is no channel, and neither can fail.
    A needed attribute sent as null counts as absent; one that the kind does not need is not looked at.
    """
    rule = rule_of(tariff, kind)
    variables: dict[str, object] = {"attributes": _needed(rule, attributes) if rule.needs else {}}
    if rule.context_used:
        given = {"channel": channel, "touchpoint": touchpoint, "motive": motive, "source": source}
        variables.update((name, given[name] or "") for name in rule.context_used)
    if rule.requires is not None:
        _check_requirement(rule.requires, variables)
    worth = _tariff_points(rule, variables) if points is None else _explicit_points(rule, points)
    return Valuation(points=worth, memory=tariff.memory_of(rule, worth), tariff_version=version)


def rule_of(tariff: Tariff, kind: str) -> KindRule:
    """The tariff's line for a kind; UnknownKind, with close ones, if it has none."""
    rule = tariff.kinds.get(kind)
    if rule is None:
        _refuse_kind(tariff, kind)
    return rule


def _refuse_kind(tariff: Tariff, kind: str) -> NoReturn:
    close = close_kinds(tariff, kind)
    detail = "The tariff knows no such kind."
    if close:
        detail += f" Close ones are {', '.join(close)}."
    raise UnknownKind(
        detail, faults=(Fault(pointer="/kind", code=UnknownKind.code, detail=detail),), extra={"close": list(close)}
    )


def _needed(rule: KindRule, attributes: Mapping[str, object]) -> dict[str, object]:
    needed: dict[str, object] = {}
    for name, need in rule.needs.items():
        sent = attributes.get(name)
        taken = typed_value(need.type, need.otherwise if sent is None else sent)
        if taken is None:
            _refuse_attributes(rule, attributes)
        needed[name] = taken
    return needed


def _refuse_attributes(rule: KindRule, attributes: Mapping[str, object]) -> NoReturn:
    """Names every attribute at fault, not only the first one met."""
    faults = [_attribute_fault(name, need, attributes.get(name)) for name, need in rule.needs.items()]
    detail = f"Attributes that {rule.name} needs are missing or of another type."
    raise InvalidAttributes(detail, faults=tuple(fault for fault in faults if fault is not None))


def _attribute_fault(name: str, need: Need, sent: object) -> Fault | None:
    pointer = f"/attributes/{name}"
    if sent is None and need.otherwise is None:
        detail = f"This attribute is needed ({need.type}): {need.says}."
        return Fault(pointer=pointer, code="missing_attribute", detail=detail)
    if sent is not None and typed_value(need.type, sent) is None:
        return Fault(pointer=pointer, code="wrong_type", detail=f"Accepted here: {ACCEPTED[need.type]}; {need.says}.")
    return None


def _check_requirement(requires: Expression, variables: dict[str, object]) -> None:
    try:
        met = evaluate_condition(requires, variables)
    except EvaluationFailed as failed:
        _refuse_valuation("requirement", failed)
    if not met:
        detail = f"The kind requires {requires.source}"
        raise RequirementNotMet(
            detail, faults=(Fault(pointer=_pointer(requires), code=RequirementNotMet.code, detail=detail),)
        )


def _pointer(requires: Expression) -> str:
    """Where to look: at the one thing that the requirement is about, else at the attributes as a whole."""
    about = [f"/attributes/{name}" for name in requires.attributes] + [f"/{name}" for name in requires.context]
    return about[0] if len(about) == 1 else "/attributes"


def _tariff_points(rule: KindRule, variables: dict[str, object]) -> int:
    if isinstance(rule.points, int):
        return rule.points
    try:
        worth = evaluate_points(rule.points, variables)
    except EvaluationFailed as failed:
        _refuse_valuation("points", failed)
    return _within_bounds(rule, worth, "The tariff's points for these attributes lie")


def _explicit_points(rule: KindRule, points: int) -> int:
    if not rule.explicit:
        detail = f"The tariff alone says what {rule.name} is worth: leave points out."
        raise PointsNotExplicit(detail, faults=(_points_fault(PointsNotExplicit.code, detail),))
    return _within_bounds(rule, points, "The points given lie")


def _within_bounds(rule: KindRule, points: int, what: str) -> int:
    # A bool is an int to Python, and no points.
    if type(points) is int and rule.least <= points <= rule.most:
        return points
    detail = f"{what} outside the bounds of {rule.name}: {rule.least} to {rule.most}."
    raise PointsOutOfBounds(
        detail,
        faults=(_points_fault(PointsOutOfBounds.code, detail),),
        extra={"least": rule.least, "most": rule.most},
    )


def _points_fault(code: str, detail: str) -> Fault:
    return Fault(pointer="/points", code=code, detail=detail)


def _refuse_valuation(part: str, failed: EvaluationFailed) -> NoReturn:
    detail = f"The tariff's expression for the {part} gives nothing here: {failed.reason}"
    raise ValuationFailed(
        detail, faults=(Fault(pointer="/attributes", code=ValuationFailed.code, detail=detail),)
    ) from failed
