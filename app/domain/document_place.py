"""Reading a JSON document and gathering every fault on the way: a place in it, and readers of its simplest parts.

A reader never raises. What is wrong is noted as a fault, and a harmless value stands in, so that reading goes on.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar, cast
from unicodedata import category

from app.domain.errors import Fault

# A problem names at most so many faults: whoever has more mends the first ones and asks again.
FAULTS_MAX = 1000
TEXT_LENGTH_MAX = 200
_NAME_SHOWN_MAX = 100
_REFUSED = frozenset({"Cc", "Cs"})

_T = TypeVar("_T")
_E = TypeVar("_E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Place:
    """Where we are in the document; all places of one document share one list of faults."""

    pointer: str = ""
    subject: str = ""
    faults: list[Fault] = field(default_factory=list[Fault])

    def at(self, name: str | int, *, subject: str = "") -> "Place":
        """The place of a member. A name no answer should carry (too long, no plain characters) shows as `?`."""
        shown = str(name)
        if not shown.isprintable() or len(shown) > _NAME_SHOWN_MAX:
            shown = "?"
        escaped = shown.replace("~", "~0").replace("/", "~1")
        return Place(f"{self.pointer}/{escaped}", subject or self.subject, self.faults)

    def refuse(self, code: str, detail: str) -> None:
        """Notes a fault here."""
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(Fault(pointer=self.pointer, code=code, detail=self.subject + detail))


def read_object(
    place: Place, value: object, *, required: Collection[str] = (), optional: Collection[str] = ()
) -> Mapping[str, object]:
    """An object with the required fields, perhaps the optional ones, and no others; those at fault are left out."""
    fields = read_names_and_values(place, value)
    known = (*required, *optional)
    for name in fields:
        if name not in known:
            place.at(name).refuse("unknown_field", f"this field is not known here; known are {', '.join(known)}.")
    for name in required:
        if name not in fields:
            place.at(name).refuse("missing_field", "this field is needed.")
    return {name: fields[name] for name in known if name in fields}


def read_names_and_values(place: Place, value: object) -> Mapping[str, object]:
    """An object whose names are free."""
    if not isinstance(value, dict):
        place.refuse("wrong_type", "an object is accepted here.")
        return {}
    members = cast("dict[object, object]", value)
    return {name: member for name, member in members.items() if isinstance(name, str)}


def read_field(
    place: Place, fields: Mapping[str, object], name: str, read: Callable[[Place, object], _T], default: _T
) -> _T:
    """A field by its reader, or the default when it is absent."""
    return read(place.at(name), fields[name]) if name in fields else default


def read_text(place: Place, value: object, *, longest: int = TEXT_LENGTH_MAX) -> str:
    """A text that says something, without controls (NUL is one) and lone surrogates."""
    if not isinstance(value, str):
        place.refuse("wrong_type", "text is accepted here.")
        return ""
    if not value.strip() or len(value) > longest or any(category(character) in _REFUSED for character in value):
        place.refuse("invalid_text", f"one line of 1 to {longest} characters is accepted here.")
        return ""
    return value


def read_integer(place: Place, value: object, *, least: int, most: int) -> int:
    """A whole number within limits."""
    if type(value) is not int:
        place.refuse("wrong_type", f"a whole number from {least} to {most} is accepted here.")
        return most
    if not least <= value <= most:
        place.refuse("out_of_range", f"a whole number from {least} to {most} is accepted here.")
        return most
    return value


def read_flag(place: Place, value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        place.refuse("wrong_type", "true or false is accepted here.")
        return False
    return value


def read_choice(place: Place, value: object, among: type[_E]) -> _E:
    """One of a few words."""
    for choice in among:
        if value == choice.value:
            return choice
    place.refuse("unknown_value", f"accepted here: {', '.join(among)}.")
    return next(iter(among))
