"""Reading a tariff from its JSON document: everything is checked here, so that posting meets no bad tariff."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache, partial
from importlib.resources import files

from app.domain.attribute import typed_value
from app.domain.document_place import (
    Place,
    read_choice,
    read_field,
    read_flag,
    read_integer,
    read_names_and_values,
    read_object,
    read_text,
)
from app.domain.errors import InvalidTariff
from app.domain.expression import Expression, compile_expression
from app.domain.expression_syntax import CONTEXT_NAMES
from app.domain.expression_trial import trial_flaws
from app.domain.policy import Memory
from app.domain.steps import read_steps
from app.domain.tariff import (
    POINTS_MAX,
    POINTS_MIN,
    AttributeType,
    Basis,
    Group,
    KindRule,
    Label,
    MemoryByDefault,
    Need,
    Tariff,
)

KINDS_MAX = 1000
KIND_NAME_LENGTH_MAX = 100
NEEDS_MAX = 50
SAYS_LENGTH_MAX = 500

_KIND_NAME = re.compile(r"[a-z0-9_]+(?:\.[a-z0-9_]+)*", re.ASCII)
_ATTRIBUTE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}", re.ASCII)
_REQUIRED = ("label", "points", "group")
_OPTIONAL = (
    *("requires", "least", "most", "memory", "gesture", "declared_by_employee", "explicit"),
    *("needs", "steps", "basis"),
)

# What stands in for a field that is absent or at fault.
_NO_NEEDS: Mapping[str, Need] = {}
_NO_POINTS: int | Expression = 0

_read_points_number = partial(read_integer, least=POINTS_MIN, most=POINTS_MAX)


def parse_tariff(document: object) -> Tariff:
    """The tariff that a JSON document describes. Raises `InvalidTariff` with every fault found, nothing else."""
    place = Place()
    fields = read_object(place, document, required=("name", "deep_at", "memory_by_default", "kinds"))
    tariff = Tariff(
        name=read_field(place, fields, "name", read_text, ""),
        deep_at=read_field(place, fields, "deep_at", partial(read_integer, least=POINTS_MIN, most=-1), -1),
        memory_by_default=read_field(place, fields, "memory_by_default", _read_memories, MemoryByDefault()),
        kinds=read_field(place, fields, "kinds", _read_kinds, {}),
        document=fields,
    )
    if place.faults:
        detail = f"The tariff cannot be adopted, for {len(place.faults)} reason(s); the one in force stays."
        raise InvalidTariff(detail, faults=tuple(place.faults))
    return tariff


@cache
def default_tariff() -> Tariff:
    """The tariff a new book starts with."""
    return parse_tariff(json.loads(files("app.domain").joinpath("default_tariff.json").read_bytes()))


def _read_memories(place: Place, value: object) -> MemoryByDefault:
    fields = read_object(place, value, required=("credit", "debit", "deep_debit", "neutral"))
    return MemoryByDefault(**{name: _read_memory(place.at(name), memory) for name, memory in fields.items()})


def _read_memory(place: Place, value: object) -> Memory:
    return read_choice(place, value, Memory)


def _read_kinds(place: Place, value: object) -> Mapping[str, KindRule]:
    fields = read_names_and_values(place, value)
    if not 1 <= len(fields) <= KINDS_MAX:
        place.refuse("wrong_number", f"a tariff has 1 to {KINDS_MAX} kinds.")
        return {}
    return {name: _read_kind(place, name, kind) for name, kind in fields.items()}


def _read_kind(kinds: Place, name: str, value: object) -> KindRule:
    if len(name) <= KIND_NAME_LENGTH_MAX and _KIND_NAME.fullmatch(name):
        return _read_rule(kinds.at(name, subject=f"Kind {name}: "), name, value)
    kinds.at(name).refuse(
        "invalid_kind_name",
        f"a kind is words of a-z, 0-9 and _ joined by dots, at most {KIND_NAME_LENGTH_MAX} characters.",
    )
    return _read_rule(kinds.at(name), name, value)


def _read_rule(place: Place, name: str, value: object) -> KindRule:
    known_before = len(place.faults)
    fields = read_object(place, value, required=_REQUIRED, optional=_OPTIONAL)
    needs = read_field(place, fields, "needs", _read_needs, _NO_NEEDS)
    rule = KindRule(
        name=name,
        label=read_field(place, fields, "label", _read_label, Label(en="", fr="")),
        points=read_field(place, fields, "points", partial(_read_points, needs=needs), _NO_POINTS),
        requires=read_field(place, fields, "requires", partial(_read_expression, needs=needs), None),
        least=read_field(place, fields, "least", _read_points_number, POINTS_MIN),
        most=read_field(place, fields, "most", _read_points_number, POINTS_MAX),
        group=read_field(place, fields, "group", partial(read_choice, among=Group), Group.NEUTRAL),
        memory=read_field(place, fields, "memory", _read_memory, None),
        gesture=read_field(place, fields, "gesture", read_flag, False),
        declared_by_employee=read_field(place, fields, "declared_by_employee", read_flag, False),
        explicit=read_field(place, fields, "explicit", read_flag, False),
        needs=needs,
        steps=read_field(place, fields, "steps", read_steps, ()),
        basis=read_field(place, fields, "basis", partial(read_choice, among=Basis), Basis.PROPOSAL),
    )
    rule = replace(rule, context_used=_context_used(rule))
    if len(place.faults) == known_before:
        _check_whole(place, rule)
    return rule


def _read_label(place: Place, value: object) -> Label:
    fields = read_object(place, value, required=("en", "fr"))
    return Label(en=read_field(place, fields, "en", read_text, ""), fr=read_field(place, fields, "fr", read_text, ""))


def _read_points(place: Place, value: object, *, needs: Mapping[str, Need]) -> int | Expression:
    if isinstance(value, str):
        return _read_expression(place, value, needs=needs) or 0
    return _read_points_number(place, value)


def _read_expression(place: Place, value: object, *, needs: Mapping[str, Need]) -> Expression | None:
    if not isinstance(value, str):
        place.refuse("wrong_type", "an expression, as text, is accepted here.")
        return None
    compiled = compile_expression(value, needs)
    if isinstance(compiled, Expression):
        return compiled
    for flaw in compiled:
        place.refuse(flaw.code, flaw.detail)
    return None


def _read_needs(place: Place, value: object) -> Mapping[str, Need]:
    fields = read_names_and_values(place, value)
    if len(fields) > NEEDS_MAX:
        place.refuse("wrong_number", f"a kind needs at most {NEEDS_MAX} attributes.")
        return {}
    for name in fields:
        if _ATTRIBUTE_NAME.fullmatch(name) is None:
            place.at(name).refuse("invalid_attribute_name", "a name of letters, digits and _ is accepted here.")
    return {name: _read_need(place.at(name), need) for name, need in fields.items()}


def _read_need(place: Place, value: object) -> Need:
    fields = read_object(place, value, required=("type", "says"), optional=("otherwise",))
    asked = read_field(place, fields, "type", partial(read_choice, among=AttributeType), AttributeType.STRING)
    says = read_field(place, fields, "says", partial(read_text, longest=SAYS_LENGTH_MAX), "")
    if "otherwise" not in fields:
        return Need(type=asked, says=says)
    otherwise = None
    # Text for a number is a courtesy to callers; the tariff itself writes what it means.
    if asked is AttributeType.STRING or not isinstance(fields["otherwise"], str):
        otherwise = typed_value(asked, fields["otherwise"])
    if otherwise is None:
        place.at("otherwise").refuse("wrong_type", f"a {asked} is accepted here, as `type` says.")
    return Need(type=asked, says=says, otherwise=otherwise)


def _context_used(rule: KindRule) -> tuple[str, ...]:
    expressions = [part for part in (rule.requires, rule.points) if isinstance(part, Expression)]
    return tuple(name for name in CONTEXT_NAMES if any(name in part.context for part in expressions))


def _check_whole(place: Place, rule: KindRule) -> None:
    """What can be judged only once the parts of a kind are sound."""
    if rule.least > rule.most:
        place.at("least").refuse("least_above_most", "`least` may not exceed `most`.")
    elif isinstance(rule.points, int) and not rule.least <= rule.points <= rule.most:
        place.at("points").refuse("points_out_of_bounds", f"they must lie within {rule.least} to {rule.most}.")
    for field, flaw in trial_flaws(rule):
        place.at(field).refuse(flaw.code, flaw.detail)
