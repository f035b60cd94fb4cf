"""Reading a mapping from TOML: every name is known, every expression compiles, or nothing is posted."""

import re
import tomllib
from collections.abc import Mapping as Map
from dataclasses import replace
from typing import Any, cast
from zoneinfo import ZoneInfo

from app.cli.importing.local_time import TimeReader
from app.cli.importing.mapping import Constant, Making, Mapping, Part, Rule
from app.cli.importing.row_expression import InvalidExpression, compile_row_expression
from app.domain.document_place import Place
from app.domain.expression import Expression
from app.domain.interaction import CONTEXT_FIELDS
from app.domain.steps import read_steps

# Plain settings, never expressions; every other field takes an expression or a constant.
SETTINGS = ("source", "time_zone", "time_format", "delimiter", "kind")
FIELDS = ("id", "customer", "value_at", "note", "points", *CONTEXT_FIELDS)
_OF_A_RULE = ("kind", "skip", "attributes", "makes", "keeps", *FIELDS)
_TERMS = ("kind", "kept_kind")
_NEEDED = ("kind", "id", "due_at")
_OF_A_PROMISE = ("id", "due_at", "grace")
_AT_THE_TOP = ("source_from", "kind_from", "kinds", "otherwise", *SETTINGS[:4], *_OF_A_RULE)

_BARE = re.compile(r"[A-Za-z0-9_-]+")


class InvalidMapping(ValueError):
    """A mapping that no row can be read with: the place in it, and what would be accepted there."""

    def __init__(self, place: tuple[str, ...], detail: str) -> None:
        dotted = ".".join(name if _BARE.fullmatch(name) else f'"{name}"' for name in place)
        super().__init__(f"{dotted}: {detail}" if dotted else detail)


def parse_mapping(text: str) -> Mapping:
    """The mapping that a TOML text says. Raises InvalidMapping."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidMapping((), f"no valid TOML: {error}") from None
    _check_names(document, _AT_THE_TOP, ())
    common = _rule(document, Rule(), ())
    common = replace(common, fields=_sourced(document, common))
    kind_from = _kind_from(document)
    rules = {
        name: _rule(_table(table, ("kinds", name)), common, ("kinds", name))
        for name, table in _table(document.get("kinds", {}), ("kinds",)).items()
    }
    return Mapping(
        kind_from=kind_from,
        rules=rules,
        otherwise=_otherwise(document, common),
        times=TimeReader(zone=_time_zone(document), format=_text(document, "time_format", ())),
        delimiter=_delimiter(document),
    )


def _rule(table: Map[str, Any], common: Rule, place: tuple[str, ...]) -> Rule:
    """The rule of a table; what it leaves out is as the `common` fields at the top say."""
    if place:
        _check_names(table, _OF_A_RULE, place)
    fields = {name: _part(table[name], (*place, name)) for name in FIELDS if name in table}
    return Rule(
        kind=_text(table, "kind", place),
        skip=_part(table["skip"], (*place, "skip")) if "skip" in table else common.skip,
        fields={**common.fields, **fields},
        attributes={**common.attributes, **_attributes(table, place)},
        makes=_making(_table(table["makes"], (*place, "makes")), (*place, "makes"))
        if "makes" in table
        else common.makes,
        keeps=_part(table["keeps"], (*place, "keeps")) if "keeps" in table else common.keeps,
    )


def _making(table: Map[str, Any], place: tuple[str, ...]) -> Making:
    """What `makes` says: plain terms, and fields that each row fills."""
    _check_names(table, (*_TERMS, *_OF_A_PROMISE, "steps", "attributes"), place)
    for name in _NEEDED:
        if name not in table:
            raise InvalidMapping((*place, name), "needed: a promise has a kind, an id and a due time.")
    terms: dict[str, Any] = {name: _text(table, name, place) for name in _TERMS if name in table}
    if "steps" in table:
        read_steps(found := Place(), table["steps"])
        for fault in found.faults:
            raise InvalidMapping((*place, "steps", *fault.pointer.split("/")[1:]), fault.detail)
        terms["steps"] = table["steps"]
    return Making(
        terms=terms,
        fields={name: _part(table[name], (*place, name)) for name in _OF_A_PROMISE if name in table},
        attributes=_attributes(table, place),
    )


def _attributes(table: Map[str, Any], place: tuple[str, ...]) -> dict[str, Part]:
    inner = (*place, "attributes")
    return {name: _part(value, (*inner, name)) for name, value in _table(table.get("attributes", {}), inner).items()}


def _otherwise(document: Map[str, Any], common: Rule) -> Rule | None:
    """What becomes of rows without a rule of their own: as `otherwise` says; without any rule, all rows are alike."""
    if "otherwise" in document:
        return _rule(_table(document["otherwise"], ("otherwise",)), common, ("otherwise",))
    return None if "kinds" in document else common


def _kind_from(document: Map[str, Any]) -> Expression | None:
    if "kind_from" in document and "kind" in document:
        raise InvalidMapping(("kind",), "either kind, for all rows, or kind_from.")
    if "kind_from" in document:
        return _expression(document["kind_from"], ("kind_from",))
    if "kind" not in document or "kinds" in document or "otherwise" in document:
        raise InvalidMapping(("kind_from",), 'needed: an expression that says which [kinds."…"] a row belongs to.')
    return None


def _sourced(document: Map[str, Any], common: Rule) -> Map[str, Part]:
    if "source_from" in document and "source" in document:
        raise InvalidMapping(("source",), "either source, for all rows, or source_from.")
    if "source_from" in document:
        return {**common.fields, "source": _expression(document["source_from"], ("source_from",))}
    source = _text(document, "source", ())
    return {**common.fields, "source": Constant(source)} if source else common.fields


def _part(value: object, place: tuple[str, ...]) -> Part:
    """A text is an expression; numbers, true and false, and whatever stands in { constant = … }, are constants."""
    if isinstance(value, str):
        return _expression(value, place)
    if isinstance(value, dict) and set(cast("dict[str, object]", value)) == {"constant"}:
        value = cast("dict[str, object]", value)["constant"]
    if isinstance(value, str | int | float):
        return Constant(value)
    raise InvalidMapping(place, 'accepted here: "an expression", a number, true or false, { constant = "text" }.')


def _expression(value: object, place: tuple[str, ...]) -> Expression:
    if not isinstance(value, str):
        raise InvalidMapping(place, "an expression over row is accepted here, as text.")
    try:
        return compile_row_expression(value)
    except InvalidExpression as error:
        raise InvalidMapping(place, str(error)) from None


def _text(table: Map[str, Any], name: str, place: tuple[str, ...]) -> str | None:
    value = table.get(name)
    if value is None or (isinstance(value, str) and value):
        return value
    raise InvalidMapping((*place, name), "plain text is accepted here.")


def _table(value: object, place: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidMapping(place, "a table is accepted here.")
    return cast("dict[str, Any]", value)


def _check_names(table: Map[str, Any], known: tuple[str, ...], place: tuple[str, ...]) -> None:
    for name in table:
        if name not in known:
            raise InvalidMapping((*place, name), f"not known here; known are {', '.join(known)}.")


def _time_zone(document: Map[str, Any]) -> ZoneInfo | None:
    name = _text(document, "time_zone", ())
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        raise InvalidMapping(("time_zone",), "no time zone of the tz database, such as Europe/Paris.") from None


def _delimiter(document: Map[str, Any]) -> str | None:
    delimiter = _text(document, "delimiter", ())
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n' or not delimiter.isascii()):
        raise InvalidMapping(("delimiter",), 'one character is accepted here, such as ";" or "\\t".')
    return delimiter
