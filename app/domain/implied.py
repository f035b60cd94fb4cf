"""Law 6: the messages that an account's whole life implies, by the same rules by which each was written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from app.domain.announcing import (
    LATELY_ENTRIES_MAX,
    Group,
    Told,
    causing,
    counting,
    crossing_types,
    group_types,
)
from app.domain.crossing import Crossing
from app.domain.entry import Entry
from app.domain.instant import Instant
from app.domain.message import ACCOUNT_TYPES, MessageType
from app.domain.policy import Policy, PolicyHistory
from app.domain.standing import NOWHERE_YET, Place, Standing
from app.domain.written import OF_ENTRIES

Dated = tuple[Crossing, Instant | None]
"""A crossing, and when it was recorded live; None if it is history, or a policy's doing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Implied(Told):
    """A message that there must be, and which crossings it tells of; `position` is that of its last causing entry."""

    standing: Standing
    position: int | None
    tells_of: tuple[Crossing, ...]


def implied_messages(entries: Sequence[Entry], crossings: Sequence[Dated], history: PolicyHistory) -> list[Implied]:
    """The account's messages in order. Requires its entries by sequence, one at least, and its crossings by ordinal."""
    told: list[Implied] = []
    for at, after, cause in _causes(entries, crossings):
        policy = history.under(entries[0].position, at)
        types = _types(cause, told, policy)
        if types:
            position, counted = _about(cause, policy)
            tells_of = () if ACCOUNT_TYPES.isdisjoint(types) else counted
            told.append(
                Implied(
                    at=at,
                    types=types,
                    depth=after.depth,
                    standing=after.standing,
                    position=position,
                    tells_of=tells_of,
                )
            )
    return told


def _types(cause: Group | Dated, told: Sequence[Told], policy: Policy) -> tuple[MessageType, ...]:
    if isinstance(cause, Group):
        return group_types(cause, told, policy)
    return crossing_types(*cause, told, policy)


def _about(cause: Group | Dated, policy: Policy) -> tuple[int | None, tuple[Crossing, ...]]:
    """The position of the last causing entry, and the crossings that count."""
    if isinstance(cause, Group):
        return causing(cause, policy)[-1].position, tuple(counting(cause, policy))
    return None, (cause[0],)


def _causes(entries: Sequence[Entry], crossings: Sequence[Dated]) -> Iterator[tuple[Instant, Place, Group | Dated]]:
    """Groups and crossings of their own in the order in which they were written, and the place that each leaves.

    What time alone did at the very instant of a group came before it.
    """
    own = [dated for dated in crossings if dated[0].cause not in OF_ENTRIES]
    of_entries = {crossing.position: crossing for crossing, _ in crossings if crossing.cause in OF_ENTRIES}
    groups = [list(group) for _, group in groupby(entries, key=lambda entry: entry.booked_at)]
    causes: list[Dated | list[Entry]] = [*own, *groups]
    place, booked = NOWHERE_YET, 0
    for cause in sorted(causes, key=_begun):
        if isinstance(cause, tuple):
            place = cause[0].after
            yield cause[0].at, place, cause
            continue
        lately = entries[max(0, booked - LATELY_ENTRIES_MAX) : booked]
        caused = [of_entries[entry.position] for entry in cause if entry.position in of_entries]
        place, booked = caused[-1].after if caused else place, booked + len(cause)
        yield cause[0].booked_at, place, Group(entries=cause, lately=lately, crossings=caused, after=place)


def _begun(cause: Dated | list[Entry]) -> tuple[Instant, int]:
    return (cause[0].at, 0) if isinstance(cause, tuple) else (cause[0].booked_at, 1)
