"""The fold of one account: from its entries and segment changes to its state and its crossings."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from app.domain.account import Account, LastEffective, opened
from app.domain.crossing import Cause, Crossing, advance
from app.domain.entry import Entry, apply, placed
from app.domain.instant import Instant
from app.domain.policy import Policy
from app.domain.standing import direction_of, place_at


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentChange:
    """From `changed_at` on, the account is in `segment` (None: in none)."""

    changed_at: Instant
    segment: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """What a fold gives: the account, and every crossing in order."""

    account: Account
    crossings: tuple[Crossing, ...]


def fold(account_id: UUID, entries: Sequence[Entry], changes: Iterable[SegmentChange], policy: Policy) -> Folded:
    """Fold one account's entries (by sequence) and segment changes, in the order in which they were booked.

    Requires at least one entry; `value` is no part of the fold.
    """
    account = opened(account_id, entries[0].booked_at)
    crossings: list[Crossing] = []
    effective: dict[UUID, LastEffective] = {}
    steps: list[Entry | SegmentChange] = [*entries, *changes]
    for step in sorted(steps, key=_booked):
        at = _booked(step)[0]
        account, passed = advance(account, policy, at)
        crossings.extend(passed)
        if isinstance(step, SegmentChange):
            account, crossing = resegmented(account, policy, step)
        else:
            account, crossing = apply(account, step, policy, predecessor=_tracked(effective, step))
        crossings.extend([crossing] if crossing else [])
    return Folded(account=account, crossings=tuple(crossings))


def resegmented(account: Account, policy: Policy, change: SegmentChange) -> tuple[Account, Crossing | None]:
    """The account in its new segment, and the crossing if that segment's thresholds place it elsewhere.

    Requires an account advanced to `change.changed_at`.
    """
    moved = replace(account, segment=change.segment, touched_at=change.changed_at)
    place = place_at(
        moved.masses,
        moved.last.direction if moved.last else None,
        policy.half_lives,
        policy.thresholds_of(change.segment),
        change.changed_at,
    )
    return placed(moved, policy, place_is=place, at=change.changed_at, cause=Cause.SEGMENT, position=None)


def _booked(step: Entry | SegmentChange) -> tuple[Instant, int]:
    """A segment change has an instant of its own, since every writer raises the head's booked_at."""
    if isinstance(step, SegmentChange):
        return step.changed_at, 0
    return step.booked_at, step.sequence


def _tracked(effective: dict[UUID, LastEffective], entry: Entry) -> LastEffective | None:
    """Keep count of what is effective; of a reversal, the last that remains without what it reversed."""
    if entry.reverses is not None:
        effective.pop(entry.reverses, None)
        return max(effective.values(), key=lambda each: (each.value_at, each.sequence), default=None)
    if entry.is_effective:
        effective[entry.entry_id] = LastEffective(
            value_at=entry.value_at, sequence=entry.sequence, direction=direction_of(entry.points)
        )
    return None
