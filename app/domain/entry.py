"""An entry is one immutable line of the ledger. `post` decides, `apply` evolves; both are pure."""

from dataclasses import dataclass, replace
from uuid import UUID

from app.domain.account import Account, LastEffective
from app.domain.chain import linked
from app.domain.crossing import Cause, Crossing, look_again_at
from app.domain.instant import Instant
from app.domain.memory import Masses, entered, rebased, withdrawn
from app.domain.policy import HalfLives, Memory, Policy
from app.domain.standing import Place, direction_of, place_at
from app.domain.tariff import is_system_kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Where a book stands: its last entry's position and hash, and the versions in force.

    `replayed_to` is the last position that was booked on a simulated clock, `generation` which rows of accounts count,
    `messages` the number of the last message; `clock_ahead`, in microseconds, is how far a sandbox's clock was moved
    ahead of the real one, 0 for other books.
    """

    book: str
    position: int
    hash: bytes
    booked_at: Instant
    tariff_version: int
    policy_version: int
    generation: int
    replaying: bool
    replayed_to: int
    messages: int
    clock_ahead: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is to be posted, before it has a place in the ledger. `context` is RFC 8785 text."""

    entry_id: UUID
    kind: str
    points: int
    value_at: Instant
    memory: Memory
    source: str
    external_id: str | None
    tariff_version: int
    api_key_id: str
    reverses: UUID | None
    context: str
    sealed: bytes
    content_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Draft):
    """One line of the ledger. `balance_after` in points; `hash` links it to the entry before.

    `silent` says that nobody is to be told of it: it is history, replayed or imported. No part of the hash.
    """

    position: int
    account_id: UUID
    sequence: int
    balance_after: int
    booked_at: Instant
    hash: bytes
    silent: bool = False

    @property
    def is_effective(self) -> bool:
        """Whether it can be the last credit or debit: not a reversal, not neutral, not of a system kind."""
        return self.reverses is None and self.points != 0 and not is_system_kind(self.kind)


def post(head: Head, account: Account, draft: Draft, *, booked_at: Instant, silent: bool = False) -> Entry:
    """The entry that books `draft` on `account` as the next line after `head`."""
    assert draft.value_at <= booked_at
    assert booked_at >= head.booked_at
    unlinked = Entry(
        **{name: getattr(draft, name) for name in Draft.__dataclass_fields__},
        position=head.position + 1,
        account_id=account.account_id,
        sequence=account.sequence + 1,
        balance_after=account.balance + draft.points,
        booked_at=booked_at,
        hash=b"",
        silent=silent,
    )
    return replace(unlinked, hash=linked(head.hash, unlinked))


def moved_on(head: Head, entry: Entry) -> Head:
    """The head after an entry."""
    assert entry.position == head.position + 1
    replayed_to = entry.position if head.replaying else head.replayed_to
    return replace(head, position=entry.position, hash=entry.hash, booked_at=entry.booked_at, replayed_to=replayed_to)


def apply(
    account: Account, entry: Entry, policy: Policy, *, predecessor: LastEffective | None = None
) -> tuple[Account, Crossing | None]:
    """The account after an entry, and the crossing that the entry causes, if any.

    Requires an account advanced to `entry.booked_at`. `predecessor` is the last effective entry once the
    reversed one is gone; pass `account.last` itself where the reversed one was not the last.
    """
    assert entry.sequence == account.sequence + 1
    assert entry.balance_after == account.balance + entry.points
    masses = masses_after(account.masses, entry, policy.half_lives)
    last = _last_after(account, entry, predecessor)
    place = place_at(
        masses,
        last.direction if last else None,
        policy.half_lives,
        policy.thresholds_of(account.segment),
        entry.booked_at,
    )
    cause = Cause.ENTRY if entry.reverses is None else Cause.REVERSAL
    posted = replace(
        account,
        sequence=entry.sequence,
        position=entry.position,
        balance=entry.balance_after,
        masses=masses,
        last=last,
        last_entry_at=entry.booked_at,
        touched_at=entry.booked_at,
    )
    after, crossing = placed(posted, policy, place_is=place, at=entry.booked_at, cause=cause, position=entry.position)
    return after, crossing


def placed(
    account: Account, policy: Policy, *, place_is: Place, at: Instant, cause: Cause, position: int | None
) -> tuple[Account, Crossing | None]:
    """The account at a newly found place, and the crossing that led there, if it moved at all.

    Nothing before `at` is looked at again: what time alone did until then is recorded.
    """
    masses = rebased(account.masses, policy.half_lives, at)
    look = max(look_again_at(account, policy, place_is, masses), at + 1)
    if place_is == account.place:
        return replace(account, look_again_at=look), None
    crossing = Crossing(at=at, cause=cause, before=account.place, after=place_is, position=position)
    moved = replace(
        account,
        place=place_is,
        standing_since=at if place_is.standing != account.place.standing else account.standing_since,
        crossings=account.crossings + 1,
        crossed_at=at,
        look_again_at=look,
    )
    return moved, crossing


def masses_after(masses: Masses, entry: Entry, half_lives: HalfLives) -> Masses:
    """The masses with an entry in them, true at its `booked_at`; a reversal takes out what its original entered."""
    move = entered if entry.reverses is None else withdrawn
    points = entry.points if entry.reverses is None else -entry.points
    return move(masses, half_lives, at=entry.booked_at, points=points, memory=entry.memory, value_at=entry.value_at)


def _last_after(account: Account, entry: Entry, predecessor: LastEffective | None) -> LastEffective | None:
    if entry.reverses is not None:
        return predecessor
    if not entry.is_effective:
        return account.last
    mine = LastEffective(value_at=entry.value_at, sequence=entry.sequence, direction=direction_of(entry.points))
    if account.last and (account.last.value_at, account.last.sequence) > (mine.value_at, mine.sequence):
        return account.last
    return mine
