"""The policy: half-lives and thresholds, versioned. Figures of DESIGN section 3."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from math import inf, log

from app.domain.instant import DAY, HOUR, Instant


class Memory(StrEnum):
    """How an entry fades. `fresh` is no entry's memory: it counts credits once more, for momentum."""

    LASTING = "lasting"
    PASSING = "passing"
    DEEP = "deep"
    OBSERVED = "observed"


MEMORIES = (Memory.LASTING, Memory.PASSING, Memory.DEEP, Memory.OBSERVED)
PerMemory = tuple[float, float, float, float, float]
"""A number of each of MEMORIES, and of `fresh`."""


@dataclass(frozen=True, kw_only=True)  # no slots: what follows from them is worked out once
class HalfLives:
    """Half-lives in days; None never fades. `passing` may not exceed `lasting`."""

    lasting: float | None = 180.0
    passing: float | None = 90.0
    deep: float | None = 365.0
    observed: float | None = 120.0
    fresh: float | None = 14.0

    def of(self, memory: Memory) -> float | None:
        """The half-life in days of an entry's memory."""
        value: float | None = getattr(self, memory.value)
        return value

    @cached_property
    def spans(self) -> PerMemory:
        """In microseconds, of MEMORIES and then of `fresh`; infinite where nothing fades."""
        return self._each(lambda days: inf if days is None else days * DAY)

    @cached_property
    def rates(self) -> PerMemory:
        """Per day, of MEMORIES and then of `fresh`: what is felt after x days is e^(-rate · x) of it."""
        return self._each(lambda days: 0.0 if days is None else log(2.0) / days)

    def _each(self, number: Callable[[float | None], float]) -> PerMemory:
        lasting, passing, deep, observed = (number(self.of(memory)) for memory in MEMORIES)
        return lasting, passing, deep, observed, number(self.fresh)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Where standings begin, in points (ratios where the name says so)."""

    evidence: float = 3.0
    marked: float = -15.0
    deep: float = -50.0
    glow: float = 15.0
    clean_ratio: float = 4.0
    fresh: float = 10.0
    rising_ratio: float = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One version of the policy. Thresholds may differ per segment; half-lives are one set per book.

    Spans are whole microseconds: a cause is told of if it mattered at most `alert_within` before it was booked, and an
    account's changes of place are told of in the same words once in `quiet_for`, unless its depth worsens.
    """

    version: int = 1
    half_lives: HalfLives = HalfLives()
    thresholds: Thresholds = Thresholds()
    segments: Mapping[str, Thresholds] = field(default_factory=dict[str, Thresholds])
    alert_within: int = 48 * HOUR
    quiet_for: int = 24 * HOUR

    def thresholds_of(self, segment: str | None) -> Thresholds:
        """The thresholds in force for a segment; the book's own where it has none."""
        if segment is None:
            return self.thresholds
        return self.segments.get(segment, self.thresholds)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySwitch:
    """From `adopted_at` on, for every line after `from_position`, `policy` is in force."""

    policy: Policy
    from_position: int
    adopted_at: Instant


@dataclass(frozen=True, slots=True)
class PolicyHistory:
    """Every policy that a book had up to some version, in order; the first one from position 0 on."""

    switches: tuple[PolicySwitch, ...]

    @classmethod
    def always(cls, policy: Policy) -> "PolicyHistory":
        """One policy from ever on."""
        return cls((PolicySwitch(policy=policy, from_position=0, adopted_at=0),))

    @property
    def in_force(self) -> Policy:
        """The last of them."""
        return self.switches[-1].policy

    def from_line(self, position: int) -> tuple[Policy, tuple[PolicySwitch, ...]]:
        """The policy under which the line at `position` was booked, and the switches after that line."""
        earlier = [switch for switch in self.switches if switch.from_position < position]
        return earlier[-1].policy, self.switches[len(earlier) :]

    def under(self, position: int, at: Instant) -> Policy:
        """The policy in force when something befell at `at` an account whose first line is at `position`.

        What comes at the very instant of a switch comes before it.
        """
        begun, switches = self.from_line(position)
        if not switches:
            return begun
        return next((each.policy for each in reversed(switches) if each.adopted_at < at), begun)
