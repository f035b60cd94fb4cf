"""An account kept on paper: with the domain's pure functions alone, step by step, as the append keeps it."""

from dataclasses import dataclass, field, replace
from uuid import UUID

from hypothesis import strategies as st

from app.domain.account import Account, LastEffective, opened
from app.domain.chain import genesis
from app.domain.crossing import Crossing, advance
from app.domain.entry import Draft, Entry, Head, apply, moved_on, post
from app.domain.fold import SegmentChange, masses_under, resegmented, switched
from app.domain.instant import DAY, YEAR, Instant
from app.domain.policy import MEMORIES, Memory, Policy, PolicySwitch
from app.domain.standing import direction_of
from tests.domain.strategies import NOON

ACCOUNT_ID = UUID(int=1)
EMPTY = Head(
    book="acme",
    position=0,
    hash=genesis("acme"),
    booked_at=0,
    tariff_version=1,
    policy_version=1,
    replaying=False,
    replayed_to=0,
    messages=0,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`gap` after the event before: an entry of the past `lag`, or the reversal of an earlier entry, or neither.

    `reverses` counts the entries that can still be reversed, round and round. A system `kind` is never effective.
    """

    gap: int
    points: int = 0
    memory: Memory = Memory.LASTING
    lag: int = 0
    kind: str = "apology.first"
    reverses: int | None = None


gaps = st.integers(0, 90 * DAY) | st.sampled_from([0, 1, DAY, YEAR, 4 * YEAR])
lags = st.just(0) | st.integers(0, 400 * DAY)
postings = st.builds(
    Event,
    gap=gaps,
    points=st.just(0) | st.integers(-100, 100),
    memory=st.sampled_from(MEMORIES),
    lag=lags,
    kind=st.sampled_from(["apology.first", "apology.first", "account.merged", "promise.made"]),
)
reversals = st.builds(Event, gap=gaps, reverses=st.integers(0, 5))
histories = st.lists(postings | postings | reversals, min_size=1, max_size=12)


def draft(number: int, *, value_at: Instant, **fields: object) -> Draft:
    """A draft with an id of its own; every field can be set."""
    usual = Draft(
        entry_id=UUID(int=1000 + number),
        kind="apology.first",
        points=0,
        value_at=value_at,
        memory=Memory.LASTING,
        source="crm",
        external_id=str(number),
        tariff_version=1,
        api_key_id="key",
        reverses=None,
        context="{}",
        sealed=b"sealed",
        content_hash=bytes(32),
    )
    return replace(usual, **fields)  # type: ignore[arg-type]


@dataclass
class Paper:
    """One account in one book. `now` is when the last step was booked."""

    policy: Policy = field(default_factory=Policy)
    head: Head = EMPTY
    account: Account = field(default_factory=lambda: opened(ACCOUNT_ID, NOON))
    now: Instant = NOON
    entries: list[Entry] = field(default_factory=list[Entry])
    changes: list[SegmentChange] = field(default_factory=list[SegmentChange])
    switches: list[PolicySwitch] = field(default_factory=list[PolicySwitch])
    crossings: list[Crossing] = field(default_factory=list[Crossing])

    def book(self, drafted: Draft, *, at: Instant) -> Entry:
        """Advance, post, apply."""
        self.look(at)
        entry = post(self.head, self.account, drafted, booked_at=at)
        remaining = last_of([*self.entries, entry]) if drafted.reverses else None
        self.account, crossing = apply(self.account, entry, self.policy, predecessor=remaining)
        self.head = moved_on(self.head, entry)
        self.entries.append(entry)
        self.crossings.extend([crossing] if crossing else [])
        return entry

    def credit(self, points: int, *, at: Instant | None = None, memory: Memory = Memory.LASTING) -> Entry:
        """Book points (debits too) that matter when they are booked; now, unless it says when."""
        booked_at = self.now if at is None else at
        drafted = draft(self.head.position + 1, value_at=booked_at, points=points, memory=memory)
        return self.book(drafted, at=booked_at)

    def reverse(self, entry: Entry, *, at: Instant | None = None) -> Entry:
        """Book the reversal of an entry; now, unless it says when."""
        opposite = draft(
            self.head.position + 1,
            value_at=entry.value_at,
            points=-entry.points,
            memory=entry.memory,
            kind=entry.kind,
            reverses=entry.entry_id,
        )
        return self.book(opposite, at=self.now if at is None else at)

    def look(self, at: Instant) -> None:
        """Let time pass, and record what it does, as a clock would."""
        self.now = at
        self.account, passed = advance(self.account, self.policy, at)
        self.crossings.extend(passed)

    def put_in(self, segment: str | None, *, at: Instant) -> None:
        """Change the segment."""
        self.look(at)
        change = SegmentChange(changed_at=at, segment=segment)
        self.changes.append(change)
        self.account, crossing = resegmented(self.account, self.policy, change)
        self.crossings.extend([crossing] if crossing else [])

    def switch_to(self, policy: Policy, *, at: Instant) -> None:
        """Put another policy in force."""
        self.look(at)
        masses = masses_under(policy, self.policy, self.account, self.entries)
        self.switches.append(PolicySwitch(policy=policy, from_position=self.head.position, adopted_at=at))
        self.policy = policy
        self.account, crossing = switched(self.account, policy, masses, at=at)
        self.crossings.extend([crossing] if crossing else [])

    def step(self, event: Event) -> None:
        """Do what an event says; a reversal of nothing only lets time pass."""
        at = self.now + event.gap
        if event.reverses is None:
            number = self.head.position + 1
            drafted = draft(number, value_at=at - event.lag, points=event.points, memory=event.memory, kind=event.kind)
            self.book(drafted, at=at)
            return
        standing = unreversed(self.entries)
        if standing:
            self.reverse(standing[event.reverses % len(standing)], at=at)


def unreversed(entries: list[Entry]) -> list[Entry]:
    """The entries that neither are reversals nor are reversed."""
    gone = {entry.reverses for entry in entries}
    return [entry for entry in entries if entry.reverses is None and entry.entry_id not in gone]


def last_of(entries: list[Entry]) -> LastEffective | None:
    """The last effective entry by (value_at, sequence), by looking at them all."""
    effective = [
        entry for entry in unreversed(entries) if entry.points and entry.kind not in ("account.merged", "promise.made")
    ]
    last = max(effective, key=lambda entry: (entry.value_at, entry.sequence), default=None)
    if last is None:
        return None
    return LastEffective(value_at=last.value_at, sequence=last.sequence, direction=direction_of(last.points))
