"""How the model's interactions and instants travel: in one spelling, or in another that means the same."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from tests.laws.model_rules import DAY, HOUR, SECOND, Json

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def time_of(instant: int, *, offset_hours: int = 0) -> str:
    """RFC 3339."""
    moment = _EPOCH + timedelta(microseconds=instant)
    return moment.astimezone(timezone(timedelta(hours=offset_hours))).isoformat()


def instant_in(text: str) -> int:
    """Microseconds."""
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)


def duration_of(span: int) -> str:
    """ISO 8601, of whole seconds."""
    return f"P{span // DAY}DT{span % DAY // HOUR}H{span % HOUR // SECOND}S"


def sent(content: Json, *, again: bool = False) -> Json:
    """What travels; `again` in another order and with other offsets and numbers that are the same."""
    spelled = {name: _spelled(name, value, again=again) for name, value in content.items()}
    return dict(reversed(spelled.items())) if again else spelled


def _spelled(name: str, value: Any, *, again: bool) -> Any:
    if name in ("value_at", "due_at") and value is not None:
        return time_of(value, offset_hours=2 if again else 0)
    if name == "grace":
        return duration_of(value)
    if name == "steps":
        return [{"after": duration_of(after), "points": points} for after, points in value]
    if name == "attributes" and again:
        return {key: float(each) if isinstance(each, int) else each for key, each in reversed(value.items())}
    return sent(value, again=again) if name == "replacement" else value
