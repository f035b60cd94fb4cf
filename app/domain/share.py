"""Which entries weigh most in what is felt now."""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass

from app.domain.entry import Entry
from app.domain.instant import Instant
from app.domain.memory import fading
from app.domain.policy import Policy

BECAUSE_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """An entry and what is still felt of its points, signed."""

    entry: Entry
    felt: float


def shares(entries: Iterable[Entry], policy: Policy, t: Instant) -> list[Share]:
    """What is felt at `t` of each effective entry that nothing reversed, in the order given.

    Requires that reversed entries and their reversals are left out, and `value_at <= t`.
    """
    return [
        Share(entry=entry, felt=entry.points * fading(policy.half_lives.of(entry.memory), t - entry.value_at))
        for entry in entries
        if entry.is_effective
    ]


def because(found: Iterable[Share], *, most: int = BECAUSE_MAX) -> list[Share]:
    """The shares that weigh most, heaviest first; of equal ones the later entry first."""
    return heapq.nlargest(most, found, key=lambda share: (abs(share.felt), share.entry.sequence))


def because_by(entries: Iterable[Entry], policy: Policy, t: Instant, *, sequence: int) -> list[Share]:
    """What weighed most at `t` of an account's entries up to that sequence, whatever came, or was reversed, later."""
    by_then = [entry for entry in entries if entry.sequence <= sequence]
    gone = {entry.reverses for entry in by_then}
    return because(shares((entry for entry in by_then if entry.entry_id not in gone), policy, t))
