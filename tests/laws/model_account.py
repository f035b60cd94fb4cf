"""One account of the model: its lines, its changes of place, and what is to be told of them (DESIGN 3 and 5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.laws.model_felt import NOWHERE, Felt, Place, felt, left_of, moves_by_time, place_of
from tests.laws.model_rules import SYSTEM_KINDS, Policy


@dataclass(slots=True, kw_only=True, eq=False)
class Line:
    """An entry. `content` is what was sent, but for its name and customer; `reversed_by` may come later.

    One that `is_erased` is of a customer who was forgotten since.
    """

    customer: str
    position: int
    sequence: int
    source: str
    own_id: str | None
    kind: str
    points: int
    balance_after: int
    value_at: int
    booked_at: int
    memory: str
    tariff_version: int
    content: Mapping[str, Any]
    context: Mapping[str, Any] = field(default_factory=dict[str, Any])
    reverses: "Line | None" = None
    reversed_by: "Line | None" = None
    entry_id: str = ""
    is_erased: bool = False

    @property
    def is_effective(self) -> bool:
        """Whether it may be the last credit or debit."""
        return self.reverses is None and self.points != 0 and self.kind not in SYSTEM_KINDS

    @property
    def is_step(self) -> bool:
        """Whether it is a step of a missed promise."""
        return self.source == "goodwill" and self.kind != "account.erased"


@dataclass(slots=True, kw_only=True)
class Crossing:
    """A change of place; `position` is that of the line that caused it."""

    at: int
    cause: str
    before: Place
    after: Place
    position: int | None = None
    announced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is told of an account. `at` is that of its cause."""

    at: int
    types: tuple[str, ...]
    place: Place
    position: int | None = None
    magnitude: int = 0
    cause: str | None = None
    segment: str | None = None


@dataclass(slots=True, kw_only=True)
class Account:
    """An account; `seen_at` is up to when its changes of place are in `crossings`."""

    customer: str
    seen_at: int
    lines: list[Line] = field(default_factory=list[Line])
    crossings: list[Crossing] = field(default_factory=list[Crossing])
    messages: list[Message] = field(default_factory=list[Message])
    place: Place = NOWHERE
    segment: str | None = None
    value: float | None = None

    @property
    def kept(self) -> list[Line]:
        """What is neither reversed nor a reversal."""
        return [line for line in self.lines if line.reverses is None and line.reversed_by is None]

    @property
    def balance(self) -> int:
        """The plain sum."""
        return sum(line.points for line in self.lines)

    @property
    def last_points(self) -> int:
        """The points of the last effective line, by when it mattered; 0 without one."""
        effective = [line for line in self.kept if line.is_effective]
        return max(effective, key=lambda line: (line.value_at, line.sequence)).points if effective else 0

    def felt(self, policy: Policy, at: int) -> Felt:
        """What is felt, by brute force."""
        return felt(self.kept, policy, at)

    def place_by_rules(self, policy: Policy, at: int) -> Place:
        """Where it stands, by brute force."""
        return place_of(self.felt(policy, at), self.last_points, policy.limits_of(self.segment))

    def coming(self, policy: Policy, until: int) -> list[Crossing]:
        """What time alone does to it from `seen_at` on."""
        limits = policy.limits_of(self.segment)
        moves = moves_by_time(self.kept, self.last_points, policy, limits, self.seen_at, until)
        return [Crossing(at=at, cause="time", before=before, after=after) for at, before, after in moves]

    def weighing_most(self, policy: Policy, at: int) -> list[float]:
        """What is felt of the three lines that weigh most, without signs."""
        shares = [abs(left_of(line, policy.lives[line.memory], at)) for line in self.kept if line.is_effective]
        return sorted(shares, reverse=True)[:3]

    def move(self, policy: Policy, at: int, cause: str, position: int | None = None) -> Crossing | None:
        """Look where it stands now; the crossing if that is elsewhere. Requires it to be seen up to `at`."""
        before, self.place = self.place, self.place_by_rules(policy, at)
        if before == self.place:
            return None
        crossing = Crossing(at=at, cause=cause, before=before, after=self.place, position=position)
        self.crossings.append(crossing)
        return crossing

    def see(self, policy: Policy, until: int) -> list[Crossing]:
        """Let time pass up to `until`; what it did."""
        passed = self.coming(policy, until)
        self.crossings += passed
        self.place = passed[-1].after if passed else self.place
        self.seen_at = max(self.seen_at, until)
        return passed


def visible(account: Account, policy: Policy, at: int) -> tuple[Sequence[Crossing], Place]:
    """All its crossings by then, and where it stands then, though nobody wrote anything down."""
    crossings = [*account.crossings, *account.coming(policy, at)]
    return crossings, crossings[-1].after if crossings else NOWHERE
