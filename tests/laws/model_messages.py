"""Which messages the model holds that there must be, from the sentences of DESIGN 3 and decision 15."""

from collections.abc import Iterable, Sequence

from tests.laws.model_account import Account, Crossing, Line, Message
from tests.laws.model_felt import Place
from tests.laws.model_rules import DAY, Policy

GRAVITY = (
    "debit.deep",
    "account.overdrawn",
    "promise.broken",
    "balance.dropped",
    "account.recovered",
    "account.delighted",
    "account.about_to_be_delighted",
    "account.standing_changed",
)
DROPPED = -30
DEPTHS = (None, "slight", "marked", "deep")
WELL = ("steady", "about_to_be_delighted", "delighted")


def tell_move(account: Account, crossing: Crossing, policy: Policy, *, recorded_at: int) -> None:
    """What a change of place by time or by segment is worth: it is a cause of its own."""
    if recorded_at - crossing.at <= policy.alert_within:
        types = _not_quiet(account, _way(crossing.before, crossing.after), policy, crossing.at, crossing.after)
        crossing.announced = bool(types)
        _tell(account, types, crossing.at, crossing.after, [])


def tell_lines(account: Account, lines: Sequence[Line], policy: Policy, place: Place) -> None:
    """What the lines of one append on the account are worth: one message at most; `place` is where they left it."""
    at = lines[-1].booked_at
    fresh = [line for line in lines if _is_fresh(line, policy)]
    if not fresh:
        return
    counted = _caused(account, fresh)
    names = {*_of_lines(fresh, lines), *_of_sum(account, lines, policy)}
    names |= _whole_way(counted) & _whole_way(_caused(account, lines))
    types = _not_quiet(account, names, policy, at, place)
    for crossing in counted if any(each.startswith("account.") for each in types) else ():
        crossing.announced = True
    _tell(account, types, at, place, _causing(fresh, lines))


def _of_lines(fresh: Iterable[Line], lines: Sequence[Line]) -> set[str]:
    standing = [line for line in fresh if line.points < 0 and line.reversed_by not in lines]
    deep = {"debit.deep" for line in standing if line.memory == "deep" and line.is_effective}
    return deep | {"promise.broken" for line in standing if line.is_step}


def _of_sum(account: Account, lines: Sequence[Line], policy: Policy) -> set[str]:
    """Whether the debits of a day pass -30 with these lines."""
    first = lines[0].sequence
    lately = [line for line in account.lines if line.sequence < first and line.booked_at >= lines[0].booked_at - DAY]
    is_passed = _owed(lately, policy) > DROPPED >= _owed([*lately, *lines], policy)
    return {"balance.dropped"} if is_passed else set()


def _owed(lines: Sequence[Line], policy: Policy) -> int:
    counted = [line for line in lines if line.is_effective and line.points < 0 and line.reversed_by not in lines]
    return sum(line.points for line in counted if _is_fresh(line, policy))


def _is_fresh(line: Line, policy: Policy) -> bool:
    return line.booked_at - line.value_at <= policy.alert_within


def _caused(account: Account, lines: Iterable[Line]) -> list[Crossing]:
    positions = {line.position for line in lines}
    return [crossing for crossing in account.crossings if crossing.position in positions]


def _whole_way(crossings: Sequence[Crossing]) -> set[str]:
    return _way(crossings[0].before, crossings[-1].after) if crossings else set()


def _way(before: Place, after: Place) -> set[str]:
    """What the way from one place to another is called."""
    (was, depth_before), (stands, depth) = before, after
    found: set[str] = set()
    if depth in ("marked", "deep") and DEPTHS.index(depth) > DEPTHS.index(depth_before):
        found.add("account.overdrawn")
    if was == "overdrawn" and stands in WELL:
        found.add("account.recovered")
    if stands != was and stands == "delighted":
        found.add("account.delighted")
    if stands == "about_to_be_delighted" and was not in (stands, "delighted"):
        found.add("account.about_to_be_delighted")
    return found or ({"account.standing_changed"} if was != stands else set())


def _not_quiet(account: Account, names: set[str], policy: Policy, at: int, place: Place) -> tuple[str, ...]:
    return tuple(name for name in GRAVITY if name in names and not _is_quiet(account, name, policy, at, place))


def _is_quiet(account: Account, name: str, policy: Policy, at: int, place: Place) -> bool:
    told = [message for message in account.messages if name in message.types and at - message.at < policy.quiet_for]
    is_worse = bool(told) and DEPTHS.index(place[1]) > DEPTHS.index(told[-1].place[1])
    return name.startswith("account.") and bool(told) and not is_worse


def _causing(fresh: Sequence[Line], lines: Sequence[Line]) -> Sequence[Line]:
    """What the message is about: what may be told of and still stands, or else all that may be told of."""
    standing = [line for line in fresh if line.points and line.reversed_by not in lines and line.reverses not in lines]
    return standing or fresh


def _tell(account: Account, types: tuple[str, ...], at: int, place: Place, lines: Sequence[Line]) -> None:
    if types:
        message = Message(
            at=at,
            types=types,
            place=place,
            position=lines[-1].position if lines else None,
            magnitude=max((abs(line.points) for line in lines), default=0),
            cause=next((line.context["cause"] for line in reversed(lines) if "cause" in line.context), None),
            segment=account.segment,
        )
        account.messages.append(message)
