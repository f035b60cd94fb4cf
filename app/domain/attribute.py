"""One attribute's value, as a tariff's `needs` asks for it; CRM placeholders send numbers as text, so text will do."""

import math
import re
from collections.abc import Callable, Mapping

from app.domain.tariff import AttributeType

# Beyond this a JSON number read as a double is no longer exact, so a sender cannot have meant it.
INTEGER_MAX = 2**53
# Longer than any double written out; keeps a text of a million digits from being parsed.
_NUMBER_LENGTH_MAX = 40
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)

ACCEPTED: Mapping[AttributeType, str] = {
    AttributeType.NUMBER: 'a finite number such as 2.5, or the same as text ("2.5")',
    AttributeType.INTEGER: 'a whole number within ±9007199254740992 such as 2, or the same as text ("2")',
    AttributeType.STRING: "text",
    AttributeType.BOOLEAN: 'true or false, or the same as text ("true")',
}


def typed_value(asked: AttributeType, sent: object) -> bool | int | float | str | None:
    """What was sent as the asked type (a float, int, str or bool); None when it is not acceptable as one."""
    return _READERS[asked](sent)


def _number(sent: object) -> float | None:
    number = _from_text(sent) if isinstance(sent, str) else sent
    if isinstance(number, bool) or not isinstance(number, int | float):
        return None
    try:
        value = float(number)
    except OverflowError:
        return None
    return value if math.isfinite(value) else None


def _integer(sent: object) -> int | None:
    number = _from_text(sent) if isinstance(sent, str) else sent
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if type(number) is not int or not -INTEGER_MAX <= number <= INTEGER_MAX:
        return None
    return number


def _string(sent: object) -> str | None:
    """Text; not a lone surrogate, which no UTF-8 can carry and the expression library refuses."""
    if not isinstance(sent, str):
        return None
    try:
        sent.encode()
    except UnicodeEncodeError:
        return None
    return sent


def _boolean(sent: object) -> bool | None:
    if isinstance(sent, bool):
        return sent
    if not isinstance(sent, str):
        return None
    return {"true": True, "false": False}.get(sent.strip().casefold())


def _from_text(text: str) -> int | float | None:
    if len(text) > _NUMBER_LENGTH_MAX:
        return None
    bare = text.strip()
    if _NUMBER.fullmatch(bare) is None:
        return None
    # An integer is read as one: by way of a double, 9007199254740993 would come out as another number.
    return int(bare) if bare.lstrip("+-").isdigit() else float(bare)


_READERS: Mapping[AttributeType, Callable[[object], bool | int | float | str | None]] = {
    AttributeType.NUMBER: _number,
    AttributeType.INTEGER: _integer,
    AttributeType.STRING: _string,
    AttributeType.BOOLEAN: _boolean,
}
