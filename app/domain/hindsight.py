"""Standing in hindsight: what was true at one instant, as far as it was known at another."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from app.domain.account import LastEffective  # noqa: TC001
from app.domain.entry import Entry, last_after, masses_after
from app.domain.instant import Instant
from app.domain.memory import Felt, Masses, felt_at
from app.domain.merging import counted, is_merged
from app.domain.policy import Policy
from app.domain.standing import Place, place_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Hindsight:
    """An account as it was at `at`: `last_entry_at` is when the last entry known was booked."""

    account_id: UUID
    at: Instant
    balance: int
    felt: Felt
    place: Place
    sequence: int
    position: int
    last_entry_at: Instant
    kept: tuple[Entry, ...]


def in_hindsight(
    entries: Iterable[Entry], policy: Policy, segment: str | None, *, as_of: Instant, known_at: Instant
) -> Hindsight | None:
    """One account at value time `as_of`, from its entries booked by `known_at`; None if there are none.

    What was reversed by `known_at` is absent; half-lives are those of `policy`.
    """
    known = [entry for entry in entries if entry.booked_at <= known_at and entry.value_at <= as_of]
    if not known or is_merged(known):
        return None
    kept = counted(known)
    felt = felt_at(_masses(kept, policy, as_of), policy.half_lives, as_of)
    last: LastEffective | None = None
    for entry in kept:
        last = last if entry.reverses else last_after(last, entry)
    newest = max(known, key=lambda entry: entry.sequence)
    return Hindsight(
        account_id=newest.account_id,
        at=as_of,
        balance=sum(entry.points for entry in kept),
        felt=felt,
        place=place_of(felt, last.direction if last else None, policy.thresholds_of(segment)),
        sequence=newest.sequence,
        position=newest.position,
        last_entry_at=newest.booked_at,
        kept=tuple(kept),
    )


def _masses(kept: Iterable[Entry], policy: Policy, at: Instant) -> Masses:
    masses = Masses(at=at)
    for entry in kept:
        masses = masses_after(masses, entry, policy.half_lives)
    return masses
