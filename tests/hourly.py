"""Where an account stands, found by brute force: every sum over all entries, hour by hour, and what was recorded of it.

It takes the lines of an export (docs/verification.md) and the policy as its JSON document, and imports nothing of
`app`: whatever it shares with the ledger is what DESIGN section 3 says. Instants are microseconds.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

HOUR = 3_600_000_000
DAY = 24 * HOUR
BIG = 20
SYSTEM_KINDS = ("promise.made", "promise.moved", "promise.withdrawn")

Line = Mapping[str, Any]
Place = tuple[str, str | None]
"""(standing, depth)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A change of place that was seen at `by` and not yet at `after`; that of an entry is at `by` exactly."""

    after: int
    by: int
    cause: str
    before: Place
    now: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A crossing as the ledger has it."""

    at: int
    cause: str
    before: Place
    now: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """`agreeing`: recorded, and seen to the hour. `brief`: recorded, undone within its hour, and seen by looking there.

    `unseen` were recorded and are not so; `unrecorded` were seen. The last two are empty where the two agree.
    """

    agreeing: tuple[Recorded, ...]
    brief: tuple[Recorded, ...]
    unseen: tuple[Recorded, ...]
    unrecorded: tuple[Turn, ...]


def compared(lines: Sequence[Line], policy: Mapping[str, Any], recorded: Sequence[Recorded], until: int) -> Comparison:
    """One account's recorded crossings against its turns, both ways. Requires its lines by sequence.

    Only if they differ are the recorded instants looked at, beside the hours: what came and went within one
    hour is invisible from hour to hour, and is told apart.
    """
    agreeing, unseen, unrecorded = _matched(recorded, turns(lines, policy, until))
    if not unseen and not unrecorded:
        return Comparison(agreeing=tuple(agreeing), brief=(), unseen=(), unrecorded=())
    instants = {instant for each in recorded for instant in (each.at - 1, each.at)}
    found, unseen, unrecorded = _matched(recorded, turns(lines, policy, until, also=instants))
    return Comparison(
        agreeing=tuple(each for each in found if each in agreeing),
        brief=tuple(each for each in found if each not in agreeing),
        unseen=tuple(unseen),
        unrecorded=tuple(unrecorded),
    )


def turns(lines: Sequence[Line], policy: Mapping[str, Any], until: int, *, also: Collection[int] = ()) -> list[Turn]:
    """Every change of place from the first entry to `until`: at entries, and between the hours that follow each.

    Places are looked at `also` at these instants.
    """
    place: Place = ("no_evidence", None)
    found: list[Turn] = []
    for count, line in enumerate(lines, start=1):
        booked_at = line["booked_at"]
        watched = _Watched(lines[:count], policy)
        now = watched.place(booked_at)
        if now != place:
            cause = "entry" if line["reverses"] is None else "reversal"
            found.append(Turn(after=booked_at, by=booked_at, cause=cause, before=place, now=now))
        end = lines[count]["booked_at"] if count < len(lines) else until
        found += watched.turns(booked_at, end, now, [at for at in also if booked_at < at < end])
        place = found[-1].now if found else place
    return found


class _Watched:
    """An account after some of its entries: what still counts of them, as (points, value_at, half-life)."""

    def __init__(self, lines: Sequence[Line], policy: Mapping[str, Any]) -> None:
        half_lives = {name: inf if days is None else days * DAY for name, days in policy["half_lives"].items()}
        gone = {line["reverses"] for line in lines}
        counted = [line for line in lines if line["reverses"] is None and line["entry_id"] not in gone]
        felt = [(line["points"], line["value_at"], half_lives[line["memory"]]) for line in counted]
        last = max(filter(_is_effective, counted), key=lambda each: (each["value_at"], each["sequence"]), default=None)
        self.credits = [each for each in felt if each[0] > 0]
        self.debits = [(-points, value_at, half_life) for points, value_at, half_life in felt if points < 0]
        self.big = [each for each in self.credits if each[0] >= BIG]
        self.fresh = [(points, value_at, half_lives["fresh"]) for points, value_at, _ in self.credits]
        self.ends_well = last is not None and last["points"] > 0
        self.limits: Mapping[str, float] = policy["thresholds"]

    def turns(self, start: int, end: int, place: Place, also: Iterable[int]) -> Iterator[Turn]:
        """What changes from `start`, where it is `place`, up to and including `end`."""
        after = start
        for at in sorted({*range(start + HOUR, end, HOUR), *also, *([end] if end > start else [])}):
            now = self.place(at)
            if now != place:
                yield Turn(after=after, by=at, cause="time", before=place, now=now)
                place = now
            after = at

    def place(self, t: int) -> Place:
        """The table of DESIGN section 3."""
        limits, felt_credits, felt_debits = self.limits, _sum(self.credits, t), _sum(self.debits, t)
        balance = felt_credits - felt_debits
        if round(felt_credits + felt_debits - limits["evidence"], 6) < 0:
            return "no_evidence", None
        if round(balance, 6) < 0:
            return "overdrawn", self._depth(balance)
        if round(balance - limits["glow"], 6) >= 0 and round(_sum(self.big, t) - limits["glow"], 6) >= 0:
            return "delighted", None
        if self.ends_well and self._is_rising(felt_credits, felt_debits, t):
            return "about_to_be_delighted", None
        return "steady", None

    def _depth(self, balance: float) -> str:
        if round(balance - self.limits["deep"], 6) <= 0:
            return "deep"
        return "marked" if round(balance - self.limits["marked"], 6) <= 0 else "slight"

    def _is_rising(self, felt_credits: float, felt_debits: float, t: int) -> bool:
        limits, fresh = self.limits, _sum(self.fresh, t)
        return (
            round(felt_credits - limits["clean_ratio"] * felt_debits, 6) >= 0
            and round(fresh - limits["fresh"], 6) >= 0
            and round(fresh - limits["rising_ratio"] * felt_credits, 6) >= 0
        )


def _sum(felt: Iterable[tuple[int, int, float]], t: int) -> float:
    total = 0.0
    for points, value_at, half_life in felt:
        total += points * 2.0 ** ((value_at - t) / half_life)
    return total


def _is_effective(line: Line) -> bool:
    return line["points"] != 0 and not line["kind"].startswith("account.") and line["kind"] not in SYSTEM_KINDS


def _matched(recorded: Sequence[Recorded], seen: Sequence[Turn]) -> tuple[list[Recorded], list[Recorded], list[Turn]]:
    """What is both recorded and seen, what is only recorded, and what is only seen."""
    left, found, unseen = list(seen), list[Recorded](), list[Recorded]()
    for each in recorded:
        match = next((turn for turn in left if _is_same(each, turn)), None)
        if match is None:
            unseen.append(each)
        else:
            left.remove(match)
            found.append(each)
    return found, unseen, left


def _is_same(each: Recorded, turn: Turn) -> bool:
    within = turn.after < each.at <= turn.by or each.at == turn.after == turn.by
    return within and (each.cause, each.before, each.now) == (turn.cause, turn.before, turn.now)
