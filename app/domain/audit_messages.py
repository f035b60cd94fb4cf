"""Law 6 as a check on one account: what was told of it against what its life implies."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import TypeVar

from app.domain.api_key import is_sandbox
from app.domain.audit import CORRUPT, Finding
from app.domain.entry import Entry, Head
from app.domain.implied import Implied, implied_messages
from app.domain.instant import Instant
from app.domain.message import OF_BOOK, MessageType
from app.domain.policy import PolicyHistory
from app.domain.written import OnRecord, Written, is_possible

_Value = TypeVar("_Value")


def message_findings(
    book: str,
    entries: Sequence[Entry],
    recorded: Sequence[OnRecord],
    written: Sequence[Written],
    history: PolicyHistory,
) -> list[Finding]:
    """What is wrong with what was told of an account.

    Requires its entries by sequence, one at least, its crossings by ordinal and its messages by number.
    """
    where = f"account {entries[0].account_id}"
    try:
        implied = implied_messages(entries, [(each.crossing, each.recorded_at) for each in recorded], history)
        return [
            *_in_messages(where, implied, written),
            *_in_announced(where, implied, recorded),
            *_in_recorded(where, is_sandbox(book), entries, recorded),
        ]
    except CORRUPT as error:
        return [
            Finding(law=6, where=where, what=f"What there is to tell of it does not fold ({type(error).__name__}).")
        ]


def number_findings(gaps: Iterable[int], last: int, head: Head) -> Iterator[Finding]:
    """What is wrong with the numbers of a book's messages, given those before which one is missing."""
    for number in gaps:
        yield Finding(law=6, where=f"message {number}", what=f"There is no message {number - 1} before it.")
    if head.messages != last:
        what = f"It says that the last message is {head.messages}; the last one kept is {last}."
        yield Finding(law=6, where="head", what=what)


def book_findings(
    announced: Sequence[tuple[int, Instant]], signed: Sequence[tuple[int, Instant]], written: Sequence[Written]
) -> Iterator[Finding]:
    """What is wrong with a book's messages about no account, by number.

    `announced` are the version and the instant of each policy whose adoption was to be told, `signed` the number and
    the instant of each checkpoint.
    """
    for each in written:
        if each.types != (each.type,) or each.type not in OF_BOOK:
            what = f"It is about no account, yet it is of type {each.type} and types {', '.join(each.types)}."
            yield Finding(law=6, where=f"message {each.number}", what=what)
    for type_, name, done, causes in (
        (MessageType.POLICY_ADOPTED, "policy", "adopted", announced),
        (MessageType.CHECKPOINT_SIGNED, "checkpoint", "signed", signed),
    ):
        told = [each for each in written if each.type is type_]
        for each in _unpaired(told, Counter(at for _, at in causes), lambda message: message.at):
            what = f"No {name} that is to be told of was {done} at {each.at}."
            yield Finding(law=6, where=f"message {each.number}", what=what)
        for number, at in _unpaired(causes, Counter(each.at for each in told), lambda cause: cause[1]):
            what = f"No message tells that it was {done} at {at}."
            yield Finding(law=6, where=f"{name} {number}", what=what)


def _unpaired(each: Iterable[_Value], instants: Counter[Instant], at: Callable[[_Value], Instant]) -> Iterator[_Value]:
    """Those beyond as many as there are of their instant."""
    for value in each:
        instants[at(value)] -= 1
        if instants[at(value)] < 0:
            yield value


def _in_messages(where: str, implied: Sequence[Implied], written: Sequence[Written]) -> Iterator[Finding]:
    """Pairs them by their instants; two of one instant in their order."""
    by_instant: dict[Instant, tuple[list[Implied], list[Written]]] = defaultdict(lambda: ([], []))
    for each in implied:
        by_instant[each.at][0].append(each)
    for its in written:
        by_instant[its.at][1].append(its)
    for at in sorted(by_instant):
        for expected, found in zip_longest(*by_instant[at]):
            yield from _in_pair(where, expected, found)


def _in_pair(where: str, implied: Implied | None, written: Written | None) -> Iterator[Finding]:
    if written is None:
        assert implied is not None
        yield Finding(law=6, where=where, what=f"It has no message of {_said(implied)}.")
    elif implied is None:
        what = f"It tells of {_said(written)}, which nothing implies."
        yield Finding(law=6, where=f"{where} message {written.number}", what=what)
    else:
        for what in _differences(implied, written):
            yield Finding(law=6, where=f"{where} message {written.number}", what=what)


def _said(told: Implied | Written) -> str:
    caused = "" if told.position is None else f" of position {told.position}"
    return f"{', '.join(told.types)}{caused} at {told.at}"


_COMPARED: tuple[tuple[str, Callable[[Implied | Written], object]], ...] = (
    ("types", lambda told: ", ".join(told.types)),
    ("position", lambda told: told.position),
    ("to_standing", lambda told: told.standing),
    ("to_depth", lambda told: told.depth),
)


def _differences(implied: Implied, written: Written) -> Iterator[str]:
    if written.type is not implied.types[0]:
        yield f"Its type is {written.type}; the gravest of what the account implies is {implied.types[0]}."
    for name, told in _COMPARED:
        if told(written) != told(implied):
            yield f"Its {name} is {told(written)}; the account implies {told(implied)}."


def _in_announced(where: str, implied: Iterable[Implied], recorded: Sequence[OnRecord]) -> Iterator[Finding]:
    told = {crossing for message in implied for crossing in message.tells_of}
    for ordinal, each in enumerate(recorded, start=1):
        if each.announced != (each.crossing in told):
            what = (
                "It is said to be announced; no message is implied." if each.announced else "It is said to be silent."
            )
            yield Finding(law=6, where=f"{where} crossing {ordinal}", what=what)


def _in_recorded(
    where: str, in_sandbox: bool, entries: Sequence[Entry], recorded: Sequence[OnRecord]
) -> Iterator[Finding]:
    """When a crossing was recorded, as far as its cause leaves no choice."""
    silent = {entry.position for entry in entries if entry.silent}
    for ordinal, each in enumerate(recorded, start=1):
        is_silent = each.crossing.position in silent
        if not is_possible(each.crossing, each.recorded_at, is_silent=is_silent, in_sandbox=in_sandbox):
            what = f"It cannot have been recorded at {each.recorded_at}, having come at {each.crossing.at}."
            yield Finding(law=6, where=f"{where} crossing {ordinal}", what=what)
