"""The terms of a promise: both outcomes valued when it is made, so that no later tariff changes what was at stake."""

from dataclasses import replace
from datetime import timedelta

from app.domain.errors import Fault, Refusal, SystemKind
from app.domain.instant import DAY, YEAR, Instant
from app.domain.promise import Lateness, Promise, Terms, escaped
from app.domain.promise_errors import PromiseOverdue, PromiseSettled
from app.domain.promise_request import KEPT_KIND, MakePromise, MovePromise, refused_promise, span_of
from app.domain.tariff import Step, Tariff, is_system_kind
from app.domain.valuation import Valuation, rule_of, value

DUE_AHEAD_MAX = 10 * YEAR
GRACE_MAX = 365 * DAY
NAME_CHARACTERS_MAX = 150
"""Of source and id together: both stand in the ids of step entries, which hold 200 characters."""

_NOT_A_DEBIT = "A miss is a debit: choose a kind that costs points."


def terms_of(tariff: Tariff, version: int, request: MakePromise, *, booked_at: Instant) -> Terms:
    """What is agreed by a promise made now. Raises a `Refusal` that says what would be accepted, and nothing else."""
    check_due_at(request.due_at, booked_at)
    _check_name_and_grace(request)
    for field, kind in (("kind", request.kind), ("kept_kind", request.kept_kind or "")):
        if is_system_kind(kind):
            detail = "choose a kind of the tariff that callers may post"
            raise SystemKind(faults=(Fault(pointer=f"/{field}", code="system_kind", detail=detail),))
    kept = _kept(tariff, version, request)
    return Terms(
        kind=request.kind,
        kept_kind=request.kept_kind or KEPT_KIND,
        due_at=request.due_at,
        grace=request.grace or 0,
        steps=_steps(tariff, version, request),
        kept_points=kept.points,
        kept_memory=kept.memory,
        tariff_version=version,
    )


def check_due_at(due_at: Instant, booked_at: Instant) -> None:
    """A promise is due in the future, and not beyond the horizon of what anybody promises."""
    if due_at <= booked_at:
        raise refused_promise("/due_at", "due_in_the_past", "A promise is due after the present instant.")
    if due_at > booked_at + DUE_AHEAD_MAX:
        raise refused_promise("/due_at", "due_too_far", "A promise is due within ten years.")


def check_move(promise: Promise, request: MovePromise, *, booked_at: Instant, value_at: Instant) -> None:
    """A promise is moved before its due time, to another one in the future, of which the customer was told."""
    if promise.is_settled:
        raise PromiseSettled(extra={"state": promise.state.value})
    if promise.posted or booked_at >= promise.due_at:
        raise PromiseOverdue
    if not request.told_customer:
        detail = "Tell the customer first: a date of which the customer does not know moves nothing."
        raise refused_promise("/told_customer", "customer_not_told", detail)
    check_due_at(request.due_at, booked_at)
    if request.due_at == promise.due_at:
        raise refused_promise("/due_at", "due_unchanged", "The promise is due then already.")
    check_after_making(promise, value_at)


def check_after_making(promise: Promise, value_at: Instant) -> None:
    """Nothing becomes of a promise before it is made."""
    if value_at < promise.made_at:
        raise refused_promise("/value_at", "before_made", "This cannot lie before the promise was made.")


def _check_name_and_grace(request: MakePromise) -> None:
    if len(escaped(request.source)) + len(escaped(request.id)) > NAME_CHARACTERS_MAX:
        detail = f"Source and id of a promise hold at most {NAME_CHARACTERS_MAX} characters together."
        raise refused_promise("/id", "too_long", detail)
    if (request.grace or 0) > GRACE_MAX:
        raise refused_promise("/grace", "too_long", "Grace is at most 365 days.")


def _steps(tariff: Tariff, version: int, request: MakePromise) -> tuple[Lateness, ...]:
    rule = rule_of(tariff, request.kind)
    if isinstance(rule.points, int) and rule.points > 0:
        raise refused_promise("/kind", "not_a_debit", _NOT_A_DEBIT)
    steps = rule.steps if request.steps is None else request.steps
    if not steps:
        worth = value(
            tariff, version, kind=request.kind, attributes=request.attributes or {}, source=request.source
        ).points
        if worth >= 0:
            raise refused_promise("/kind", "not_a_debit", _NOT_A_DEBIT)
        steps = (Step(after=timedelta(), points=worth),)
    return tuple(
        Lateness(after=span_of(step.after), total=step.points, memory=tariff.memory_of(rule, step.points))
        for step in steps
    )


def _kept(tariff: Tariff, version: int, request: MakePromise) -> Valuation:
    kind = request.kept_kind or KEPT_KIND
    try:
        kept = value(tariff, version, kind=kind, attributes=request.attributes or {}, source=request.source)
    except Refusal as refusal:
        faults = tuple(
            replace(fault, pointer="/kept_kind") if fault.pointer == "/kind" else fault for fault in refusal.faults
        )
        raise type(refusal)(refusal.detail, faults=faults, extra=refusal.extra) from None
    if kept.points < 0:
        raise refused_promise("/kept_kind", "not_a_credit", "Keeping a promise is no debit: choose another kind.")
    return kept
