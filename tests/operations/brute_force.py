"""What was true at one instant as far as it was known at another: each entry weighed by itself, no mass kept.

It imports the shapes of what it reads, and nothing that works anything out.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import product
from math import fsum
from uuid import UUID

from sqlalchemy import select

from app.domain.entry import Entry
from app.domain.instant import DAY, Instant
from app.domain.policy import Policy
from app.domain.standing import NOWHERE_YET, Direction, Place
from app.queries.crossings import recorded_crossings
from app.queries.ledger_lines import entries_by_account
from app.tables import customer_changes
from tests.conftest import Bench
from tests.domain.oracle import table
from tests.operations.adopting import policies_of

NOISE = 1e-9
"""Points; nearer than this to where a comparison turns, either outcome is right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """All that is on record of one account: `reigns`, `segments` and `places` say what held from when on."""

    entries: list[Entry]
    reigns: list[tuple[Instant, Policy]]
    segments: list[tuple[Instant, str | None]]
    places: list[tuple[Instant, Place]]

    @property
    def instants(self) -> list[Instant]:
        """When anything happened, in order."""
        booked = {entry.booked_at for entry in self.entries} | {entry.value_at for entry in self.entries}
        switched = {at for lasting in (self.reigns, self.segments, self.places) for at, _ in lasting if at}
        return sorted(booked | switched)


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """An account as it was. `places` are where it may stand: one, unless a comparison is a toss-up."""

    balance: int
    felt: float
    places: set[Place]


async def lives(bench: Bench, book: str, account_ids: Collection[UUID] | None = None) -> list[Life]:
    """Every account's, or those of some."""
    switches = (await policies_of(bench, book)).switches
    reigns = [(each.adopted_at if each.from_position else 0, each.policy) for each in switches]
    async with bench.ledger.database.read(book) as tx:
        grouped = [entries async for entries in entries_by_account(tx, book, account_ids=account_ids)]
        changes = (await tx.execute(select(customer_changes).order_by(customer_changes.c.changed_at))).all()
        crossed = [await recorded_crossings(tx, book, own[0].account_id) for own in grouped]
    return [
        Life(
            entries=own,
            reigns=reigns,
            segments=[(row.changed_at, row.segment) for row in changes if row.account_id == own[0].account_id],
            places=[(each.crossing.at, each.crossing.after) for each in crossings],
        )
        for own, crossings in zip(grouped, crossed, strict=True)
    ]


def stands_as_recorded(life: Life, instants: Iterable[Instant]) -> None:
    """At each of the instants the crossings on record had led to where the account stood, as it was known then."""
    for t in instants:
        then = truth(life, as_of=t, known_at=t)
        recorded = [NOWHERE_YET, *(place for at, place in life.places if at <= t)][-1]
        assert recorded in (then.places if then else {NOWHERE_YET})


def truth(life: Life, *, as_of: Instant, known_at: Instant) -> Truth | None:
    """The account at value time `as_of` as known at `known_at`; None if nothing was known of it."""
    known = [entry for entry in life.entries if entry.booked_at <= known_at]
    gone = {entry.reverses for entry in known}
    kept = [e for e in known if e.reverses is None and e.entry_id not in gone and e.value_at <= as_of]
    if not any(entry.value_at <= as_of for entry in known):
        return None
    policy = [policy for at, policy in life.reigns if at <= known_at][-1]
    segment = [None, *(segment for at, segment in life.segments if at <= known_at)][-1]
    return Truth(
        balance=sum(entry.points for entry in kept),
        felt=_sum(kept, policy, as_of),
        places=_places(kept, policy, segment, as_of),
    )


def _places(kept: list[Entry], policy: Policy, segment: str | None, t: Instant) -> set[Place]:
    limits = policy.segments.get(segment or "", policy.thresholds)
    credit, debit = [e for e in kept if e.points > 0], [e for e in kept if e.points < 0]
    c, w = _sum(credit, policy, t), -_sum(debit, policy, t)
    b, m = _sum((e for e in credit if e.points >= 20), policy, t), _fresh(credit, policy, t)
    above = [
        _is_above(c + w, limits.evidence - 5e-7),
        _is_above(c - w, -5e-7),
        _is_above(c - w, limits.deep + 5e-7),
        _is_above(c - w, limits.marked + 5e-7),
        _is_above(b, limits.glow - 5e-7),
        _is_above(c - w, limits.glow - 5e-7),
        _is_above(c - limits.clean_ratio * w, -5e-7),
        _is_above(m, limits.fresh - 5e-7),
        _is_above(m - limits.rising_ratio * c, -5e-7),
    ]
    last = max(
        (e for e in credit + debit if not _is_system(e.kind)), key=lambda e: (e.value_at, e.sequence), default=None
    )
    direction = None if last is None else Direction.CREDIT if last.points > 0 else Direction.DEBIT
    return {table(list(signs), direction) for signs in product(*above)}


def _is_above(value: float, edge: float) -> list[bool]:
    return [value > edge] if abs(value - edge) > NOISE else [True, False]


def _sum(entries: Iterable[Entry], policy: Policy, t: Instant) -> float:
    lives_ = policy.half_lives
    days = {"lasting": lives_.lasting, "passing": lives_.passing, "deep": lives_.deep, "observed": lives_.observed}
    return fsum(_left(entry, days[entry.memory.value], t) for entry in entries)


def _fresh(credit: Iterable[Entry], policy: Policy, t: Instant) -> float:
    return fsum(_left(entry, policy.half_lives.fresh, t) for entry in credit)


def _left(entry: Entry, half_life_days: float | None, t: Instant) -> float:
    return entry.points * (1.0 if half_life_days is None else 0.5 ** ((t - entry.value_at) / DAY / half_life_days))


def _is_system(kind: str) -> bool:
    return kind.startswith("account.") or kind in {"promise.made", "promise.moved", "promise.withdrawn"}
