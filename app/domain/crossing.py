"""Crossings: when an account's place moves by time alone, to the microsecond, and when to look again.

Masses are fixed between entries, so all that lies ahead of an account follows from them: it is always computed from
`masses.at` over the same horizon, and who looks, when and how often cannot change it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache, partial
from math import ceil, inf, log

from app.domain.account import Account
from app.domain.exponentials import Term, first_whole, monotone_pieces, root_between, soonest, summed
from app.domain.instant import DAY, YEAR, Instant
from app.domain.memory import Felt, Masses, felt_at
from app.domain.policy import HalfLives, Policy, Thresholds
from app.domain.standing import Direction, Place, Standing, place_at, rounded

FORESIGHT = 10 * YEAR
"""No crossing is foretold further ahead, and no account stays unlooked at for longer."""
HORIZON = 1000 * YEAR
"""From `masses.at`: what has not moved by then is held never to. Instants must stay within the year 9999."""

_BELOW, _AT_MOST = -5e-7, 5e-7
"""Rounding goes in steps of 1e-6, so `rounded(d) < 0` is `< -5e-7` and `rounded(d) <= 0` is `< 5e-7`, for d as well."""
_LN2 = log(2.0)
_WITHOUT_MOMENTUM = frozenset({Standing.OVERDRAWN, Standing.DELIGHTED})
_days = partial(soonest, slack=1e-6)
"""The slack, in points, is more than the rounding's half step and float noise together."""


class Cause(StrEnum):
    """Why a place changed."""

    ENTRY = "entry"
    TIME = "time"
    REVERSAL = "reversal"
    POLICY = "policy"
    SEGMENT = "segment"
    MERGE = "merge"


@dataclass(frozen=True, slots=True, kw_only=True)
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
    way = _way_ahead(account, policy)
    place, standing_since = account.place, account.standing_since
    crossings: list[Crossing] = []
    for at, after in way:
        if account.look_again_at <= at <= to and after != place:
            crossings.append(Crossing(at=at, cause=Cause.TIME, before=place, after=after))
            standing_since = standing_since if after.standing is place.standing else at
            place = after
    latest = to + FORESIGHT - (to - account.masses.at) % FORESIGHT
    moved = replace(
        account,
        place=place,
        standing_since=standing_since,
        crossings=account.crossings + len(crossings),
        crossed_at=crossings[-1].at if crossings else account.crossed_at,
        look_again_at=min([latest, *(at for at, _ in way if at > to)]),
    )
    return moved, tuple(crossings)


def changes(account: Account, policy: Policy, *, after: Instant, until: Instant) -> list[tuple[Instant, Place]]:
    """Every change of place by time alone in (after, until] and after `masses.at`, in order, with the new place.

    Each at the first whole microsecond at which `place_at` says so; exact but for float noise near a tangency.
    """
    return [(at, place) for at, place in _way_ahead(account, policy) if after < at <= until]


def next_crossing_at(account: Account, policy: Policy, *, after: Instant) -> Instant | None:
    """The first change of place after `after` if nothing happens; None if none comes within FORESIGHT of it."""
    return min([at for at, _ in changes(account, policy, after=after, until=after + FORESIGHT)], default=None)


def look_again_at(
    account: Account, policy: Policy, place: Place | None = None, masses: Masses | None = None
) -> Instant:
    """A cheap instant from `masses.at` on, not later than the first crossing after it, at most FORESIGHT away.

    Each gap to another place over the fastest drift that could close it: conservative advancement (Mirtich 1996).
    Requires `place` to be where the account stands at `masses.at`; both are the account's own if left out.
    """
    place, masses = place or account.place, masses or account.masses
    if place.standing is Standing.NO_EVIDENCE:
        return masses.at + FORESIGHT
    view = _view_of(account, masses, policy)
    felt = felt_at(masses, view.half_lives, masses.at)
    days = min(
        _days(felt.credits + felt.debits - view.thresholds.evidence, view.mixed(1.0)),
        _days_of_balance(view, felt, place.standing),
        _days_of_momentum(view, felt, place.standing),
    )
    return masses.at + int(min(days * DAY, FORESIGHT))


@dataclass(frozen=True, slots=True)
class _View:
    """What lies ahead of an account follows from these alone; `rates` per day, of MEMORIES and then of `fresh`."""

    masses: Masses
    last: Direction | None
    half_lives: HalfLives
    thresholds: Thresholds
    rates: tuple[float, ...]

    def place(self, t: Instant) -> Place:
        return place_at(self.masses, self.last, self.half_lives, self.thresholds, t)

    def is_elsewhere(self, place: Place, t: Instant) -> bool:
        return self.place(t) != place

    def mixed(self, weight: float) -> list[Term]:
        """C + weight · W."""
        both = zip(self.rates, self.masses.credits, self.masses.debits, strict=False)
        return [(rate, credit + weight * debit) for rate, credit, debit in both]

    def fresh(self, weight: float) -> list[Term]:
        """M + weight · C."""
        faded = zip(self.rates, self.masses.credits, strict=False)
        return [(self.rates[-1], self.masses.fresh), *[(rate, weight * credit) for rate, credit in faded]]


def _view_of(account: Account, masses: Masses, policy: Policy) -> _View:
    direction = account.last.direction if account.last else None
    return _View(masses, direction, policy.half_lives, policy.thresholds_of(account.segment), _rates(policy.half_lives))


@lru_cache
def _rates(half_lives: HalfLives) -> tuple[float, ...]:
    days = (half_lives.lasting, half_lives.passing, half_lives.deep, half_lives.observed, half_lives.fresh)
    return tuple([0.0 if half_life is None else _LN2 / half_life for half_life in days])


def _days_of_balance(view: _View, felt: Felt, standing: Standing) -> float:
    """No level of the felt balance that matters here is reached sooner, nor is a glow lost."""
    thresholds, terms = view.thresholds, view.mixed(-1.0)
    glow = felt.big - thresholds.glow
    levels = [0.0]
    if standing is Standing.OVERDRAWN:
        levels += [thresholds.marked, thresholds.deep]
    elif rounded(glow) >= 0:
        levels += [thresholds.glow]
    days = min([_days(felt.balance - level, terms) for level in levels])
    if standing is Standing.DELIGHTED:
        return min(days, _days(glow, zip(view.rates, view.masses.big, strict=False)))
    return days


def _days_of_momentum(view: _View, felt: Felt, standing: Standing) -> float:
    """Momentum is neither lost nor, by a steady account, won sooner: that takes all three, and `fresh` only falls."""
    thresholds = view.thresholds
    fresh = felt.fresh - thresholds.fresh
    if view.last is not Direction.CREDIT or standing in _WITHOUT_MOMENTUM or rounded(fresh) < 0:
        return inf
    clean = felt.credits - thresholds.clean_ratio * felt.debits
    rising = felt.fresh - thresholds.rising_ratio * felt.credits
    days_clean = _days(clean, view.mixed(-thresholds.clean_ratio))
    days_rising = _days(rising, view.fresh(-thresholds.rising_ratio))
    if standing is Standing.ABOUT_TO_BE_DELIGHTED:
        return min(days_clean, days_rising, _days(fresh, view.fresh(0.0)))
    return max(0.0 if rounded(clean) >= 0 else days_clean, 0.0 if rounded(rising) >= 0 else days_rising)


def _way_ahead(account: Account, policy: Policy) -> list[tuple[Instant, Place]]:
    """Every change of place by time alone after `masses.at`, in order.

    `place_at` decides, at each instant at which a comparison flips and just before: so float noise cannot stick.
    """
    view = _view_of(account, account.masses, policy)
    seen, place = view.masses.at, view.place(view.masses.at)
    if place.standing is Standing.NO_EVIDENCE:
        return []
    flips = _flips(view)
    way: list[tuple[Instant, Place]] = []
    for probe in sorted({*flips, *(t - 1 for t in flips)}):
        while view.place(probe) != place:
            seen = first_whole(partial(view.is_elsewhere, place), seen, probe, probe)
            place = view.place(seen)
            way.append((seen, place))
        seen = probe
    return way


def _flips(view: _View) -> list[Instant]:
    """When a comparison of `place_of` changes its outcome, up to the loss of evidence, which is for good."""
    limits, horizon = view.thresholds, view.masses.at + HORIZON
    evidence = _flips_of(view, lambda f: f.credits + f.debits, view.mixed(1.0), [(limits.evidence, _BELOW)], horizon)
    end = min([horizon, *evidence])
    levels = [(0.0, _BELOW), (limits.marked, _AT_MOST), (limits.deep, _AT_MOST), (limits.glow, _BELOW)]
    balance = _flips_of(view, lambda f: f.balance, view.mixed(-1.0), levels, end)
    big = _flips_of(view, lambda f: f.big, [*zip(view.rates, view.masses.big, strict=False)], levels[-1:], end)
    return [end, *balance, *big, *_flips_of_momentum(view, end)]


def _flips_of_momentum(view: _View, end: Instant) -> list[Instant]:
    """Those of clean and rising count while `fresh` holds, which only falls."""
    limits = view.thresholds
    if view.last is not Direction.CREDIT or rounded(view.masses.fresh - limits.fresh) < 0:
        return []
    fresh = _flips_of(view, lambda f: f.fresh, view.fresh(0.0), [(limits.fresh, _BELOW)], end)
    end = min([end, *fresh])
    clean, rising = limits.clean_ratio, limits.rising_ratio
    return [
        *fresh,
        *_flips_of(view, lambda f: f.credits - clean * f.debits, view.mixed(-clean), [(0.0, _BELOW)], end),
        *_flips_of(view, lambda f: f.fresh - rising * f.credits, view.fresh(-rising), [(0.0, _BELOW)], end),
    ]


def _flips_of(
    view: _View, left: Callable[[Felt], float], terms: list[Term], levels: list[tuple[float, float]], end: Instant
) -> list[Instant]:
    """When `rounded(left - level) < edge` changes, for each (level, edge); `left` and `terms` are the same sum."""
    begun, days = view.masses.at, (end - view.masses.at) / DAY
    flips: list[Instant] = []
    for level, edge in levels:
        shifted = summed([*terms, (0.0, -level - edge)])
        holds = partial(_is_under, view, left, level, edge)
        for low, high in monotone_pieces(shifted, days):
            first, final = (min(begun + round(x * DAY), end) for x in (low, high))
            if holds(first) is not holds(final):
                root = begun + ceil(root_between(shifted, low, high) * DAY)
                flips.append(first_whole(holds, first, final, root))
    return flips


def _is_under(view: _View, left: Callable[[Felt], float], level: float, edge: float, t: Instant) -> bool:
    return rounded(left(felt_at(view.masses, view.half_lives, t)) - level) < edge
