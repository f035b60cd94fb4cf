"""Which messages a life is worth, by brute force from the sentences of the design, and lives to try it on.

It shares nothing with what it judges but the values that both are given.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from hypothesis import strategies as st

from app.domain.crossing import Crossing
from app.domain.entry import Entry
from app.domain.instant import DAY, HOUR, MINUTE, Instant
from app.domain.policy import Memory, Policy
from app.domain.standing import Place
from tests.domain.paper import Paper, draft, unreversed

Message = tuple[Instant, list[str]]
Dated = tuple[Crossing, Instant | None]

ORDER = [
    "debit.deep",
    "account.overdrawn",
    "promise.broken",
    "balance.dropped",
    "account.recovered",
    "account.delighted",
    "account.about_to_be_delighted",
    "account.standing_changed",
]
RANKS = {"marked": 1, "deep": 2}
DEPTHS = {None: 0, "slight": 1, "marked": 2, "deep": 3}
WELL = ("steady", "about_to_be_delighted", "delighted")
SYSTEM_KINDS = ("account.merged", "promise.made", "promise.moved", "promise.withdrawn")


@dataclass
class Life(Paper):
    """An account kept on paper that knows when each crossing was recorded, and what every append posted."""

    recorded: list[Instant | None] = field(default_factory=list[Instant | None])

    def append(self, events: Sequence["Event"], *, after: int, is_silent: bool = False) -> list[Entry]:
        """What one append posts on the account."""
        at, begun = self.now + after, len(self.entries)
        for event in events:
            self._post(event, at)
        for index in range(begun, len(self.entries)):
            self.entries[index] = replace(self.entries[index], silent=is_silent)
        self.note(at)
        return self.entries[begun:]

    def note(self, at: Instant | None) -> None:
        """The crossings that are new were recorded at `at`."""
        self.recorded += [at] * (len(self.crossings) - len(self.recorded))

    @property
    def dated(self) -> list[Dated]:
        """Every crossing, and when it was recorded."""
        return list(zip(self.crossings, self.recorded, strict=True))

    def _post(self, event: "Event", at: Instant) -> None:
        standing = unreversed(self.entries)
        if event.reverses is not None:
            if standing:
                self.reverse(standing[event.reverses % len(standing)], at=at)
            return
        name = f"promise/crm/{self.head.position}/2026-01-01T00:00:00Z/1" if event.is_step else str(self.head.position)
        drafted = draft(
            self.head.position + 1,
            value_at=at - event.lag,
            points=event.points,
            memory=event.memory,
            kind=event.kind,
            source="goodwill" if event.is_step else "crm",
            external_id=name,
        )
        self.book(drafted, at=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An entry of the past `lag`, or the reversal of one that can still be reversed, counted from the first."""

    points: int = 0
    memory: Memory = Memory.PASSING
    lag: int = 0
    kind: str = "wait.excessive"
    is_step: bool = False
    reverses: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """`after` the one before: an append of some events, or a look at the account, as a clock that lags would take."""

    after: int
    events: tuple[Event, ...] = ()
    is_silent: bool = False
    lag: int | None = 0


edges = [0, 1, DAY - 1, DAY, DAY + 1, 2 * DAY, 2 * DAY + 1]
events = st.builds(
    Event,
    points=st.sampled_from([-60, -45, -30, -29, -20, -15, -10, -1, 0, 5, 12, 20, 45]) | st.integers(-100, 100),
    memory=st.sampled_from([Memory.PASSING, Memory.LASTING, Memory.DEEP]),
    lag=st.just(0) | st.sampled_from(edges) | st.integers(0, 4 * DAY),
    kind=st.sampled_from(["wait.excessive", "wait.excessive", "wait.excessive", "promise.moved"]),
    is_step=st.booleans(),
)
undoings = st.builds(Event, reverses=st.integers(-3, 3))
steps = st.builds(
    Step,
    after=st.integers(1, 3 * DAY) | st.sampled_from([1, HOUR, *edges[2:], 90 * DAY, 400 * DAY]),
    events=st.lists(events | events | undoings, max_size=4).map(tuple),
    is_silent=st.sampled_from([False, False, False, True]),
    lag=st.none() | st.sampled_from([0, 0, MINUTE, 2 * DAY, 2 * DAY + 1]),
)
lives = st.lists(steps, min_size=1, max_size=10)


def brute(life: Life, policy: Policy) -> list[Message]:
    """The messages of a life under one policy, each with its instant and its types."""
    causes: list[tuple[Instant, int, Dated | None]] = [
        (each[0].at, 0, each) for each in life.dated if each[0].position is None
    ]
    causes += [(at, 1, None) for at in {entry.booked_at for entry in life.entries}]
    messages: list[tuple[Instant, list[str], int]] = []
    for at, is_group, passed in sorted(causes, key=lambda cause: cause[:2]):
        names = _of_time(passed, policy) if passed else _of_group(life, at, policy)
        depth = DEPTHS[_depth_then(life, at, bool(is_group))]
        kept = [name for name in ORDER if name in names and not _is_quiet(name, at, depth, messages, policy)]
        if kept:
            messages.append((at, kept, depth))
    return [(at, names) for at, names, _ in messages]


def named(before: Place, after: Place) -> set[str]:
    """What the way from one place to another is called."""
    found: set[str] = set()
    if RANKS.get(str(after.depth), 0) > RANKS.get(str(before.depth), 0):
        found.add("account.overdrawn")
    if str(before.standing) == "overdrawn" and str(after.standing) in WELL:
        found.add("account.recovered")
    if str(after.standing) == "delighted" != str(before.standing):
        found.add("account.delighted")
    if after.standing == "about_to_be_delighted" and before.standing not in ("about_to_be_delighted", "delighted"):
        found.add("account.about_to_be_delighted")
    return found or ({"account.standing_changed"} if before.standing != after.standing else set())


def _of_time(passed: Dated, policy: Policy) -> set[str]:
    crossing, recorded_at = passed
    is_live = recorded_at is not None and recorded_at - crossing.at <= policy.alert_within
    return named(crossing.before, crossing.after) if is_live else set()


def _of_group(life: Life, at: Instant, policy: Policy) -> set[str]:
    group = [entry for entry in life.entries if entry.booked_at == at]
    gone = {entry.reverses for entry in group}
    found: set[str] = set()
    for entry in (each for each in group if _is_fresh(each, policy)):
        if entry.points < 0 and entry.reverses is None and entry.entry_id not in gone:
            found |= {"debit.deep"} if entry.memory == "deep" and entry.kind not in SYSTEM_KINDS else set()
            found |= {"promise.broken"} if entry.source == "goodwill" else set()
    counting = {entry.position for entry in group if _is_fresh(entry, policy)}
    way = [crossing for crossing in life.crossings if crossing.position in counting]
    whole = [crossing for crossing in life.crossings if crossing.position in {entry.position for entry in group}]
    found |= named(way[0].before, way[-1].after) & named(whole[0].before, whole[-1].after) if way else set()
    first = group[0].sequence
    before = [e for e in life.entries if first - 200 <= e.sequence < first and at - 24 * HOUR <= e.booked_at]
    return found | ({"balance.dropped"} if _owed(before, policy) > -30 >= _owed(before + group, policy) else set())


def _owed(entries: list[Entry], policy: Policy) -> int:
    total = 0
    for entry in entries:
        is_gone = any(other.reverses == entry.entry_id for other in entries)
        if entry.points < 0 and entry.reverses is None and entry.kind not in SYSTEM_KINDS and not is_gone:
            total += entry.points if _is_fresh(entry, policy) else 0
    return total


def _is_fresh(entry: Entry, policy: Policy) -> bool:
    return not entry.silent and not entry.booked_at - entry.value_at > policy.alert_within


def _depth_then(life: Life, at: Instant, is_group: bool) -> str | None:
    last = None
    for crossing in life.crossings:
        if crossing.at < at or (crossing.at == at and (is_group or crossing.position is None)):
            last = crossing.after.depth
    return None if last is None else str(last)


def _is_quiet(
    name: str, at: Instant, depth: int, messages: list[tuple[Instant, list[str], int]], policy: Policy
) -> bool:
    if not name.startswith("account."):
        return False
    earlier = [(then, ended) for then, names, ended in messages if name in names]
    return bool(earlier) and at < earlier[-1][0] + policy.quiet_for and depth <= earlier[-1][1]
