"""A mapping: how a row of a file becomes an interaction. `mapping_document` reads it from TOML."""

from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import cel

from app.cli.importing.local_time import TimeReader, UnreadableTime
from app.cli.importing.row_expression import columns_of
from app.domain.errors import Fault, InvalidInteraction
from app.domain.expression import EvaluationFailed, Expression, Reason, evaluate

_SHOWN_MAX = 100


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that is the same for every row."""

    value: str | int | float | bool


Part = Constant | Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What the rows of one kind become. `kind` None: what `kind_from` gave."""

    kind: str | None = None
    skip: Part = Constant(value=False)
    fields: Map[str, Part] = field(default_factory=dict[str, Part])
    attributes: Map[str, Part] = field(default_factory=dict[str, Part])


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

    def kinds(self) -> set[str]:
        """The kinds of the tariff that the mapping names."""
        return {rule.kind for rule in self._all_rules() if rule.kind is not None}

    def _all_rules(self) -> list[Rule]:
        return [*self.rules.values(), *([self.otherwise] if self.otherwise else [])]

    def _expressions(self) -> list[Expression]:
        parts: list[Part] = [self.kind_from] if self.kind_from else []
        for rule in self._all_rules():
            parts += [rule.skip, *rule.fields.values(), *rule.attributes.values()]
        return [part for part in parts if isinstance(part, Expression)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """A row as the body that POST /v1/interactions would take. `is_shifted`: its local time never occurred."""

    body: dict[str, Any]
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

    body = _filled(rule.fields, variables, "/")
    body["kind"] = rule.kind or kind
    if attributes := _filled(rule.attributes, variables, "/attributes/"):
        body["attributes"] = attributes
    if "value_at" not in body:
        return Mapped(body=body)
    try:
        read = mapping.times.read(body["value_at"])
    except UnreadableTime as error:
        raise _refused("/value_at", "time_invalid", str(error)) from None
    body["value_at"] = read.moment.isoformat()
    return Mapped(body=body, is_shifted=read.is_shifted)


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


def _filled(parts: Map[str, Part], variables: cel.Context, pointer: str) -> dict[str, Any]:
    values = {name: _given(part, variables, pointer + name) for name, part in parts.items()}
    return {name: value for name, value in values.items() if value is not None and value != ""}


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
