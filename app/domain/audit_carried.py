"""Law 4 as checks on what leaves an account again: reversals, and what a merge takes with it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from uuid import UUID

from app.domain.audit import Finding
from app.domain.entry import Entry
from app.domain.fold import CustomerChange, fold
from app.domain.memory import Masses, rebased
from app.domain.merging import carried_of, is_closing
from app.domain.policy import PolicyHistory
from app.domain.share import carry_of, heaviest_of

TOLERANCE = 1e-9
"""Relative to the sum of |points| · weight, as law 4 has it."""


def carried_findings(
    entries: Sequence[Entry], changes: Iterable[CustomerChange], history: PolicyHistory
) -> Iterator[Finding]:
    """What is wrong with what merges take with them: it is what the account held just before."""
    for n, line in enumerate(entries):
        if not is_closing(line):
            continue
        carried, at, first = carried_of(line.carried or ""), line.booked_at, entries[0].position
        policy, switches = history.from_line(first)
        known = [each for each in changes if each.changed_at <= at]
        account = fold(line.account_id, entries[:n], known, policy, [s for s in switches if s.adopted_at <= at]).account
        lives = history.under(first, at).half_lives
        held = numbers_of(rebased(account.masses, lives, at))
        within = TOLERANCE * max(1.0, *held)
        pairs = zip(held, numbers_of(carried.masses), strict=True)
        is_all = (carried.points, carried.masses.at) == (account.balance, at)
        last = account.last and (account.last.value_at, account.last.direction)
        is_all = is_all and last == (carried.last and carried.last[1:])
        is_all = is_all and [*carried.heaviest] == carry_of(
            heaviest_of(entries[:n], history.under(first, at).half_lives)
        )
        if not is_all or not all(abs(mass - its) <= within for mass, its in pairs):
            yield Finding(law=4, where=f"position {line.position}", what="It does not carry what its account held.")


def numbers_of(masses: Masses) -> tuple[float, ...]:
    """The masses one after another, `fresh` last."""
    return (*masses.credits, *masses.debits, *masses.big, masses.fresh)


def reversal_findings(entries: Iterable[Entry], elsewhere: Mapping[UUID, Entry]) -> Iterator[Finding]:
    """What is wrong with reversals: each takes out what its original entered, or a rest would stay that never was.

    `elsewhere` are the entries, by id, of all accounts that were ever merged with this one.
    """
    earlier: dict[UUID, Entry] = {}
    for entry in entries:
        earlier[entry.entry_id] = entry
        if entry.reverses is None:
            continue
        original = earlier.get(entry.reverses) or elsewhere.get(entry.reverses)
        if original is None or original.position > entry.position or not _is_mirror(entry, original):
            yield Finding(law=4, where=f"position {entry.position}", what="It is not the mirror of what it reverses.")


def _is_mirror(entry: Entry, original: Entry) -> bool:
    """Of a merge its undoing is: what goes back of it, `audit_merges` looks at."""
    if entry.carried is not None:
        return (original.kind, original.account_id, original.reverses) == (entry.kind, entry.account_id, None)
    entered = original.value_at, original.memory, original.points, original.reverses
    return entered == (entry.value_at, entry.memory, -entry.points, None)
