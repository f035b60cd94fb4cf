"""Merging two customers: what two lines carry from one account to another, and back when it is undone.

`account.merged_into` empties the account that is merged, `account.merged_from` brings to the survivor all that it held;
their reversals, in one append too, take that out again and give it back. All four say the same: what was carried.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from app.domain.account import Account, LastEffective
from app.domain.erasure import is_erased
from app.domain.instant import Instant
from app.domain.memory import Masses, fading, felt_at, moved, plus, rebased
from app.domain.policy import HalfLives, Memory
from app.domain.standing import Direction

if TYPE_CHECKING:
    from app.domain.entry import Entry

MERGED_INTO = "account.merged_into"
MERGED_FROM = "account.merged_from"
MERGES = (MERGED_INTO, MERGED_FROM)


class Carry(NamedTuple):
    """One of the entries that weigh most of those that were carried, and that nothing had reversed by then."""

    entry_id: UUID
    kind: str
    points: int
    value_at: Instant
    memory: Memory


class Taken(NamedTuple):
    """An entry that came by a merge and was reversed before that was undone: it goes back without its points."""

    entry_id: UUID
    points: int
    memory: Memory
    value_at: Instant


class Merged(NamedTuple):
    """An account that is merged into another, which may be merged itself: `survivor_id` is where that ends.

    `position` is that of the entry that brought it to the other; the line before it is the one that closed it.
    """

    account_id: UUID
    into_id: UUID
    survivor_id: UUID
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What a merge carries: the balance in `points`, the masses as they are at `masses.at`, and what weighs most.

    `last` is the last effective entry and its id, None without any. `taken` is empty but in an undoing.
    """

    source: UUID
    into: UUID
    points: int
    masses: Masses
    last: tuple[UUID, Instant, Direction] | None
    heaviest: tuple[Carry, ...]
    taken: tuple[Taken, ...] = ()

    def masses_at(self, half_lives: HalfLives, at: Instant) -> Masses:
        """What is left of it then. Requires `at >= masses.at`."""
        masses = rebased(self.masses, half_lives, at)
        for each in self.taken:
            masses = moved(masses, half_lives, each.points, each.memory, each.value_at, -1)
        return masses

    def felt_at(self, half_lives: HalfLives, at: Instant) -> float:
        """What is still felt of it then, in points, signed."""
        return felt_at(self.masses_at(half_lives, at), half_lives, at).balance

    def weight_at(self, half_lives: HalfLives, at: Instant) -> float:
        """Credits and debits together, in points, and what was taken of them."""
        felt = felt_at(self.masses, half_lives, at)
        taken = [abs(each.points) * fading(half_lives.of(each.memory), at - each.value_at) for each in self.taken]
        return felt.credits + felt.debits + sum(taken)

    @property
    def balance(self) -> int:
        """What goes back if it is undone."""
        return self.points - sum(each.points for each in self.taken)

    def text(self) -> str:
        """JSON, of equal ones the same."""
        masses = self.masses
        told = {
            "from": str(self.source),
            "into": str(self.into),
            "points": self.points,
            "at": masses.at,
            "credits": masses.credits,
            "debits": masses.debits,
            "big": masses.big,
            "fresh": masses.fresh,
            "last": self.last and [str(self.last[0]), *self.last[1:]],
            "heaviest": [[str(each.entry_id), *each[1:]] for each in self.heaviest],
            "taken": [[str(each.entry_id), *each[1:]] for each in self.taken],
        }
        return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


@lru_cache(maxsize=256)
def carried_of(text: str) -> Carried:
    """What a line carries. ValueError, LookupError or TypeError for what no merge ever wrote."""
    told = json.loads(text)
    a, b, c = (tuple(map(float, told[name])) for name in ("credits", "debits", "big"))
    if {len(a), len(b), len(c)} != {4}:
        raise ValueError("a mass is missing")
    last = told["last"]
    return Carried(
        source=UUID(told["from"]),
        into=UUID(told["into"]),
        points=int(told["points"]),
        masses=Masses(int(told["at"]), a, b, c, float(told["fresh"])),  # type: ignore[arg-type]
        last=(UUID(last[0]), int(last[1]), Direction(last[2])) if last else None,
        heaviest=tuple(Carry(UUID(own), kind, points, at, Memory(m)) for own, kind, points, at, m in told["heaviest"]),
        taken=tuple(Taken(UUID(own), points, Memory(memory), at) for own, points, memory, at in told["taken"]),
    )


def masses_merged(masses: Masses, entry: "Entry", half_lives: HalfLives) -> Masses:
    """The masses with a merge's line in them. Requires masses that are true at its `booked_at`."""
    assert entry.carried is not None
    if is_closing(entry):
        return Masses(at=masses.at)
    return plus(masses, carried_of(entry.carried).masses_at(half_lives, masses.at), sign_of(entry))


def sign_of(entry: "Entry") -> int:
    """1 where a line adds what it says; -1 where it takes it out, as the undoing of a merge does of the survivor."""
    return -1 if entry.kind == MERGED_FROM and entry.reverses is not None else 1


def came_last(entry: "Entry") -> tuple[UUID, LastEffective] | None:
    """The last effective entry of those that came with a merge's line, as the survivor has it."""
    if entry.carried is None or is_closing(entry):
        return None
    carried = carried_of(entry.carried)
    return (carried.last[0], LastEffective(carried.last[1], entry.sequence, carried.last[2])) if carried.last else None


def is_merged(entries: Sequence["Entry"]) -> bool:
    """Whether the account of these entries, in order, was merged into another: nothing else is booked on it."""
    return bool(entries) and is_closing(entries[-1])


def is_closed(entries: Sequence["Entry"]) -> bool:
    """Whether there is no account of these entries any more: it was merged into another, or its customer forgotten."""
    return is_merged(entries) or is_erased(entries)


def is_closing(entry: "Entry") -> bool:
    """Whether the line empties its account for the sake of another."""
    return entry.kind == MERGED_INTO and entry.reverses is None


def counted(entries: Iterable["Entry"]) -> list["Entry"]:
    """The lines that make up what an account holds: what was reversed is absent, and so are reversals.

    But a reversal of what came by a merge counts: its original is not among these lines. It does not where the merge's
    line is absent, too. Nothing is left of an account that is merged into another.
    """
    known = list(entries)
    own, taken = {entry.entry_id for entry in known}, taken_back(known)
    gone = {entry.reverses for entry in known} | taken
    kept = [
        entry
        for entry in known
        if entry.entry_id not in gone and (entry.reverses is None or entry.reverses not in own | taken)
    ]
    if not any(entry.carried for entry in kept):
        return [entry for entry in kept if entry.reverses is None]
    return [] if is_closing(kept[-1]) else kept


def homes_of(lines: Mapping[UUID, Sequence["Entry"]]) -> dict[UUID, UUID]:
    """Where each of these accounts leads, by all lines of each; to itself if it is not merged."""
    into = {own: carried_of(entries[-1].carried or "").into for own, entries in lines.items() if is_merged(entries)}
    homes = {own: own for own in lines}
    for own in lines:
        while homes[own] in into:
            homes[own] = into[homes[own]]
    return homes


def merges_in(lines: Iterable["Entry"]) -> list[Merged]:
    """Which accounts are merged, by all lines of a book that carry something, in order."""
    closed: dict[UUID, tuple[UUID, int]] = {}
    for line in lines:
        if is_closing(line):
            closed[line.account_id] = carried_of(line.carried or "").into, line.position + 1
        elif line.kind == MERGED_INTO:
            del closed[line.account_id]
    found: list[Merged] = []
    for own, (into, position) in closed.items():
        survivor = into
        while survivor in closed:
            survivor = closed[survivor][0]
        found.append(Merged(own, into, survivor, position))
    return sorted(found, key=lambda merged: merged.position)


def since_closed(entries: Sequence["Entry"]) -> Sequence["Entry"]:
    """The lines after the last that emptied the account."""
    closing = [n for n, entry in enumerate(entries, start=1) if is_closing(entry)]
    return entries[closing[-1] :] if closing else entries


def taken_back(entries: Iterable["Entry"]) -> set[UUID]:
    """Of what the undoings among these lines gave back, the entries without their points: reversed while merged."""
    undone = (entry.carried for entry in entries if entry.carried is not None and entry.reverses is not None)
    return {each.entry_id for text in undone for each in carried_of(text).taken}


def carried_from(account: Account, into: UUID, heaviest: Iterable[Carry], last_id: UUID | None) -> Carried:
    """All that an account holds, to be carried to another. Requires masses true at the instant of the merge."""
    last = account.last
    return Carried(
        source=account.account_id,
        into=into,
        points=account.balance,
        masses=account.masses,
        last=(last_id, last.value_at, last.direction) if last and last_id else None,
        heaviest=tuple(heaviest),
    )


def undoing(carried: Carried, taken: Iterable[Taken]) -> Carried:
    """What goes back: the same, but for what was reversed since."""
    return replace(carried, taken=tuple(taken))
