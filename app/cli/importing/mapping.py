"""A mapping: how a row of a file becomes an interaction, or makes or keeps a promise. `mapping_document` reads it."""

from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, cast

from app.cli.importing.local_time import TimeReader, UnreadableTime
from app.cli.importing.row_expression import columns_of
from app.domain.cel_alone import cel
from app.domain.errors import Fault, InvalidInteraction
from app.domain.expression import EvaluationFailed, Expression, Reason, evaluate

_SHOWN_MAX = 100
_NOTHING = (None, "")
_TIMES = ("value_at", "due_at")


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that is the same for every row."""

    value: str | int | float | bool


Part = Constant | Expression


class Does(StrEnum):
    """What a row does."""

    POST = "post"
    MAKE = "make"
    KEEP = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """The promises that rows make. `terms` are those that are the same for all, as POST /v1/promises takes them."""

    terms: Map[str, Any]
    fields: Map[str, Part]
    attributes: Map[str, Part]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What the rows of one kind become. `kind` None: what `kind_from` gave.

    A row for which `keeps` gives a promise's id keeps that one; else, if `makes` gives a due time, it makes one.
    """

    kind: str | None = None
    skip: Part = Constant(value=False)
    fields: Map[str, Part] = field(default_factory=dict[str, Part])
    attributes: Map[str, Part] = field(default_factory=dict[str, Part])
    makes: Making | None = None
    keeps: Part | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """How rows become interactions. Without `kind_from` every row is one of `otherwise`.

    `otherwise` None: a row whose kind has no rule is refused.
    """

    kind_from: Expression | None
    rules: Map[str, Rule]
    otherwise: Rule | None
    times: TimeReader
    delimiter: str | None = None

    def columns(self) -> dict[str, str]:
        """Every column that the mapping reads, and one expression that does."""
        found: dict[str, str] = {}
        for expression in self._expressions():
            found.update((column, expression.source) for column in columns_of(expression))
        return found

    def _expressions(self) -> list[Expression]:
        parts: list[Part] = [self.kind_from] if self.kind_from else []
        for rule in (*self.rules.values(), *([self.otherwise] if self.otherwise else [])):
            parts += [rule.skip, *rule.fields.values(), *rule.attributes.values()]
            parts += [rule.keeps] if rule.keeps else []
            parts += [*rule.makes.fields.values(), *rule.makes.attributes.values()] if rule.makes else []
        return [part for part in parts if isinstance(part, Expression)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """A row as the body that POST /v1/interactions would take, or /v1/promises, or its `kept` (and `id` beside).

    `is_shifted`: its local time never occurred.
    """

    body: dict[str, Any]
    does: Does = Does.POST
    is_shifted: bool = False


def mapped(mapping: Mapping, row: Map[str, Any]) -> Mapped | None:
    """What the row becomes, None if it is to be skipped. Raises InvalidInteraction.

    A part that gives null or an empty text leaves its field out.
    """
    # One context for all expressions of the row: converting the row costs 20 times as much as evaluating.
    variables = cel.Context(variables={"row": row})
    rule, kind = _rule_of(mapping, variables)
    if _given(rule.skip, variables, "/skip") is True:
        return None

    does, body = _done(rule, kind, variables)
    shifted = [_settle_time(mapping.times, body, name) for name in _TIMES if name in body]
    return Mapped(body=body, does=does, is_shifted=any(shifted))


def missing_columns(mapping: Mapping, header: Sequence[str]) -> dict[str, str]:
    """The columns that the mapping reads and the header lacks, each with the expression that reads it."""
    return {column: source for column, source in mapping.columns().items() if column not in header}


def _rule_of(mapping: Mapping, variables: cel.Context) -> tuple[Rule, str]:
    if mapping.kind_from is None:
        assert mapping.otherwise is not None
        return mapping.otherwise, ""
    kind = _given(mapping.kind_from, variables, "/kind")
    name = kind if isinstance(kind, str) else ""
    rule = mapping.rules.get(name, mapping.otherwise)
    if rule is None:
        shown = name[:_SHOWN_MAX]
        raise _refused("/kind", "unmapped_kind", f'the mapping has neither [kinds."{shown}"] nor [otherwise].')
    return rule, name


def _done(rule: Rule, kind: str, variables: cel.Context) -> tuple[Does, dict[str, Any]]:
    """What the row does, and the body that says it; times are still as the file writes them."""
    body = _filled(rule.fields, variables, "/")
    if rule.keeps and (own_id := _given(rule.keeps, variables, "/keeps")) not in _NOTHING:
        return Does.KEEP, {**_only(body, "source", "value_at"), "id": own_id}
    if rule.makes and "due_at" in (fields := _filled(rule.makes.fields, variables, "/makes/")):
        made = {**_only(body, "source", "customer", "value_at"), **rule.makes.terms, **fields}
        return Does.MAKE, _with_attributes(made, rule.makes.attributes, variables, "/makes/attributes/")
    body["kind"] = rule.kind or kind
    return Does.POST, _with_attributes(body, rule.attributes, variables, "/attributes/")


def _with_attributes(
    body: dict[str, Any], parts: Map[str, Part], variables: cel.Context, pointer: str
) -> dict[str, Any]:
    attributes = _filled(parts, variables, pointer)
    return {**body, "attributes": attributes} if attributes else body


def _only(body: Map[str, Any], *names: str) -> dict[str, Any]:
    return {name: body[name] for name in names if name in body}


def _settle_time(times: TimeReader, body: dict[str, Any], name: str) -> bool:
    """Replace a time as the file writes it by its moment; says whether it was shifted."""
    try:
        read = times.read(body[name])
    except UnreadableTime as error:
        raise _refused(f"/{name}", "time_invalid", str(error)) from None
    body[name] = read.moment.isoformat()
    return read.is_shifted


def _filled(parts: Map[str, Part], variables: cel.Context, pointer: str) -> dict[str, Any]:
    values = {name: _given(part, variables, pointer + name) for name, part in parts.items()}
    return {name: value for name, value in values.items() if value not in _NOTHING}


def _given(part: Part, variables: cel.Context, pointer: str) -> Any:
    if isinstance(part, Constant):
        return part.value
    try:
        return evaluate(part, cast("dict[str, object]", variables))
    except EvaluationFailed as failed:
        column = f" ({failed.__cause__})" if failed.reason == Reason.NO_KEY else ""
        detail = f"the mapping's expression gives nothing for this row: {failed.reason}{column}"
        raise _refused(pointer, "expression_failed", detail) from None


def _refused(pointer: str, code: str, detail: str) -> InvalidInteraction:
    return InvalidInteraction(detail, faults=(Fault(pointer=pointer, code=code, detail=detail),))
