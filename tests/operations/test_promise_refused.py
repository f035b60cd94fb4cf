"""Promises told again, told otherwise, or told of what cannot be."""

from dataclasses import replace
from typing import TYPE_CHECKING

from app.domain.errors import InteractionConflict, NotReversible, UnknownKind
from app.domain.instant import DAY, SECOND
from app.domain.promise_errors import InvalidPromise, PromiseOverdue, PromiseSettled, UnknownPromise
from tests.conftest import NOON, Bench
from tests.operations.posting import interaction, posted, refused, reversal, row_counts
from tests.operations.promising import DUE, keeping, making, moving, promise_of, withdrawing

if TYPE_CHECKING:
    from app.operations.append import Item


async def test_each_request_again_is_replayed_and_another_is_a_conflict(bench: Bench) -> None:
    told: list[tuple[Item, Item, str | None]] = [
        (making(), making(due_at=DUE + 1), "due_at"),
        (making(), making(customer="bob"), "customer"),
        (moving(), moving(due_at=DUE + 6 * DAY), None),
        (keeping(value_at=NOON), keeping(), "value_at"),
    ]
    for request, other, field in told:
        first, again = await posted(bench, request), await posted(bench, request)
        assert (again.replayed, again.entry) == (True, first.entry) or first.replayed
        if field:
            conflict = await refused(bench, other)
            assert isinstance(conflict, InteractionConflict)
            assert conflict.extra == {"fields": [field]}
    assert isinstance(await refused(bench, withdrawing()), PromiseSettled)
    assert isinstance(await refused(bench, moving(due_at=DUE + 7 * DAY)), PromiseSettled)
    assert isinstance(await refused(bench, interaction("p")), InteractionConflict)


async def test_a_move_with_an_id_of_its_own_is_replayed_after_another_move(bench: Bench) -> None:
    await posted(bench, making())
    first = moving(own_id="m1")
    await posted(bench, first)
    await posted(bench, moving(due_at=DUE + 8 * DAY))

    again = await posted(bench, first)

    assert again.replayed
    assert (await promise_of(bench)).due_at == DUE + 8 * DAY
    assert isinstance(await refused(bench, replace(first, due_at=DUE + 9 * DAY)), InteractionConflict)


async def test_whatever_cannot_be_is_refused_and_leaves_no_trace(bench: Bench) -> None:
    await posted(bench, making())
    before = await row_counts(bench)
    bench.clock.now += SECOND
    invalid: list[tuple[Item, str]] = [
        (making("q", due_at=bench.clock.now), "due_in_the_past"),
        (making("q", due_at=NOON + 4000 * DAY), "due_too_far"),
        (making("q", kind="apology.first", steps=None), "not_a_debit"),
        (making("q", kept_kind="product.failed"), "not_a_credit"),
        (making("q" * 160), "too_long"),
        (making("q", grace=400 * DAY), "too_long"),
        (keeping(value_at=NOON - DAY), "before_made"),
        (withdrawing(value_at=NOON - DAY), "before_made"),
        (moving(due_at=NOON), "due_in_the_past"),
        (moving(due_at=DUE), "due_unchanged"),
        (moving(told_customer=False), "customer_not_told"),
    ]
    for request, code in invalid:
        refusal = await refused(bench, request)
        assert isinstance(refusal, InvalidPromise)
        assert [fault.code for fault in refusal.faults] == [code]
    unknown = await refused(bench, making("q", kept_kind="promise.keptt"))
    assert isinstance(unknown, UnknownKind)
    assert unknown.faults[0].pointer == "/kept_kind"
    for stranger in (keeping("x"), moving("x"), withdrawing("x")):
        assert isinstance(await refused(bench, stranger), UnknownPromise)
    bench.clock.now = DUE
    assert isinstance(await refused(bench, moving()), PromiseOverdue)
    assert await row_counts(bench) == before


async def test_what_is_about_a_promise_is_not_reversible(bench: Bench) -> None:
    await posted(bench, making())
    assert isinstance(await refused(bench, reversal("p")), NotReversible)
