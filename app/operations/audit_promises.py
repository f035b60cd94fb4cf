"""Whether the stored promises of an account equal the fold of its entries; for `verify`."""

from collections.abc import Iterator, Sequence

from app.domain.audit import CORRUPT, Finding
from app.domain.entry import Entry
from app.domain.promise import Promise, PromiseName
from app.domain.promise_fold import fold_promises, fold_promises_of
from app.queries.kin import Kin
from app.rows import Row, promise_of


def promise_findings(entries: Sequence[Entry], rows: Sequence[Row], kin: Kin | None = None) -> list[Finding]:
    """What is wrong with an account's promises (law 5). Requires all of its entries, one at least.

    `kin` are the lines of all accounts that were ever merged with it, if any was.
    """
    where = f"account {entries[0].account_id}"
    try:
        folded = fold_promises_of(entries[0].account_id, kin) if kin else fold_promises(entries)
    except CORRUPT as error:
        return [Finding(law=5, where=where, what=f"Its promises do not fold ({type(error).__name__}).")]
    try:
        stored = {promise.name: promise for promise in map(promise_of, rows)}
        found = list(_differences(where, stored, folded))
        return found + [each for row in rows for each in _in_due_time(where, row, folded)]
    except CORRUPT as error:
        return [Finding(law=5, where=where, what=f"Its promises cannot be read ({type(error).__name__}).")]


def _differences(
    where: str, stored: dict[PromiseName, Promise], folded: dict[PromiseName, Promise]
) -> Iterator[Finding]:
    for name in sorted(stored.keys() | folded.keys()):
        mine, its = stored.get(name), folded.get(name)
        if its is None:
            yield Finding(law=5, where=where, what=f"It has a promise {name} that no entry made.")
        elif mine is None:
            yield Finding(law=5, where=where, what=f"Its promise {name} is not stored.")
        else:
            fields = [field for field in Promise.__dataclass_fields__ if getattr(mine, field) != getattr(its, field)]
            for field in fields:
                yield Finding(law=5, where=where, what=f"Its promise {name} has another {field} than the fold gives.")


def _in_due_time(where: str, row: Row, folded: dict[PromiseName, Promise]) -> Iterator[Finding]:
    """The clock goes by a column of its own."""
    promise = folded.get((row["source"], row["id"]))
    if promise is not None and row["next_step_at"] != promise.next_step_at:
        what = f"Its promise {promise.name} has another next_step_at than the fold gives."
        yield Finding(law=5, where=where, what=what)
