"""The fold of one account: its entries, customer changes and policy switches make its state and its crossings."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import inf
from uuid import UUID

from app.domain.account import Account, LastEffective, opened
from app.domain.crossing import Cause, Crossing, advance
from app.domain.entry import Entry, apply, masses_after, placed
from app.domain.instant import Instant
from app.domain.memory import Masses
from app.domain.policy import HalfLives, Policy, PolicySwitch
from app.domain.standing import direction_of, place_at


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerChange:
    """From `changed_at` on, all that is known of the customer beside the ledger.

    `segment` is None in none; `value`, finite and not negative, is None where nobody said.
    """

    changed_at: Instant
    segment: str | None
    value: float | None


NOTHING_KNOWN = CustomerChange(changed_at=0, segment=None, value=None)
"""What is known of a customer before the first change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """What a fold gives: the account, and every crossing in order."""

    account: Account
    crossings: tuple[Crossing, ...]


Step = Entry | CustomerChange | PolicySwitch


def fold(
    account_id: UUID,
    entries: Sequence[Entry],
    changes: Iterable[CustomerChange],
    policy: Policy,
    switches: Iterable[PolicySwitch] = (),
) -> Folded:
    """Fold one account's entries (by sequence), customer changes and policy switches, in the order of their instants.

    Requires at least one entry; `policy` is in force when it is booked.
    """
    account = opened(account_id, entries[0].booked_at)
    crossings: list[Crossing] = []
    effective: dict[UUID, LastEffective] = {}
    steps: list[Step] = [*entries, *changes, *switches]
    for step in sorted(steps, key=_booked):
        account, passed = advance(account, policy, _booked(step)[0])
        crossings.extend(passed)
        match step:
            case CustomerChange():
                account, crossing = described(account, policy, step)
            case PolicySwitch():
                masses = masses_under(step.policy, policy, account, entries[: account.sequence])
                policy = step.policy
                account, crossing = switched(account, policy, masses, at=step.adopted_at)
            case _:
                account, crossing = apply(account, step, policy, predecessor=_tracked(effective, step))
        crossings.extend([crossing] if crossing else [])
    return Folded(account=account, crossings=tuple(crossings))


def switched(account: Account, policy: Policy, masses: Masses, *, at: Instant) -> tuple[Account, Crossing | None]:
    """The account under another policy, and the crossing if that places it elsewhere. Nothing touched it.

    Requires an account advanced to `at` under the policy before, and its `masses` under the new half-lives.
    """
    moved = replace(account, masses=masses)
    direction = moved.last.direction if moved.last else None
    place = place_at(masses, direction, policy.half_lives, policy.thresholds_of(moved.segment), at)
    return placed(moved, policy, place_is=place, at=at, cause=Cause.POLICY, position=None)


def masses_under(policy: Policy, before: Policy, account: Account, entries: Sequence[Entry]) -> Masses:
    """The account's masses as `policy` makes them, true at the same instant as those `before` made.

    `entries` are all of the account so far; they are not looked at where the half-lives stay.
    """
    if policy.half_lives == before.half_lives:
        return account.masses
    return remembered(entries, policy.half_lives)


def remembered(entries: Sequence[Entry], half_lives: HalfLives) -> Masses:
    """The masses that entries leave, true when the last was booked. Requires at least one, by sequence.

    Entry by entry as they were posted: so the numbers are the same to the last bit, whoever works them out.
    """
    masses = Masses(at=entries[0].booked_at)
    for entry in entries:
        masses = masses_after(masses, entry, half_lives)
    return masses


def described(account: Account, policy: Policy, change: CustomerChange) -> tuple[Account, Crossing | None]:
    """The account with what is newly known, and the crossing if another segment's thresholds place it elsewhere.

    Requires an account advanced to `change.changed_at`.
    """
    assert change.value is None or 0 <= change.value < inf
    moved = replace(account, segment=change.segment, value=change.value, touched_at=change.changed_at)
    if change.segment == account.segment:
        return moved, None
    place = place_at(
        moved.masses,
        moved.last.direction if moved.last else None,
        policy.half_lives,
        policy.thresholds_of(change.segment),
        change.changed_at,
    )
    return placed(moved, policy, place_is=place, at=change.changed_at, cause=Cause.SEGMENT, position=None)


def _booked(step: Step) -> tuple[Instant, int]:
    """A change and a switch have an instant of their own, since every writer raises the head's booked_at."""
    match step:
        case CustomerChange():
            return step.changed_at, 0
        case PolicySwitch():
            return step.adopted_at, 0
        case _:
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
