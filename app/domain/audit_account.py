"""Laws 1, 2, 4 and 5 as checks on one account: its lines, and what is stored of it against their fold."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from math import fsum
from uuid import UUID

from app.domain.account import Account, LastEffective
from app.domain.audit import CORRUPT, Finding
from app.domain.audit_carried import TOLERANCE, carried_findings, numbers_of, reversal_findings
from app.domain.crossing import Crossing, advance
from app.domain.entry import Entry, felt_of, weight_of
from app.domain.fold import CustomerChange, Folded, fold
from app.domain.instant import Instant
from app.domain.memory import Masses
from app.domain.merging import is_closed, is_merged, sign_of, since_closed
from app.domain.policy import MEMORIES, Policy, PolicyHistory
from app.domain.share import heaviest_of
from app.domain.standing import Place

TINY = 1e-12
"""Points; what may be left where everything has faded."""

_FOLDED_FIELDS = (
    "opened_at",
    "sequence",
    "position",
    "last",
    "last_entry_at",
    "place",
    "standing_since",
    "crossings",
    "crossed_at",
    "segment",
    "value",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is stored of an account beside its entries; `recorded` are its crossings with their ordinals.

    `elsewhere` are the entries, by id, of all accounts that were ever merged with it.
    """

    account: Account | None
    recorded: Sequence[tuple[int, Crossing]]
    changes: Sequence[CustomerChange]
    elsewhere: Mapping[UUID, Entry] = field(default_factory=dict[UUID, Entry])


def account_findings(entries: Sequence[Entry], kept: Kept, history: PolicyHistory) -> list[Finding]:
    """What is wrong with an account. Requires its entries, one at least, in the order of their sequences."""
    policy = history.in_force
    where = f"account {entries[0].account_id}"
    found = [
        *_tried(1, where, lambda: _in_lines(entries)),
        *_tried(4, where, lambda: reversal_findings(entries, kept.elsewhere)),
        *_tried(4, where, lambda: carried_findings(entries, kept.changes, history)),
    ]
    stored = kept.account
    if is_closed(entries):
        return [*found, *_tried(5, where, lambda: _in_closed(where, kept, entries, history))]
    if stored is None:
        return [*found, Finding(law=2, where=where, what="It has entries, but no account is stored.")]
    if stored.balance != entries[-1].balance_after:
        what = f"Its balance is stored as {stored.balance}; the last entry says {entries[-1].balance_after}."
        found.append(Finding(law=2, where=where, what=what))
    try:
        begun = history.from_line(entries[0].position)
        folded = fold(stored.account_id, entries, kept.changes, *begun)
        folded = _walked(folded, policy, stored.look_again_at)
    except CORRUPT as error:
        return [*found, Finding(law=4, where=where, what=f"Its entries do not fold ({_named(error)}).")]
    return [
        *found,
        *_tried(4, where, lambda: _in_masses(where, stored.masses, folded.account.masses, entries, history)),
        *_tried(4, where, lambda: _in_heaviest(where, stored.heaviest, entries, policy)),
        *_tried(5, where, lambda: _in_crossings(where, kept.recorded, folded.crossings, stored.look_again_at)),
        *_tried(5, where, lambda: _in_state(where, stored, folded.account)),
    ]


def _in_closed(where: str, kept: Kept, entries: Sequence[Entry], history: PolicyHistory) -> Iterator[Finding]:
    """Of an account whose customer was forgotten, or merged into another, its crossings are left, up to then."""
    if kept.account is not None:
        gone = "merged into another" if is_merged(entries) else "forgotten"
        yield Finding(law=2, where=where, what=f"Its customer was {gone}, but an account is stored.")
    last = entries[-1]
    folded = fold(last.account_id, entries, kept.changes, *history.from_line(entries[0].position))
    yield from _in_crossings(where, kept.recorded, folded.crossings, last.booked_at + 1)


def _walked(folded: Folded, policy: Policy, until: Instant) -> Folded:
    """The fold, with the crossings that time alone brings before `until`, none of which may go unrecorded."""
    account, passed = advance(folded.account, policy, until - 1)
    return Folded(account=account, crossings=(*folded.crossings, *passed))


def _in_lines(entries: Iterable[Entry]) -> Iterator[Finding]:
    position = sequence = balance = 0
    for entry in entries:
        where = f"position {entry.position}"
        if entry.sequence != sequence + 1:
            what = f"It is sequence {entry.sequence} of its account, and the one before it is {sequence}."
            yield Finding(law=1, where=where, what=what)
        if entry.position <= position:
            what = f"It comes after position {position} in its account."
            yield Finding(law=1, where=where, what=what)
        if entry.balance_after != balance + entry.points:
            what = (
                f"Its balance_after is {entry.balance_after}; {balance} and its points make {balance + entry.points}."
            )
            yield Finding(law=2, where=where, what=what)
        position, sequence, balance = entry.position, entry.sequence, entry.balance_after


def _in_masses(
    where: str, stored: Masses, folded: Masses, entries: Sequence[Entry], history: PolicyHistory
) -> Iterator[Finding]:
    policy = history.in_force
    if stored.at != folded.at:
        yield Finding(law=4, where=where, what=f"Its masses are those of {stored.at}; its last entry says {folded.at}.")
        return
    counting = since_closed(entries)
    parts = [sign_of(entry) * felt_of(entry, policy.half_lives, stored.at) for entry in counting]
    within = TOLERANCE * fsum(weight_of(entry, policy.half_lives, stored.at) for entry in counting) + TINY
    for name, mass, expected in zip(_MASSES, numbers_of(stored), numbers_of(folded), strict=True):
        if not abs(mass - expected) <= within:  # NaN is no mass either
            yield Finding(
                law=4, where=where, what=f"Its mass {name} is stored as {mass!r}; the fold gives {expected!r}."
            )
    felt, summed = fsum(stored.credits) - fsum(stored.debits), fsum(parts)
    if _can_be_summed(entries, history) and not abs(felt - summed) <= within:
        yield Finding(law=4, where=where, what=f"Its felt balance is {felt!r}; the sum of its entries {summed!r}.")


def _can_be_summed(entries: Sequence[Entry], history: PolicyHistory) -> bool:
    """Not where half-lives changed since something was carried: that fades by them only from then on."""
    first = entries[0].position
    carrying = [entry.booked_at for entry in since_closed(entries) if entry.carried is not None]
    return all(history.under(first, at).half_lives == history.in_force.half_lives for at in carrying)


_MASSES = (*(f"{mass}_{memory}" for mass in ("credits", "debits", "big") for memory in MEMORIES), "fresh")


def _in_heaviest(where: str, stored: str | None, entries: Collection[Entry], policy: Policy) -> Iterator[Finding]:
    """It may be unknown, but not wrong."""
    expected = heaviest_of(entries, policy.half_lives)
    if stored is None or stored == expected:
        return
    pairs = zip_longest(json.loads(stored), json.loads(expected))
    mine, its = next((pair for pair in pairs if pair[0] != pair[1]), (stored, expected))
    what = f"Of its heaviest entries one is stored as {mine}; its entries give {its}."
    yield Finding(law=4, where=where, what=what)


def _in_crossings(
    where: str, recorded: Sequence[tuple[int, Crossing]], folded: Sequence[Crossing], until: Instant
) -> Iterator[Finding]:
    ordinals = [ordinal for ordinal, _ in recorded]
    if ordinals != list(range(1, len(ordinals) + 1)):
        yield Finding(law=5, where=where, what="The ordinals of its crossings are not gapless from 1.")
    if folded and folded[-1].at >= until:
        what = f"Its look_again_at ({until}) does not lie after its last crossing ({folded[-1].at})."
        yield Finding(law=5, where=where, what=what)
    pairs = zip_longest([crossing for _, crossing in recorded], folded)
    for ordinal, (mine, its) in enumerate(pairs, start=1):
        if mine != its:
            yield Finding(law=5, where=f"{where} crossing {ordinal}", what=_difference(mine, its, until))
            return


def _difference(recorded: Crossing | None, folded: Crossing | None, until: Instant) -> str:
    if recorded is None:
        return f"It is not recorded, though it lies before look_again_at ({until}): {_said(folded)}."
    if folded is None:
        return f"It is recorded ({_said(recorded)}), but the fold has no such crossing before look_again_at ({until})."
    return f"It is recorded as {_said(recorded)}; the fold gives {_said(folded)}."


def _in_state(where: str, stored: Account, folded: Account) -> Iterator[Finding]:
    for name in _FOLDED_FIELDS:
        mine, its = getattr(stored, name), getattr(folded, name)
        if mine != its:
            yield Finding(
                law=5, where=where, what=f"Its {name} is stored as {_said(mine)}; the fold gives {_said(its)}."
            )
    if stored.touched_at < folded.touched_at:
        what = f"Its touched_at is {stored.touched_at}; it changed at {folded.touched_at}."
        yield Finding(law=5, where=where, what=what)


def _said(value: object) -> str:
    match value:
        case Place():
            return f"{value.standing} ({value.depth})" if value.depth else str(value.standing)
        case LastEffective():
            return f"sequence {value.sequence} ({value.direction}, value_at {value.value_at})"
        case Crossing():
            caused = "" if value.position is None else f" of position {value.position}"
            return f"{value.cause}{caused} at {value.at} from {_said(value.before)} to {_said(value.after)}"
        case _:
            return str(value)


def _tried(law: int, where: str, check: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """What the check finds; a row on which it fails is a finding too."""
    try:
        return list(check())
    except CORRUPT as error:
        return [Finding(law=law, where=where, what=f"It cannot be checked ({_named(error)}).")]


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
