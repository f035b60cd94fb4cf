"""What was done about an entry since: what says that it settles it, and the credits that came later."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.domain.entry import Entry
from app.domain.promise_fold import Did, promise_in
from app.domain.tariff import Group, KindRule

Name = tuple[str, str]
"""An interaction by its (source, id)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """`settled_by` is the latest entry, no debit itself, that names this one in `settles`; `credits` came later.

    What a missed promise cost is settled by what names the promise, and by keeping it, however late.

    What a customer said of us (an observation) is nothing that we did, and not among the credits.
    """

    settled_by: Entry | None = None
    credits: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Repairs:
    """What an account's entries say about one another."""

    settled: Mapping[Name, Entry]
    given: Sequence[Entry]

    def since(self, entry: Entry) -> Since:
        """What was done about an entry since."""
        when = (entry.value_at, entry.sequence)
        name = promise_in(entry, Did.MISSED) or (entry.source, entry.external_id or "")
        return Since(
            settled_by=self.settled.get(name),
            credits=sum(1 for credit in self.given if (credit.value_at, credit.sequence) > when),
        )


def repairs(kept: Sequence[Entry], rules: Mapping[str, KindRule]) -> Repairs:
    """The repairs among an account's entries that nothing reversed, in booked order."""
    sources: dict[str, set[str]] = {}
    for entry in kept:
        if entry.external_id:
            sources.setdefault(entry.external_id, set()).add(entry.source)
    settled: dict[Name, Entry] = {}
    for entry in kept:
        target = promise_in(entry, Did.KEPT) or _target(entry, sources)
        if target is not None and entry.points >= 0:
            settled[target] = entry
    given = [entry for entry in kept if entry.points > 0 and entry.is_effective and not _is_said(entry, rules)]
    return Repairs(settled=settled, given=given)


def _target(entry: Entry, sources: Mapping[str, set[str]]) -> Name | None:
    """What an entry settles: of its own source if that has such an id, else of the only source that has it."""
    named = json.loads(entry.context).get("settles") if "settles" in entry.context else None
    if not isinstance(named, str) or named == entry.external_id:
        return None
    known = sources.get(named, set[str]())
    if entry.source in known:
        return entry.source, named
    return (next(iter(known)), named) if len(known) == 1 else None


def _is_said(entry: Entry, rules: Mapping[str, KindRule]) -> bool:
    rule = rules.get(entry.kind)
    return rule is not None and rule.group is Group.OBSERVATION
