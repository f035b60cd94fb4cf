"""Proposing a mapping from the names of columns and a sample of rows: a draft for its reader to correct."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from app.cli.importing.local_time import TimeReader, UnreadableTime
from app.domain.attribute import typed_value
from app.domain.kind_search import close_kinds, find_kinds
from app.domain.tariff import AttributeType, KindRule, Tariff

KINDS_MAX = 50  # more different values than this are names or texts, and no kinds

_CUSTOMER = ("customer", "client", "email", "mail", "phone", "member", "account", "user", "contact", "buyer")
_TIME = ("occurred", "happened", "timestamp", "datetime", "time", "date", "at", "created", "day", "when")
_KIND = ("kind", "event", "type", "category", "action", "status", "reason", "topic", "subject")
_CASE = ("case", "order", "ticket", "conversation", "claim", "incident")
_ID = ("id", "uuid", "guid", "reference", "ref", "number", "no", "key")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)

_Rows = Sequence[Map[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """Which column seems to be what."""

    value_at: str | None
    customer: str | None
    kind: str | None
    case: str | None
    id: tuple[str, ...]


def proposed_mapping(rows: _Rows, tariff: Tariff, *, source: str) -> str:
    """A mapping as TOML, with comments where it needs its reader's eye. Requires at least one row."""
    return "\n".join(_lines(rows, guessed(rows), tariff, source)) + "\n"


def guessed(rows: _Rows) -> Guess:
    """What the columns' names and values suggest."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    value_at = _best(_TIME, [name for name in columns if _are_times(_values(rows, name))], or_first=True)
    customer = _best(_CUSTOMER, [name for name in columns if name != value_at])
    kind = _best(_KIND, [name for name in columns if name not in (value_at, customer) and _are_kinds(rows, name)])
    case = _best(_CASE, [name for name in columns if name not in (value_at, customer, kind)])
    left = [name for name in columns if name not in (value_at, customer, kind)]
    own = _best(_ID, [name for name in left if _are_unique(rows, (name,))])
    together = tuple(name for name in (case or customer, kind, value_at) if name)
    return Guess(value_at=value_at, customer=customer, kind=kind, case=case, id=(own,) if own else together)


def _lines(rows: _Rows, guess: Guess, tariff: Tariff, source: str) -> Iterator[str]:
    yield "# A proposal: check every line. The format is described in docs/import.md."
    yield f"source    = {json.dumps(source)}"
    if guess.value_at and _is_local(_values(rows, guess.value_at)):
        yield 'time_zone = "UTC"  # the times have no offset: where are they local? For example Europe/Paris'
    yield _assigned("id       ", " + '/' + ".join(_text_of(rows, name) for name in guess.id), "the rows' own name")
    yield _assigned("customer ", _text_of(rows, guess.customer), "who the customer is")
    yield _assigned("value_at ", _column(guess.value_at) if guess.value_at else "", "when it mattered")
    if guess.case:
        yield _assigned("case     ", _text_of(rows, guess.case), "")
    yield _assigned("kind_from", _text_of(rows, guess.kind), "what happened")
    taken = {guess.value_at, guess.customer, guess.kind, guess.case, *guess.id}
    for kind in dict.fromkeys(str(value) for value in _values(rows, guess.kind or "")):
        yield from _rule_lines(rows, kind, tariff, taken)


def _rule_lines(rows: _Rows, kind: str, tariff: Tariff, taken: set[str | None]) -> Iterator[str]:
    yield f"\n[kinds.{json.dumps(kind)}]"
    close = close_kinds(tariff, kind)
    if not close:
        perhaps = ", ".join(rule.name for rule in find_kinds(tariff, kind.replace("_", " "))[:3])
        yield f"skip = true  # {f'perhaps {perhaps}; ' if perhaps else ''}contact.neutral keeps it as history"
        return
    others = "" if close[0] == kind else f"  # only like it: check; or {', '.join([*close[1:], 'skip = true'])}"
    yield f"kind = {json.dumps(close[0])}{others}"
    yield from _attribute_lines(rows, tariff.kinds[close[0]], taken)


def _attribute_lines(rows: _Rows, rule: KindRule, taken: set[str | None]) -> Iterator[str]:
    columns = list(dict.fromkeys(name for row in rows for name in row if name not in taken))
    for name, need in rule.needs.items():
        same = [column for column in columns if _words(column) == _words(name)]
        fitting = same or [column for column in columns if need.otherwise is None and _fits(rows, column, need.type)]
        if fitting:
            yield f"attributes.{name} = {json.dumps(_column(fitting[0]))}  # {need.type}: {need.says}"
        else:
            yield f'# attributes.{name} = "row.…"  # {need.type}: {need.says}'


def _assigned(name: str, expression: str, meaning: str) -> str:
    if not expression:
        return f'# {name.strip()} = "row.…"  # no column looks like it: {meaning}'
    return f"{name} = {json.dumps(expression, ensure_ascii=False)}"


def _text_of(rows: _Rows, column: str | None) -> str:
    """The expression of a column as text."""
    if column is None:
        return ""
    are_texts = all(isinstance(value, str) for value in _values(rows, column))
    return _column(column) if are_texts else f"string({_column(column)})"


def _column(name: str) -> str:
    return f"row.{name}" if _IDENTIFIER.fullmatch(name) else f"row[{json.dumps(name, ensure_ascii=False)}]"


def _best(wanted: tuple[str, ...], columns: Sequence[str], *, or_first: bool = False) -> str | None:
    """The column with the most telling word in its name; earlier words tell more."""
    rated = [(min((wanted.index(word) for word in _words(name) & set(wanted)), default=-1), name) for name in columns]
    found = sorted((rank, place) for place, (rank, _) in enumerate(rated) if rank >= 0)
    if found:
        return columns[found[0][1]]
    return columns[0] if or_first and columns else None


def _words(name: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(name)}


def _values(rows: _Rows, name: str) -> list[Any]:
    return [row[name] for row in rows if row.get(name) not in (None, "")]


def _are_times(values: Iterable[Any]) -> bool:
    reader = TimeReader(zone=ZoneInfo("UTC"))
    try:
        return len([reader.read(value) for value in values]) > 0
    except UnreadableTime:
        return False


def _is_local(values: Iterable[Any]) -> bool:
    reader = TimeReader()
    try:
        return not [reader.read(value) for value in values]
    except UnreadableTime:
        return True


def _are_kinds(rows: _Rows, name: str) -> bool:
    values = _values(rows, name)
    return 0 < len({str(value) for value in values}) <= min(KINDS_MAX, max(1, len(values) // 2))


def _are_unique(rows: _Rows, names: tuple[str, ...]) -> bool:
    keys = [tuple(str(row.get(name) or "") for name in names) for row in rows]
    return all(all(key) for key in keys) and len(set(keys)) == len(keys)


def _fits(rows: _Rows, column: str, asked: AttributeType) -> bool:
    values = _values(rows, column)
    return bool(values) and all(typed_value(asked, value) is not None for value in values)
