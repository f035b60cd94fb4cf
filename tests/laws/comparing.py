"""What is shown against what the model holds; a difference names the law that it breaks."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tests.laws.model import Book
from tests.laws.model_account import Account, Crossing, Line, Message, visible
from tests.laws.model_felt import LATER, Place
from tests.laws.model_promise import Promise
from tests.laws.model_rules import DAY, Json
from tests.laws.wire import instant_in

LAWS: Mapping[int, str] = {
    1: "positions and sequences are gapless, booked_at never falls",
    2: "every balance is the one before plus the points",
    3: "the chain recomputes",
    4: "what is felt is the brute-force sum",
    5: "the crossings are those of the fold",
    6: "every message that the fold implies exists once",
    7: "what was acknowledged is present exactly once",
    8: "a result does not depend on the batch",
    9: "what is refused leaves no trace",
    10: "nothing of a book is visible through another's key",
}
SHOWN = 0.00501
"""The wire has two decimals."""


FAR_AHEAD = 1e-8
"""Of the way there: a sum that comes ever more slowly to its level does so within float noise for a while."""


def held(law: int, where: str, expected: object, actual: object) -> None:
    """The law holds there; fails naming it, and what differs."""
    if expected == actual:
        return
    if isinstance(expected, dict) and isinstance(actual, dict):
        names = [name for name in {**expected, **actual} if expected.get(name) != actual.get(name)]
        expected, actual = ({name: each.get(name) for name in names} for each in (expected, actual))
    raise AssertionError(f"law {law} ({LAWS[law]}), {where}: the model has {expected!r}, shown is {actual!r}")


def same_lines(lines: Sequence[Line], shown: Sequence[Json]) -> None:
    """The feed or a statement shows just these lines."""
    held(7, "the lines", [line.position for line in lines], [each["position"] for each in shown])
    for line, each in zip(lines, shown, strict=True):
        same_line(line, each)


def same_line(line: Line, shown: Json) -> None:
    """An entry is the model's line. The first time it is shown the model takes its id."""
    where = f"position {line.position} of {line.customer}"
    line.entry_id = line.entry_id or shown["id"]
    held(7, where, line.entry_id, shown["id"])
    for law, names in {
        1: ("position", "sequence", "booked_at"),
        2: ("points", "direction", "magnitude", "balance_after"),
        4: ("value_at", "memory"),
        7: ("customer", "interaction", "kind", "tariff_version", "context", "reverses", "reversed_by"),
    }.items():
        actual = _line_shown(shown)
        held(law, where, {name: _line_held(line)[name] for name in names}, {name: actual[name] for name in names})


def _line_held(line: Line) -> Json:
    return {
        **{name: getattr(line, name) for name in ("position", "sequence", "booked_at", "points", "balance_after")},
        **{name: getattr(line, name) for name in ("value_at", "memory", "kind", "tariff_version")},
        "customer": None if line.is_erased else line.customer,
        "direction": "neutral" if not line.points else "credit" if line.points > 0 else "debit",
        "magnitude": abs(line.points),
        "interaction": {"source": line.source, "id": line.own_id},
        "context": dict(line.context),
        "reverses": line.reverses.entry_id if line.reverses else None,
        "reversed_by": line.reversed_by.entry_id if line.reversed_by else None,
    }


def _line_shown(shown: Json) -> Json:
    context = {
        name: shown[name]
        for name in ("channel", "case", "cause", "motive", "cost", "promise")
        if shown[name] is not None
    }
    times = {name: instant_in(shown[name]) for name in ("value_at", "booked_at")}
    return {**shown, **times, "context": context}


def same_account(book: Book, account: Account, shown: Json, *, at: int) -> None:
    """An account is shown at an instant as the model has it."""
    where = f"{account.customer} at {at}"
    crossings, place = visible(account, book.policy, at)
    last = account.lines[-1]
    held(2, where, account.balance, shown["balance"])
    near(4, f"the felt balance of {where}", account.felt(book.policy, at).balance, shown["felt"])
    held(5, where, place, (shown["standing"], shown["depth"]))
    since = [each.at for each in crossings if each.before[0] != each.after[0]]
    held(
        5,
        f"standing_since of {where}",
        True,
        _same_instant((since or [account.lines[0].booked_at])[-1], shown["standing_since"]),
    )
    facts = {"sequence": last.sequence, "position": last.position, "last_entry_at": last.booked_at}
    held(
        1, where, facts, {**{name: shown[name] for name in facts}, "last_entry_at": instant_in(shown["last_entry_at"])}
    )
    held(7, where, (account.segment, account.value), (shown["segment"], shown["value"]))
    weighing = account.weighing_most(book.policy, at)
    held(4, f"how many weigh most of {where}", len(weighing), len(shown["because"]))
    for weight, each in zip(weighing, shown["because"], strict=True):
        near(4, f"because of {where}", weight, abs(each["felt"]))


def same_future(book: Book, account: Account, shown: Json, *, at: int) -> None:
    """What time alone will do next within ten years."""
    moves = [each.at for each in account.coming(book.policy, at + 3653 * DAY) if each.at > at]
    where, foretold = f"next_crossing_at of {account.customer} at {at}", shown["next_crossing_at"]
    held(5, where, bool(moves), foretold is not None)
    if moves and abs(moves[0] - instant_in(foretold)) > max(LATER, (moves[0] - at) * FAR_AHEAD):
        held(5, where, moves[0], instant_in(foretold))


def near(law: int, where: str, expected: float, actual: float) -> None:
    """Equal as far as two decimals show."""
    if abs(expected - actual) > SHOWN:
        held(law, where, expected, actual)


def same_crossings(customer: str, crossings: Sequence[Crossing], shown: Sequence[Json]) -> None:
    """Every change of place by then, and no other."""
    held(
        5,
        f"crossings of {customer}",
        [_crossing_held(each) for each in crossings],
        [_crossing_shown(each) for each in shown],
    )
    for crossing, each in zip(crossings, shown, strict=True):
        is_then = _same_instant(crossing.at, each["at"])
        held(5, f"the instant {each['at']} of a crossing of {customer}, {crossing.at}", True, is_then)


def _crossing_held(each: Crossing) -> tuple[object, ...]:
    return each.cause, each.before, each.after, each.position, each.announced


def _crossing_shown(each: Json) -> tuple[object, ...]:
    return each["cause"], place_in(each["from"]), place_in(each["to"]), each["position"], each["announced"]


def place_in(shown: Json) -> Place:
    """A place on the wire."""
    return shown["standing"], shown["depth"]


def same_messages(book: Book, since: Mapping[int, int], told: int, shown: Sequence[Json]) -> None:
    """These messages, newest first, are all that were written since each account had so many, and the book `told`.

    `since` goes by the identity of the model's accounts. What was told of the forgotten does not say of whom.
    """
    held(6, "how many messages are new", book.messages - told - sum(since.values()), len(shown))
    numbers = list(range(book.messages, book.messages - len(shown), -1))
    held(6, "the numbers of messages", numbers, [each["number"] for each in shown])
    for account in book.accounts.values():
        own = [each for each in reversed(shown) if each["customer"] == account.customer]
        expected = account.messages[since.get(id(account), 0) :]
        held(
            6,
            f"messages of {account.customer}",
            [_message_held(each) for each in expected],
            [_message_shown(each) for each in own],
        )
        for message, each in zip(expected, own, strict=True):
            held(6, f"the instant of a message of {account.customer}", True, _same_instant(message.at, each["at"]))
    of_forgotten = [each for account in book.forgotten for each in account.messages[since.get(id(account), 0) :]]
    nameless = [each for each in reversed(shown) if each["customer"] is None]
    of_book = [instant_in(each["at"]) for each in nameless if each["type"] == "policy.adopted"]
    of_nobody = [_message_shown(each) for each in nameless if each["type"] != "policy.adopted"]
    held(6, "messages of the book", book.told[told:], of_book)
    held(
        6, "messages of the forgotten", sorted(map(str, map(_message_held, of_forgotten))), sorted(map(str, of_nobody))
    )


def _message_held(each: Message) -> tuple[object, ...]:
    return each.types, each.types[0], each.place, each.position, each.magnitude, each.cause, each.segment


def _message_shown(each: Json) -> tuple[object, ...]:
    place = each["standing"], each["depth"]
    facts = [each[name] for name in ("position", "magnitude", "cause", "segment")]
    return (tuple(each["types"]), each["type"], place, *facts)


def same_promises(promises: Iterable[Promise], shown: Sequence[Json], at: int) -> None:
    """Each promise as the model has it."""
    expected = sorted(
        (each.due_at, each.name, each.shown_state(at), len(each.posted), each.customer) for each in promises
    )
    actual = sorted(
        (
            instant_in(p["due_at"]),
            (p["source"], p["id"]),
            p["state"],
            sum(s["posted"] for s in p["steps"]),
            p["customer"],
        )
        for p in shown
    )
    held(5, "the promises", expected, actual)


def _same_instant(expected: int, shown: Any) -> bool:
    return abs(expected - instant_in(shown)) <= LATER
