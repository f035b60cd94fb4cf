"""Which entries weigh most in what is felt; and what an account keeps, so that nobody reads its lines to say so.

Two entries of one memory fade by the same factor: whichever weighs more does so for ever. So the three heaviest of each
memory, of those that nothing reversed, hold the three heaviest of all at any later instant.
"""

import heapq
import json
from collections.abc import Callable, Collection, Iterable
from decimal import Decimal
from functools import lru_cache
from json.encoder import encode_basestring as quoted
from typing import NamedTuple, TypeVar
from uuid import UUID

from app.domain.entry import Entry
from app.domain.immutable import immutable
from app.domain.instant import DAY, Instant
from app.domain.memory import fading
from app.domain.merging import Carry, carried_of, is_closing, taken_back
from app.domain.policy import MEMORIES, HalfLives, Memory

BECAUSE_MAX = 3
NOTHING_YET = "[]"
"""What an account keeps that has no entry."""


class Heavy(NamedTuple):
    """What is kept of an entry, in JSON's words: `entry_id` is hexadecimal, `memory` its value."""

    sequence: int
    entry_id: str
    kind: str
    points: int
    value_at: Instant
    memory: str


@immutable
class Share:
    """An entry and what is still felt of its points, signed."""

    entry: Heavy
    felt: float


def because(heaviest: str, half_lives: HalfLives, t: Instant) -> list[Share]:
    """What weighs most at `t` of the entries that an account keeps, heaviest first; of equal ones the later first.

    Requires `value_at <= t` of each.
    """
    felt = [
        (each.points * fading(half_lives.of(Memory(each.memory)), t - each.value_at), each)
        for each in heaviest_in(heaviest)
    ]
    felt.sort(key=lambda pair: (-abs(pair[0]), -pair[1].sequence))
    return [Share(entry=each, felt=points) for points, each in felt[:BECAUSE_MAX]]


def with_entry(heaviest: str | None, entry: Entry, half_lives: HalfLives) -> str | None:
    """What an account keeps after its next entry; None if only its lines can tell.

    So it is where one of a memory's three is reversed: there may be a fourth.
    """
    if heaviest is None or entry.carried is not None:
        return NOTHING_YET if is_closing(entry) else None
    if entry.reverses is not None:
        return _without(heaviest, entry.reverses.hex)
    if not entry.is_effective:
        return heaviest
    if heaviest.count(f'"{entry.memory.value}"]') < BECAUSE_MAX:  # it stands last in each, and last of all by sequence
        line = f'[{entry.sequence},"{entry.entry_id.hex}",{quoted(entry.kind)},{entry.points},{entry.value_at}'
        return f'{heaviest[:-1]}{"," if heaviest != NOTHING_YET else ""}{line},"{entry.memory.value}"]]'
    kept, new = json.loads(heaviest), heavy(entry)
    own = [Heavy(*each) for each in kept if each[-1] == new.memory]
    lightest = min(*own, new, key=_rank(half_lives.of(entry.memory)))
    if lightest is new:
        return heaviest
    kept.remove([*lightest])
    return _text([*kept, new])


def heaviest_of(entries: Collection[Entry], half_lives: HalfLives) -> str:
    """What an account keeps that has these entries."""
    gone = {entry.reverses for entry in entries} | taken_back(entries)
    left = (entry for entry in entries if entry.is_effective and entry.entry_id not in gone)
    own = [heavy(entry) for entry in _heaviest(left, half_lives)]
    came = [
        each
        for entry in entries
        if entry.carried is not None and entry.reverses is None and entry.entry_id not in gone
        for each in came_with(entry.carried, entry.sequence)
        if UUID(each.entry_id) not in gone
    ]
    return _text(sorted(_heaviest([*own, *came], half_lives) if came else own))


def came_with(carried: str, sequence: int) -> list[Heavy]:
    """Of the entries that came with a merge's line those that weigh most, as the survivor keeps them."""
    return [
        Heavy(sequence, each.entry_id.hex, each.kind, each.points, each.value_at, each.memory.value)
        for each in carried_of(carried).heaviest
    ]


def carry_of(heaviest: str) -> list[Carry]:
    """What an account keeps, to be carried to another."""
    return [
        Carry(UUID(each.entry_id), each.kind, each.points, each.value_at, Memory(each.memory))
        for each in heaviest_in(heaviest)
    ]


def heaviest_among(left: Iterable[Heavy], half_lives: HalfLives) -> str:
    """What an account keeps of which these are the effective entries that nothing reversed."""
    return _text(sorted(_heaviest(left, half_lives)))


def heavy(entry: Entry) -> Heavy:
    """What is kept of an entry."""
    return Heavy(entry.sequence, entry.entry_id.hex, entry.kind, entry.points, entry.value_at, entry.memory.value)


_Line = TypeVar("_Line", Entry, Heavy)


def _heaviest(lines: Iterable[_Line], half_lives: HalfLives) -> list[_Line]:
    by_memory: dict[str, list[_Line]] = {memory.value: [] for memory in MEMORIES}
    for line in lines:
        by_memory[line.memory].append(line)
    return [
        each
        for memory, own in by_memory.items()
        for each in heapq.nlargest(BECAUSE_MAX, own, key=_rank(half_lives.of(Memory(memory))))
    ]


def _rank(half_life_days: float | None) -> Callable[[Entry | Heavy], tuple[float, int, UUID | str]]:
    """Entries of one memory in their order, by the logarithm of what would be felt of each in 1970; then by sequence,
    and by their ids: what came with one merge is of one sequence.

    In any other year the order is the same, only that a float is too small, or too large, for what is felt. On any
    machine it is the same, too, so that what one stores another may verify.
    """
    if half_life_days is None:
        return lambda line: (_log2(abs(line.points)), line.sequence, line.entry_id)
    half_life = half_life_days * DAY
    return lambda line: (_log2(abs(line.points)) + line.value_at / half_life, line.sequence, line.entry_id)


@lru_cache(maxsize=4096)  # points have bounds
def _log2(magnitude: int) -> float:
    """Rounded rightly, as `math.log2` need not be."""
    return float(Decimal(magnitude).ln() / Decimal(2).ln())


def _without(heaviest: str, entry_id: str) -> str | None:
    if entry_id not in heaviest:  # so it is of nearly every account, at a fraction of the price
        return heaviest
    kept = heaviest_in(heaviest)
    gone = next((each for each in kept if each.entry_id == entry_id), None)
    if gone is None:  # a kind was called so
        return heaviest
    if sum(each.memory == gone.memory for each in kept) == BECAUSE_MAX:
        return None
    kept.remove(gone)
    return _text(kept)


def heaviest_in(heaviest: str) -> list[Heavy]:
    """What an account keeps, by sequence."""
    return [Heavy(*each) for each in json.loads(heaviest)]


def _text(kept: list[Heavy]) -> str:
    """By sequence, so that equal ones are equal texts."""
    return json.dumps(kept, separators=(",", ":"), ensure_ascii=False)
