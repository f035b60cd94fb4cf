"""Break promises: post the steps that are due, once, at their own times."""

from collections.abc import Iterable
from uuid import UUID

from app.domain.entry import Entry
from app.domain.instant import Instant
from app.domain.interaction import SYSTEM_SOURCE
from app.domain.promise import Missed, Promise, PromiseName, due_steps, step_name, step_of
from app.domain.promise_fold import missed_context
from app.operations.append import Append, Posting


def break_due(append: Append, account_id: UUID, at: Instant, *, but: PromiseName | None = None) -> None:
    """Post what the account's promises are due by `at`, before anything else is booked on it then."""
    if append.booked_at is None:
        let_time_pass(append, at)
        return
    promises = [each for each in append.promises.of_account(account_id) if each.name != but]
    if promises:
        post_due(append, promises, at)


def let_time_pass(append: Append, until: Instant) -> None:
    """The simulated clock of history: post what any promise is due by `until`, booked when a clock would have."""
    while (promise := append.promises.pop_due(until)) is not None:
        assert promise.next_step_at is not None
        booked_at = max(append.head.booked_at, promise.next_step_at)
        post_step(append, promise, step_of(promise, promise.posted + 1), booked_at=booked_at)


def post_due(append: Append, promises: Iterable[Promise], at: Instant, *, since: Instant | None = None) -> None:
    """Post the steps of these promises that are due by `at`, in the order in which they are.

    All are booked then; or each when it is due, but not before `since`.
    """
    due = [
        (step.value_at + promise.grace, promise.name, step.n, step)
        for promise in promises
        for step in due_steps(promise, at)
    ]
    for due_at, name, _, step in sorted(due, key=lambda each: each[:3]):
        booked_at = at if since is None else max(due_at, since)
        post_step(append, append.promises.by_name[name], step, booked_at=booked_at)


def post_step(append: Append, promise: Promise, step: Missed, *, booked_at: Instant) -> Entry:
    """Post one step. The ledger takes its (source, id) once, so no step is ever posted twice."""
    posting = Posting(
        kind=promise.kind,
        points=step.points,
        memory=step.memory,
        value_at=step.value_at,
        source=SYSTEM_SOURCE,
        external_id=step_name(promise, step.n),
        tariff_version=promise.tariff_version,
        api_key_id=SYSTEM_SOURCE,
        context=missed_context(promise, step.n),
    )
    content = {"kind": promise.kind, "value_at": step.value_at}
    return append.post(promise.account_id, posting, content, booked_at=booked_at)
