"""Crossings: when an account's place moves by time alone, to the microsecond, and when to look again."""

from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum

from app.domain.account import Account
from app.domain.ahead import Ahead
from app.domain.immutable import immutable
from app.domain.instant import Instant
from app.domain.outlook import FORESIGHT, Outlook, look_again
from app.domain.policy import Policy
from app.domain.standing import Place


class Cause(StrEnum):
    """Why a place changed."""

    ENTRY = "entry"
    TIME = "time"
    REVERSAL = "reversal"
    POLICY = "policy"
    SEGMENT = "segment"
    MERGE = "merge"


@immutable
class Crossing:
    """A change of place at `at`; `position` is that of the entry that caused it, None when none did."""

    at: Instant
    cause: Cause
    before: Place
    after: Place
    position: int | None = None


def advance(account: Account, policy: Policy, to: Instant) -> tuple[Account, tuple[Crossing, ...]]:
    """The account as time alone leaves it at `to`, and the crossings up to and including `to`.

    Requires that of the crossings after `masses.at` those before `look_again_at` are recorded and no others;
    promises the same for what it returns, whose `look_again_at` is the next crossing or the next whole FORESIGHT
    from `masses.at`, whichever comes first (so neither depends on `to`). Masses and `touched_at` stay.
    """
    if to < account.look_again_at:
        return account, ()
    place, standing_since = account.place, account.standing_since
    crossings: list[Crossing] = []
    look = to + FORESIGHT - (to - account.masses.at) % FORESIGHT
    for at, after in _changes(account, policy, after=account.look_again_at - 1, until=look):
        if at > to:
            look = at
            break
        if after != place:
            crossings.append(Crossing(at=at, cause=Cause.TIME, before=place, after=after))
            standing_since = standing_since if after.standing is place.standing else at
            place = after
    moved = replace(
        account,
        place=place,
        standing_since=standing_since,
        crossings=account.crossings + len(crossings),
        crossed_at=crossings[-1].at if crossings else account.crossed_at,
        look_again_at=look,
    )
    return moved, tuple(crossings)


def changes(account: Account, policy: Policy, *, after: Instant, until: Instant) -> list[tuple[Instant, Place]]:
    """Every change of place by time alone in (after, until] and after `masses.at`, in order, with the new place.

    Each at the first whole microsecond at which `place_at` says so; exact but for float noise near a tangency.
    """
    return list(_changes(account, policy, after=after, until=until))


def next_crossing_at(account: Account, policy: Policy, *, after: Instant) -> Instant | None:
    """The first change of place after `after` if nothing happens; None if none comes within FORESIGHT of it."""
    for at, _ in _changes(account, policy, after=after, until=after + FORESIGHT):
        return at
    return None


def look_again_at(account: Account, policy: Policy) -> Instant:
    """A cheap instant from `masses.at` on, not later than the first crossing after it, at most FORESIGHT away.

    Requires `account.place` to be where the account stands at `masses.at`.
    """
    outlook = outlook_of(account, policy)
    return look_again(outlook, account.place, outlook.felt(account.masses.at))


def outlook_of(account: Account, policy: Policy) -> Outlook:
    """What decides on all that time alone will do to the account."""
    direction = account.last.direction if account.last else None
    return Outlook(account.masses, direction, policy.half_lives, policy.thresholds_of(account.segment))


def _changes(account: Account, policy: Policy, *, after: Instant, until: Instant) -> Iterator[tuple[Instant, Place]]:
    return Ahead(outlook_of(account, policy)).changes(max(after, account.masses.at), until)
