"""Law 6 as a check on one account: what was told of it against what its life implies."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import zip_longest

from app.domain.api_key import is_sandbox
from app.domain.audit import CORRUPT, Finding
from app.domain.crossing import Cause
from app.domain.entry import Entry, Head
from app.domain.implied import OF_ENTRIES, Implied, implied_messages
from app.domain.instant import Instant
from app.domain.message import OF_BOOK, MessageType
from app.domain.policy import PolicyHistory
from app.domain.written import OnRecord, Written


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
        return [Finding(law=6, where=where, what=f"What there is to tell of it does not fold ({type(error).__name__}).")]


def number_findings(gaps: Iterable[int], last: int, head: Head) -> Iterator[Finding]:
    """What is wrong with the numbers of a book's messages, given those before which one is missing."""
    for number in gaps:
        yield Finding(law=6, where=f"message {number}", what=f"There is no message {number - 1} before it.")
    if head.messages != last:
        what = f"It says that the last message is {head.messages}; the last one kept is {last}."
        yield Finding(law=6, where="head", what=what)


def adoption_findings(announced: Sequence[tuple[int, Instant]], written: Iterable[Written]) -> Iterator[Finding]:
    """What is wrong with a book's messages about no account.

    Given those by number, and the version and instant of each policy that was announced, in order.
    """
    left = list(announced)
    for each in written:
        where = f"message {each.number}"
        if each.types != (each.type,):
            yield Finding(law=6, where=where, what=f"Its type is {each.type}, its types {', '.join(each.types)}.")
        if each.type not in OF_BOOK:
            yield Finding(law=6, where=where, what=f"It is about no account, yet its type is {each.type}.")
        if each.type is MessageType.POLICY_ADOPTED:
            version = next((one for one in left if one[1] == each.at), None)
            if version is None:
                yield Finding(law=6, where=where, what=f"No policy that was to be announced was adopted at {each.at}.")
            else:
                left.remove(version)
    for number, at in left:
        yield Finding(law=6, where=f"policy {number}", what=f"No message tells of its adoption at {at}.")


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
            what = "It is said to be announced; no message is implied." if each.announced else "It is said to be silent."
            yield Finding(law=6, where=f"{where} crossing {ordinal}", what=what)


def _in_recorded(
    where: str, in_sandbox: bool, entries: Sequence[Entry], recorded: Sequence[OnRecord]
) -> Iterator[Finding]:
    """When a crossing was recorded, as far as its cause leaves no choice."""
    silent = {entry.position for entry in entries if entry.silent}
    for ordinal, each in enumerate(recorded, start=1):
        if not _is_possible(each, is_silent=each.crossing.position in silent, in_sandbox=in_sandbox):
            what = f"It cannot have been recorded at {each.recorded_at}, having come at {each.crossing.at}."
            yield Finding(law=6, where=f"{where} crossing {ordinal}", what=what)


def _is_possible(recorded: OnRecord, *, is_silent: bool, in_sandbox: bool) -> bool:
    """An entry's crossing is recorded as it comes, unless it is silent; what time does, then or later, or as history."""
    at, recorded_at = recorded.crossing.at, recorded.recorded_at
    if recorded.crossing.cause in OF_ENTRIES:
        return recorded_at == (None if is_silent else at)
    if recorded_at is None:
        return True
    if recorded.crossing.cause is Cause.TIME and not in_sandbox:
        return recorded_at >= at
    return recorded_at == at and recorded.crossing.cause is not Cause.POLICY
