"""The fold of one account: its entries, customer changes and policy switches make its state and its crossings."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from uuid import UUID

from app.domain.account import Account, LastEffective, opened
from app.domain.ahead import Ahead
from app.domain.crossing import Cause, Crossing, advance, outlook_of
from app.domain.entry import Entry, caused, entered, last_after, masses_after
from app.domain.erasure import is_erased
from app.domain.instant import Instant
from app.domain.memory import Masses, felt_at, felt_now, rebased
from app.domain.merging import came_last, taken_back
from app.domain.outlook import Outlook, look_again, stays
from app.domain.policy import HalfLives, Policy, PolicySwitch
from app.domain.standing import Place, direction_of, place_of


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


def fold(
    account_id: UUID,
    entries: Sequence[Entry],
    changes: Iterable[CustomerChange],
    policy: Policy,
    switches: Iterable[PolicySwitch] = (),
) -> Folded:
    """Fold one account's entries (by sequence), customer changes and policy switches, in the order of their instants.

    Requires at least one entry; `policy` is in force when it is booked. Nothing follows the entry that erases.
    """
    account = opened(account_id, entries[0].booked_at)
    crossings: list[Crossing] = []
    predecessors = _predecessors(entries)
    steps: list[CustomerChange | PolicySwitch] = [*changes, *switches]
    ends_at = entries[-1].booked_at if is_erased(entries) else inf
    for step in sorted(steps, key=_befell):
        at = _befell(step)
        if at > ends_at:
            break
        account = walked(account, _booked_before(entries, account.sequence, at), policy, predecessors, crossings)
        account, passed = advance(account, policy, at)
        if isinstance(step, CustomerChange):
            account, crossing = described(account, policy, step)
        else:
            masses = masses_under(step.policy, policy, account, entries[: account.sequence])
            policy = step.policy
            account, crossing = switched(account, policy, masses, at=at)
        crossings += [*passed, crossing] if crossing else passed
    account = walked(account, entries[account.sequence :], policy, predecessors, crossings)
    return Folded(account=account, crossings=tuple(crossings))


def walked(
    account: Account,
    entries: Sequence[Entry],
    policy: Policy,
    predecessors: Mapping[int, LastEffective | None],
    crossings: list[Crossing],
) -> Account:
    """The account after entries, as `advance` and `apply` leave it one by one; `crossings` get what befell on the way.

    `predecessors` has the last effective entry after each reversal, by its sequence.
    """
    if not entries:
        return account
    lives, limits, known = policy.half_lives, policy.thresholds_of(account.segment), len(crossings)
    masses, last, place = account.masses, account.last, account.place
    direction = last.direction if last else None
    seen = min(max(masses.at, account.look_again_at - 1), entries[0].booked_at)
    felt, sequence, balance = felt_at(masses, lives, seen), account.sequence, account.balance
    for entry in entries:
        sequence, balance, at = sequence + 1, balance + entry.points, entry.booked_at
        assert entry.sequence == sequence
        assert entry.balance_after == balance
        faded = rebased(masses, lives, at)
        left = felt_now(faded)
        if not stays(place, direction, felt, left, limits):
            ahead = Ahead(Outlook(masses, direction, lives, limits), {seen: felt, at: left})
            place = _passed(ahead, place, seen, at, crossings)
        masses, felt, seen = masses_after(faded, entry, lives), left, at
        if masses is faded and entry.reverses is None:  # neutral
            continue
        last = last_after(last, entry, predecessors.get(sequence))
        direction, felt = last.direction if last else None, felt_now(masses)
        after = place_of(felt, direction, limits)
        if after is not place and after != place:
            crossings.append(caused(entry, place, after))
            place = after
    outlook = Outlook(masses, direction, lives, limits)
    look = max(look_again(outlook, place, felt), seen + 1)
    return entered(account, entries[-1], masses, last, look, crossings[known:])


def _passed(ahead: Ahead, place: Place, seen: Instant, to: Instant, crossings: list[Crossing]) -> Place:
    """Where time alone leads until `to` from where the account stood when it was last seen."""
    for at, after in ahead.changes(seen, to):
        if after != place:
            crossings.append(Crossing(at=at, cause=Cause.TIME, before=place, after=after))
            place = after
    return place


def switched(account: Account, policy: Policy, masses: Masses, *, at: Instant) -> tuple[Account, Crossing | None]:
    """The account under another policy, and the crossing if that places it elsewhere. Nothing touched it.

    Requires an account advanced to `at` under the policy before, and its `masses` under the new half-lives.
    """
    return _placed(replace(account, masses=masses), policy, at=at, cause=Cause.POLICY)


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
        masses = masses_after(rebased(masses, half_lives, entry.booked_at), entry, half_lives)
    return masses


def described(account: Account, policy: Policy, change: CustomerChange) -> tuple[Account, Crossing | None]:
    """The account with what is newly known, and the crossing if another segment's thresholds place it elsewhere.

    Requires an account advanced to `change.changed_at`.
    """
    assert change.value is None or 0 <= change.value < inf
    moved = replace(account, segment=change.segment, value=change.value, touched_at=change.changed_at)
    if change.segment == account.segment:
        return moved, None
    return _placed(moved, policy, at=change.changed_at, cause=Cause.SEGMENT)


def _placed(account: Account, policy: Policy, *, at: Instant, cause: Cause) -> tuple[Account, Crossing | None]:
    """The account where it is found to stand, and the crossing that led there, if it moved at all.

    Nothing before `at` is looked at again: what time alone did until then is recorded.
    """
    before, outlook = account.place, outlook_of(account, policy)
    felt, place = outlook.felt(at), outlook.place(at)
    outlook = outlook._replace(masses=rebased(account.masses, policy.half_lives, at))
    moved = replace(account, look_again_at=max(look_again(outlook, place, felt), at + 1))
    if place == before:
        return moved, None
    crossing = Crossing(at=at, cause=cause, before=before, after=place)
    return replace(
        moved,
        place=place,
        standing_since=account.standing_since if place.standing is before.standing else at,
        crossings=account.crossings + 1,
        crossed_at=at,
    ), crossing


def _befell(step: CustomerChange | PolicySwitch) -> Instant:
    """A change and a switch have an instant of their own, since every writer raises the head's booked_at."""
    return step.changed_at if isinstance(step, CustomerChange) else step.adopted_at


def _booked_before(entries: Sequence[Entry], done: int, at: Instant) -> Sequence[Entry]:
    end = next((n for n in range(done, len(entries)) if entries[n].booked_at >= at), len(entries))
    return entries[done:end]


def _predecessors(entries: Sequence[Entry]) -> dict[int, LastEffective | None]:
    """After each reversal, by its sequence, the last effective entry that remains without what it reversed."""
    if not [entry for entry in entries if entry.reverses is not None]:
        return {}
    effective: dict[UUID | None, LastEffective] = {}
    found: dict[int, LastEffective | None] = {}
    came: dict[UUID | None, UUID] = {}
    for entry in entries:
        if entry.reverses is not None:
            _take_out(effective, entry, came)
            found[entry.sequence] = max(effective.values(), default=None)
        elif entry.is_effective:
            effective[entry.entry_id] = LastEffective(entry.value_at, entry.sequence, direction_of(entry.points))
        elif (last := came_last(entry)) is not None:
            came[entry.entry_id] = last[0]
            effective[last[0]] = last[1]
    return found


def _take_out(effective: dict[UUID | None, LastEffective], entry: Entry, came: Mapping[UUID | None, UUID]) -> None:
    for gone in (entry.reverses, came.get(entry.reverses), *taken_back([entry])):
        effective.pop(gone, None)
