"""What becomes of a request about a promise under the lock: replayed, in conflict, refused, or posted."""

from dataclasses import replace
from typing import Any

from app.domain.entry import Entry
from app.domain.errors import InteractionConflict
from app.domain.instant import Instant
from app.domain.interaction import SYSTEM_SOURCE, settled_value_at
from app.domain.promise import Promise, PromiseName, State, step_name, step_of, steps_standing
from app.domain.promise_errors import PromiseSettled, UnknownPromise
from app.domain.promise_fold import made_context, moved_context, settled_context
from app.domain.promise_request import (
    KEPT_KIND,
    MakePromise,
    MovePromise,
    PromiseRequest,
    SettlePromise,
    promise_content_of,
)
from app.domain.promise_terms import check_after_making, check_move, terms_of
from app.domain.valuation import Valuation, value
from app.operations.append import Append, Posting
from app.operations.break_due import break_due, post_step
from app.operations.outcome import Posted
from app.operations.replayed import is_same_content, refuse_erased, replayed

_MADE, _MOVED, _WITHDRAWN = "promise.made", "promise.moved", "promise.withdrawn"
_SAID_OTHERWISE = "Another thing was said under this name before, and what is said of a promise stays."


def decide_promise(append: Append, request: PromiseRequest) -> Posted:
    """The outcome of one request; raises a Refusal, which changes nothing in the append."""
    match request:
        case MakePromise():
            posted = _make(append, request)
        case MovePromise():
            posted = _move(append, request, _named(append, request.name))
        case _:
            posted = _settle(append, request, _named(append, request.name))
    return replace(posted, promise=append.promises.by_name[request.name])


def _make(append: Append, request: MakePromise) -> Posted:
    content = promise_content_of(request)
    known = append.known.get(request.name)
    if known is not None:
        return _again(append, known, content, customer=request.customer)
    booked_at = append.booked(request.value_at)
    value_at = settled_value_at(request.value_at, booked_at)
    terms = terms_of(append.tariff, append.head.tariff_version, request, booked_at=booked_at)

    account_id = append.open_account(request.customer, booked_at).account_id
    break_due(append, account_id, booked_at)
    posting = _posting(
        append, _MADE, _nothing(append), value_at, request.name, request.id, made_context(request.name, terms)
    )
    return _posted(append, append.post(account_id, posting, content, booked_at=booked_at))


def _move(append: Append, request: MovePromise, promise: Promise) -> Posted:
    content = promise_content_of(request)
    known = _known_move(append, request, promise)
    if known is not None:
        return _again(append, known, content)
    booked_at = append.booked(request.value_at)
    value_at = settled_value_at(request.value_at, booked_at)
    check_move(promise, request, booked_at=booked_at, value_at=value_at)
    price = _price_of_moving(append)

    break_due(append, promise.account_id, booked_at)
    context = moved_context(promise, request.due_at)
    posting = _posting(append, _MOVED, price, value_at, request.name, request.own_id, context)
    return _posted(append, append.post(promise.account_id, posting, content, booked_at=booked_at))


def _again(append: Append, known: Entry, content: dict[str, Any], *, customer: str | None = None) -> Posted:
    """The first answer again; what was said otherwise the first time is a conflict, in the words of promises."""
    try:
        return replayed(append, known, content, names=(customer,) if customer is not None else ())
    except InteractionConflict as conflict:
        faults = tuple(replace(fault, detail="differs from what was said first") for fault in conflict.faults)
        raise InteractionConflict(_SAID_OTHERWISE, faults=faults, extra=conflict.extra) from None


def _known_move(append: Append, request: MovePromise, promise: Promise) -> Entry | None:
    """The same move, told again: by its own id, or because it is the last one that was made."""
    if request.own_id is not None:
        return append.known.get((request.name[0], request.own_id))
    last = append.targets.get(promise.moved_by) if promise.moved_by else None
    is_open = last is not None and last.account_id in append.keys  # or its customer was forgotten since
    return last if last and is_open and is_same_content(append, last, promise_content_of(request)) else None


def _settle(append: Append, request: SettlePromise, promise: Promise) -> Posted:
    content = promise_content_of(request)
    if promise.settled_by is not None:
        if promise.state is not request.state:
            raise PromiseSettled(extra={"state": promise.state.value})
        return _again(append, append.targets[promise.settled_by], content)
    booked_at = append.booked(request.value_at)
    value_at = settled_value_at(request.value_at, booked_at)
    check_after_making(promise, value_at)

    break_due(append, promise.account_id, booked_at, but=promise.name)
    promise = append.promises.by_name[promise.name]
    _leave_standing(append, promise, steps_standing(promise, value_at), booked_at=booked_at, state=request.state)
    kind, worth = _outcome(append, promise, request.state, value_at)
    context = settled_context(promise, request.state)
    posting = _posting(append, kind, worth, value_at, request.name, None, context)
    return _posted(append, append.post(promise.account_id, posting, content, booked_at=booked_at))


def _leave_standing(append: Append, promise: Promise, standing: int, *, booked_at: Instant, state: State) -> None:
    """Just so many steps: the later ones are reversed unless they are, the missing ones posted."""
    for n in range(promise.posted, standing, -1):
        step = append.known[SYSTEM_SOURCE, step_name(promise, n)]
        if step.entry_id not in append.reversals and append.home(step.account_id) in append.accounts:
            content = {"reverses": str(step.entry_id), "reason": f"the promise was {state.value} before"}
            append.reverse(step, content, source=promise.source, external_id=None, booked_at=booked_at)
    for n in range(promise.posted + 1, standing + 1):
        post_step(append, append.promises.by_name[promise.name], step_of(promise, n), booked_at=booked_at)


def _outcome(append: Append, promise: Promise, state: State, value_at: Instant) -> tuple[str, Valuation]:
    """What settling posts besides: a credit only for what was kept in time."""
    if state is State.WITHDRAWN:
        return _WITHDRAWN, _nothing(append)
    if value_at > promise.due_at:
        return KEPT_KIND, _nothing(append)
    worth = Valuation(points=promise.kept_points, memory=promise.kept_memory, tariff_version=promise.tariff_version)
    return promise.kept_kind, worth


def _price_of_moving(append: Append) -> Valuation:
    """The tariff's, and nothing where it has none."""
    if _MOVED not in append.tariff.kinds:
        return _nothing(append)
    return value(append.tariff, append.head.tariff_version, kind=_MOVED, attributes={})


def _nothing(append: Append) -> Valuation:
    neutral = append.tariff.memory_by_default.neutral
    return Valuation(points=0, memory=neutral, tariff_version=append.head.tariff_version)


def _posting(
    append: Append,
    kind: str,
    worth: Valuation,
    value_at: Instant,
    name: PromiseName,
    external_id: str | None,
    context: str,
) -> Posting:
    return Posting(
        kind=kind,
        points=worth.points,
        memory=worth.memory,
        value_at=value_at,
        source=name[0],
        external_id=external_id,
        tariff_version=worth.tariff_version,
        api_key_id=append.api_key_id,
        context=context,
    )


def _posted(append: Append, entry: Entry) -> Posted:
    return Posted(
        entry=entry,
        account=append.accounts[entry.account_id],
        customer=append.customers[entry.account_id],
        replayed=False,
    )


def _named(append: Append, name: PromiseName) -> Promise:
    promise = append.promises.by_name.get(name)
    if promise is None:
        made = append.known.get(name)
        if made is not None:
            refuse_erased(append, made)
        raise UnknownPromise
    return promise
