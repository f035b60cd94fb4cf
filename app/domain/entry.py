"""An entry is one immutable line of the ledger. `post` decides, `apply` evolves; both are pure."""

from collections.abc import Sequence
from uuid import UUID

from app.domain.account import Account, LastEffective
from app.domain.chain import linked
from app.domain.crossing import Cause, Crossing
from app.domain.immutable import immutable
from app.domain.instant import Instant
from app.domain.memory import Masses, fading, felt_now, moved, rebased
from app.domain.merging import came_last, carried_of, is_closing, masses_merged
from app.domain.outlook import Outlook, look_again
from app.domain.policy import HalfLives, Memory, Policy
from app.domain.standing import Place, direction_of, place_of
from app.domain.tariff import is_system_kind


@immutable
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


@immutable
class Draft:
    """What is to be posted, before it has a place in the ledger. `context` is RFC 8785 text.

    `carried` is what a merge's line carries (`domain/merging.py` reads it), None of all others.
    """

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
    carried: str | None = None


@immutable
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
    entry = Entry(
        entry_id=draft.entry_id,
        kind=draft.kind,
        points=draft.points,
        value_at=draft.value_at,
        memory=draft.memory,
        source=draft.source,
        external_id=draft.external_id,
        tariff_version=draft.tariff_version,
        api_key_id=draft.api_key_id,
        reverses=draft.reverses,
        context=draft.context,
        sealed=draft.sealed,
        content_hash=draft.content_hash,
        carried=draft.carried,
        position=head.position + 1,
        account_id=account.account_id,
        sequence=account.sequence + 1,
        balance_after=account.balance + draft.points,
        booked_at=booked_at,
        hash=b"",
        silent=silent,
    )
    # Nobody has seen it yet; a second one, for the hash alone, would cost as much as the hash.
    object.__setattr__(entry, "hash", linked(head.hash, entry))
    return entry


def moved_on(head: Head, entry: Entry) -> Head:
    """The head after an entry."""
    assert entry.position == head.position + 1
    return Head(
        book=head.book,
        position=entry.position,
        hash=entry.hash,
        booked_at=entry.booked_at,
        tariff_version=head.tariff_version,
        policy_version=head.policy_version,
        generation=head.generation,
        replaying=head.replaying,
        replayed_to=entry.position if head.replaying else head.replayed_to,
        messages=head.messages,
        clock_ahead=head.clock_ahead,
    )


def apply(
    account: Account,
    entry: Entry,
    policy: Policy,
    *,
    predecessor: LastEffective | None = None,
    heaviest: str | None = None,
) -> tuple[Account, Crossing | None]:
    """The account after an entry, and the crossing that the entry causes, if any.

    Requires an account advanced to `entry.booked_at`. `predecessor` is the last effective entry once the
    reversed one is gone; pass `account.last` itself where the reversed one was not the last. `heaviest` is what the
    account keeps after it, None if that is not looked after here.
    """
    assert entry.sequence == account.sequence + 1
    assert entry.balance_after == account.balance + entry.points
    at, before, lives = entry.booked_at, account.place, policy.half_lives
    masses = masses_after(rebased(account.masses, lives, at), entry, lives)
    last = last_after(account.last, entry, predecessor)
    outlook = Outlook(masses, last.direction if last else None, lives, policy.thresholds_of(account.segment))
    felt = felt_now(masses)
    place = place_of(felt, outlook.last, outlook.limits)
    crossing = None if place == before else caused(entry, before, place)
    look = max(look_again(outlook, place, felt), at + 1)
    return entered(account, entry, masses, last, look, [crossing] if crossing else [], heaviest), crossing


def entered(
    account: Account,
    entry: Entry,
    masses: Masses,
    last: LastEffective | None,
    look_again_at: Instant,
    crossings: Sequence[Crossing],
    heaviest: str | None = None,
) -> Account:
    """The account after an entry, and after the crossings, in order, since it was what it is given as."""
    turned = [each.at for each in crossings if each.before.standing is not each.after.standing]
    return Account(
        account_id=account.account_id,
        opened_at=account.opened_at,
        sequence=entry.sequence,
        position=entry.position,
        balance=entry.balance_after,
        masses=masses,
        last=last,
        last_entry_at=entry.booked_at,
        place=crossings[-1].after if crossings else account.place,
        standing_since=turned[-1] if turned else account.standing_since,
        crossings=account.crossings + len(crossings),
        crossed_at=crossings[-1].at if crossings else account.crossed_at,
        look_again_at=look_again_at,
        touched_at=entry.booked_at,
        segment=account.segment,
        value=account.value,
        heaviest=heaviest,
    )


def caused(entry: Entry, before: Place, after: Place) -> Crossing:
    """The crossing that an entry causes."""
    cause = Cause.MERGE if entry.carried else Cause.ENTRY if entry.reverses is None else Cause.REVERSAL
    return Crossing(at=entry.booked_at, cause=cause, before=before, after=after, position=entry.position)


def masses_after(masses: Masses, entry: Entry, half_lives: HalfLives) -> Masses:
    """The masses with an entry in them, all true at its `booked_at`; a reversal takes out what its original entered."""
    if entry.carried is not None:
        return masses_merged(masses, entry, half_lives)
    if entry.reverses is None:
        return moved(masses, half_lives, entry.points, entry.memory, entry.value_at, 1)
    return moved(masses, half_lives, -entry.points, entry.memory, entry.value_at, -1)


def felt_of(entry: Entry, half_lives: HalfLives, t: Instant) -> float:
    """What is felt of a line at `t`, in points, signed; of a merge's line that of all that it carries."""
    if entry.carried is not None:
        return carried_of(entry.carried).felt_at(half_lives, t)
    return entry.points * fading(half_lives.of(entry.memory), t - entry.value_at)


def weight_of(entry: Entry, half_lives: HalfLives, t: Instant) -> float:
    """How much is added and taken away in all where a line is summed up, in points: what float noise is a part of."""
    if entry.carried is not None:
        return carried_of(entry.carried).weight_at(half_lives, t)
    return abs(felt_of(entry, half_lives, t))


def last_after(
    last: LastEffective | None, entry: Entry, predecessor: LastEffective | None = None
) -> LastEffective | None:
    """The last effective entry once there is one more; `predecessor` once a reversal has taken one out."""
    if entry.reverses is not None:
        return predecessor
    if is_closing(entry):
        return None
    came = came_last(entry)
    if came is not None:
        mine = came[1]
    elif entry.is_effective:
        mine = LastEffective(entry.value_at, entry.sequence, direction_of(entry.points))
    else:
        return last
    return last if last is not None and last > mine else mine
