"""A message in words, for rooms that people read. Of what a message lacks, nothing is said."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, cast

LINE_CHARACTERS_MAX = 300
LINES_MAX = 12
LISTED_MAX = 10

Data = Mapping[str, Any]

_HAPPENED = {
    "debit.deep": "had a deep debit",
    "account.overdrawn": "is {to}",
    "promise.broken": "was let down, a promise is broken",
    "balance.dropped": "lost 30 points or more within a day",
    "account.recovered": "has recovered and is {to}",
    "account.delighted": "is delighted",
    "account.about_to_be_delighted": "is ready to be delighted",
    "account.standing_changed": "is now {to}",
    "account.merged": "is now one with another customer",
    "account.unmerged": "is no longer one with another customer",
}
_OF_THE_BOOK = {
    "policy.adopted": "A policy was adopted",
    "import.finished": "An import is finished",
    "checkpoint.signed": "A checkpoint of the ledger was signed",
    "subscription.disabled": "A webhook was disabled",
    "cause.summary": "Many messages of one cause",
    "test": "A test: this webhook works",
}


def headline(message: Data) -> str:
    """What happened, in one line: who, what, what is felt now, after which entry."""
    data: Data = message["data"]
    kind: str = message["type"]
    if "customer" not in data or kind not in _HAPPENED:
        return _line(_OF_THE_BOOK.get(kind, kind))
    happened = _HAPPENED[kind].format(to=_place(data.get("to")))
    return _line(f"{data['customer']} {happened}{_felt(_part(data, 'felt', 'after'))}{_after(data)}")


def details(message: Data) -> list[str]:
    """What else there is to say, a line each."""
    lines = _of_an_account(message) if "customer" in message["data"] else _listed(message["data"])
    return [_line(text) for text in islice(lines, LINES_MAX - 1)] + [_line(message["timestamp"])]


def log_line(message: Data) -> str:
    """When, which types, who, from where to where, after which entry: one line for a terminal."""
    data: Data = message["data"]
    facts = _in_brief(data) if "customer" in data else [_facts(data)]
    return "  ".join(_line(text) for text in (message["timestamp"], ", ".join(message["types"]), *facts) if text)


def _in_brief(data: Data) -> Iterator[str]:
    yield data["customer"]
    yield " -> ".join(dict.fromkeys((_place(data.get("from")), _place(data.get("to")))))
    yield _after(data).lstrip(", ")


def _of_an_account(message: Data) -> Iterator[str]:
    data: Data = message["data"]
    if data.get("from") and data.get("to") and data["from"] != data["to"]:
        yield f"{_place(data['from'])} -> {_place(data['to'])}"
    if data.get("balance"):
        yield f"balance {data['balance']['before']} -> {data['balance']['after']}"
    for share in data.get("because") or ():
        label = _part(share, "label", "en") or share["kind"]
        yield f"{label}: {share['points']:+d}{_felt(share.get('felt'))}"
    yield from (f"also {kind}" for kind in message["types"] if kind != message["type"])
    yield from (f"{name}: {data[name]}" for name in ("segment", "cause") if data.get(name))


def _listed(data: Data) -> Iterator[str]:
    """The facts of a message that is about no account, as they are called."""
    for name, value in data.items():
        items = cast("list[object]", value) if isinstance(value, list) else [value]
        yield from (f"{name}: {_facts(item)}" for item in items[:LISTED_MAX] if item is not None)


def _facts(value: object) -> str:
    if not isinstance(value, dict):
        return str(value)
    facts = cast("dict[str, object]", value).items()
    return ", ".join(
        f"{name} {_facts(fact)}" for name, fact in facts if fact is not None and not isinstance(fact, list)
    )


def _part(data: Data, name: str, part: str) -> Any:
    whole: Data = data.get(name) or {}
    return whole.get(part)


def _place(place: Data | None) -> str:
    if not place:
        return "elsewhere"
    depth = f" ({place['depth']})" if place.get("depth") else ""
    return str(place["standing"]).replace("_", " ") + depth


def _felt(points: float | None) -> str:
    return "" if points is None else f", felt {points:g}"


def _after(data: Data) -> str:
    """The weightiest of the entries that caused it."""
    entries = sorted(data.get("entries") or (), key=lambda entry: abs(entry["points"]), reverse=True)
    if not entries:
        return ", as time passed"
    more = f" and {len(entries) - 1} more" if entries[1:] else ""
    return f" after {entries[0]['kind']} {entries[0]['points']:+d}{more}"


def _line(text: str) -> str:
    """On one line, without what cannot be seen, not too long."""
    shown = "".join(character if character.isprintable() else " " for character in text)
    line = " ".join(shown.split())
    return line if len(line) <= LINE_CHARACTERS_MAX else line[: LINE_CHARACTERS_MAX - 1] + "…"
