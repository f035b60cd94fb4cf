"""What entries do to promises: the context of each says what it did, and `applied` is the fold."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.domain.entry import Entry
from app.domain.erasure import is_erased
from app.domain.instant import Instant
from app.domain.interaction import canonical
from app.domain.merging import homes_of
from app.domain.policy import Memory
from app.domain.promise import Lateness, Promise, PromiseName, State, Terms

_FACTS = "promised"
"""The member of an entry's context that says what it did to a promise; callers cannot send it."""


class Did(StrEnum):
    """What an entry did to a promise."""

    MADE = "made"
    MOVED = "moved"
    MISSED = "missed"
    KEPT = "kept"
    WITHDRAWN = "withdrawn"


def made_context(name: PromiseName, terms: Terms) -> str:
    """The context of the entry that makes a promise: its terms but for the tariff's version, which is the entry's."""
    steps = [[step.after, step.total, step.memory.value] for step in terms.steps]
    return _context(
        name,
        Did.MADE,
        kind=terms.kind,
        kept_kind=terms.kept_kind,
        due_at=terms.due_at,
        grace=terms.grace,
        steps=steps,
        kept=[terms.kept_points, terms.kept_memory.value],
    )


def moved_context(promise: Promise, due_at: Instant) -> str:
    """The context of the entry that moves a promise."""
    return _context(promise.name, Did.MOVED, due_at=due_at)


def missed_context(promise: Promise, n: int) -> str:
    """The context of a step's entry."""
    return _context(promise.name, Did.MISSED, due_at=promise.due_at, step=n)


def settled_context(promise: Promise, state: State) -> str:
    """The context of the entry that keeps or withdraws a promise."""
    return _context(promise.name, Did(state.value))


def applied(promises: Mapping[PromiseName, Promise], entry: Entry) -> Promise | None:
    """The promise that an entry made or changed, as it leaves it; None for an entry that has to do with none."""
    facts = _facts_of(entry)
    if facts is None:
        return None
    did, name = Did(facts["did"]), (facts["source"], facts["id"])
    if did is Did.MADE:
        assert name not in promises
        return _made(name, facts, entry)
    promise = promises[name]
    assert not promise.is_settled
    match did:
        case Did.MOVED:
            return replace(promise, due_at=facts["due_at"], moved_by=entry.entry_id)
        case Did.MISSED:
            assert facts["step"] == promise.posted + 1
            return replace(promise, state=State.BROKEN, posted=promise.posted + 1)
        case _:
            return replace(promise, state=State(did.value), settled_at=entry.value_at, settled_by=entry.entry_id)


def fold_promises(entries: Sequence[Entry]) -> dict[PromiseName, Promise]:
    """The promises of an account from its entries, in order; none is left of an account that was erased."""
    return {} if is_erased(entries) else _folded(entries)


def _folded(entries: Sequence[Entry]) -> dict[PromiseName, Promise]:
    promises: dict[PromiseName, Promise] = {}
    for entry in entries:
        promise = applied(promises, entry)
        if promise is not None:
            promises[promise.name] = promise
    return promises


def fold_promises_of(account_id: UUID, lines: Mapping[UUID, Sequence[Entry]]) -> dict[PromiseName, Promise]:
    """The promises that lead to an account, made on it or on one that is merged into it, or was settled while it was.

    `lines` are those of all accounts that were ever merged with it, of each in order.
    """
    homes = homes_of(lines)
    if is_erased(lines[homes[account_id]]):
        return {}
    together = sorted((entry for own in lines.values() for entry in own), key=lambda entry: entry.position)
    promises = _folded(together)
    return {
        name: replace(promise, account_id=account_id)
        for name, promise in promises.items()
        if homes[promise.account_id] == account_id
    }


def promise_in(entry: Entry, did: Did) -> PromiseName | None:
    """The promise to which the entry did just this, if to any."""
    facts = _facts_of(entry)
    return (facts["source"], facts["id"]) if facts and facts["did"] == did.value else None


def _context(name: PromiseName, did: Did, **facts: object) -> str:
    source, own_id = name
    told = {"did": did.value, "source": source, "id": own_id, **facts}
    return canonical({"promise": own_id, _FACTS: told}).decode()


def _facts_of(entry: Entry) -> dict[str, Any] | None:
    if f'"{_FACTS}":' not in entry.context:  # most entries have to do with no promise
        return None
    facts: dict[str, Any] | None = json.loads(entry.context).get(_FACTS)
    return facts


def _made(name: PromiseName, facts: Mapping[str, Any], entry: Entry) -> Promise:
    source, own_id = name
    points, memory = facts["kept"]
    return Promise(
        source=source,
        id=own_id,
        account_id=entry.account_id,
        made_at=entry.value_at,
        made_by=entry.entry_id,
        sealed=entry.sealed,
        kind=facts["kind"],
        kept_kind=facts["kept_kind"],
        due_at=facts["due_at"],
        grace=facts["grace"],
        steps=tuple(Lateness(after=after, total=total, memory=Memory(fades)) for after, total, fades in facts["steps"]),
        kept_points=points,
        kept_memory=Memory(memory),
        tariff_version=entry.tariff_version,
    )
