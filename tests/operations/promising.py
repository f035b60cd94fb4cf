"""Promising in the tests: requests in few words, and what stands on the ledger for a promise."""

import json
from datetime import timedelta
from typing import Any

from app.domain.entry import Entry
from app.domain.instant import DAY, Instant
from app.domain.promise import Promise, State
from app.domain.promise_request import MakePromise, MovePromise, SettlePromise
from app.domain.tariff import Step
from app.operations.verify import verify
from app.queries.promises import promises_by_name
from tests.conftest import NOON, Bench
from tests.operations.posting import ledger_of

STEPS = (
    Step(after=timedelta(days=1), points=-12),
    Step(after=timedelta(days=3), points=-35),
    Step(after=timedelta(days=7), points=-48),
)
DUE: Instant = NOON + 10 * DAY


def making(own_id: str = "p", kind: str = "promise.broken", **fields: Any) -> MakePromise:
    """A promise to ada of the source `crm`, due in ten days, with three steps; unless it says otherwise."""
    defaults: dict[str, Any] = {"source": "crm", "customer": "ada", "due_at": DUE, "steps": STEPS}
    return MakePromise(**{**defaults, "id": own_id, "kind": kind, **fields})


def keeping(own_id: str = "p", value_at: Instant | None = None) -> SettlePromise:
    """That it was kept."""
    return SettlePromise(name=("crm", own_id), state=State.KEPT, value_at=value_at)


def withdrawing(own_id: str = "p", value_at: Instant | None = None) -> SettlePromise:
    """That it was withdrawn."""
    return SettlePromise(name=("crm", own_id), state=State.WITHDRAWN, value_at=value_at)


def moving(promise: str = "p", due_at: Instant = DUE + 5 * DAY, **fields: Any) -> MovePromise:
    """That it is due at another time, of which the customer was told."""
    return MovePromise(**{"name": ("crm", promise), "due_at": due_at, "told_customer": True, **fields})


async def promise_of(bench: Bench, own_id: str = "p", book: str | None = None) -> Promise:
    """A promise as it is stored."""
    async with bench.ledger.database.read(book or bench.book) as tx:
        (promise,) = await promises_by_name(tx, book or bench.book, [("crm", own_id)])
        return promise


async def entries_about(bench: Bench, did: str, own_id: str = "p", book: str | None = None) -> list[Entry]:
    """The entries that did this to a promise, reversed or not."""
    found = [(json.loads(entry.context).get("promised"), entry) for entry in await ledger_of(bench, book)]
    return [entry for facts, entry in found if facts and (facts["did"], facts["id"]) == (did, own_id)]


async def standing(bench: Bench, own_id: str = "p", book: str | None = None) -> list[tuple[Instant, int]]:
    """The (value_at, points) of the steps that stand on the ledger."""
    undone = {entry.reverses for entry in await ledger_of(bench, book)}
    steps = await entries_about(bench, "missed", own_id, book)
    return [(entry.value_at, entry.points) for entry in steps if entry.entry_id not in undone]


async def assert_sound(bench: Bench, book: str | None = None) -> None:
    """Every law holds."""
    report = await verify(bench.ledger, book or bench.book)
    assert report.findings == ()
