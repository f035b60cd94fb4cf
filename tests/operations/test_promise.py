"""Promises on the ledger: made, broken by the clock, kept, moved, withdrawn."""

from typing import Any

import pytest

from app.domain.instant import DAY, HOUR
from app.domain.memory import felt_at
from app.domain.policy import HalfLives, Memory
from app.domain.promise import State
from app.operations.adopt_tariff import adopt_tariff
from app.operations.post_due_steps import post_due_steps
from app.queries.books import tariff_document
from tests.conftest import NOON, Bench
from tests.operations.posting import account_of, interaction, ledger_of, post, posted, refused, reversal, row_counts
from tests.operations.promising import (
    DUE,
    STEPS,
    assert_sound,
    entries_about,
    keeping,
    making,
    moving,
    promise_of,
    standing,
    withdrawing,
)


async def test_a_promise_is_an_entry_without_points(bench: Bench) -> None:
    made = await posted(bench, making(attributes={"stake": "high"}))

    assert (made.entry.kind, made.entry.points, made.entry.external_id) == ("promise.made", 0, "p")
    assert made.promise == await promise_of(bench)
    assert made.promise is not None
    assert (made.promise.state, made.promise.next_step_at) == (State.OPEN, DUE + DAY)
    await assert_sound(bench)


async def test_the_clock_posts_each_step_at_its_own_time_and_the_deep_one_is_deep(bench: Bench) -> None:
    await posted(bench, making())
    assert await post_due_steps(bench.ledger, bench.book) == DUE + DAY
    assert len(await ledger_of(bench)) == 1

    bench.clock.now = DUE + DAY
    assert await post_due_steps(bench.ledger, bench.book) == DUE + 3 * DAY
    bench.clock.now = DUE + 9 * DAY
    assert await post_due_steps(bench.ledger, bench.book) is None

    steps = await entries_about(bench, "missed")
    assert [(step.value_at - DUE, step.points, step.memory) for step in steps] == [
        (DAY, -12, Memory.PASSING),
        (3 * DAY, -23, Memory.PASSING),
        (7 * DAY, -13, Memory.DEEP),
    ]
    assert [step.external_id for step in steps] == [f"promise/crm/p/2026-06-07T20:26:40Z/{n}" for n in (1, 2, 3)]
    assert {(step.source, step.kind, step.api_key_id) for step in steps} == {("goodwill", "promise.broken", "goodwill")}
    assert (await account_of(bench)).balance == -48
    assert (await promise_of(bench)).state is State.BROKEN
    await assert_sound(bench)


async def test_steps_stand_in_the_tariffs_kind_or_are_one_at_the_due_time(bench: Bench) -> None:
    await posted(bench, making("one", steps=None, attributes={"stake": "high"}))
    document = await _document(bench)
    document["kinds"]["promise.broken"]["steps"] = [{"after": "PT2H", "points": -3}]
    await adopt_tariff(bench.ledger, bench.book, document, expected_version=1, api_key_id="tests")
    await posted(bench, making("two", steps=None))

    assert [(step.after, step.total) for step in (await promise_of(bench, "one")).steps] == [(0, -30)]
    assert [(step.after, step.total) for step in (await promise_of(bench, "two")).steps] == [(2 * HOUR, -3)]


async def test_an_append_to_an_account_first_breaks_its_promises(bench: Bench) -> None:
    await posted(bench, making())
    await posted(bench, making("other", customer="bob"))
    bench.clock.now = DUE + 4 * DAY

    await posted(bench, interaction(1))

    kinds = [(entry.kind, entry.points) for entry in (await ledger_of(bench))[2:]]
    assert kinds == [("promise.broken", -12), ("promise.broken", -23), ("apology.first", 3)]
    assert await standing(bench, "other") == []
    await assert_sound(bench)


async def test_what_is_refused_or_replayed_breaks_nothing(bench: Bench) -> None:
    await posted(bench, interaction(1))
    await posted(bench, making())
    bench.clock.now = DUE + 4 * DAY
    before = await row_counts(bench)

    await refused(bench, interaction(2, "no.such_kind"))
    await refused(bench, moving())
    await posted(bench, interaction(1))
    await posted(bench, making())

    assert await row_counts(bench) == before


async def test_grace_delays_the_clock_and_never_the_time_of_the_debit(bench: Bench) -> None:
    await posted(bench, making(grace=2 * DAY))
    bench.clock.now = DUE + 3 * DAY - 1
    assert await post_due_steps(bench.ledger, bench.book) == DUE + 3 * DAY
    bench.clock.now = DUE + 3 * DAY
    await post_due_steps(bench.ledger, bench.book)

    assert await standing(bench) == [(DUE + DAY, -12)]


async def test_kept_in_time_is_a_credit(bench: Bench) -> None:
    await posted(bench, making())
    bench.clock.now = DUE

    kept = await posted(bench, keeping())

    assert (kept.entry.kind, kept.entry.points, kept.entry.value_at) == ("promise.kept", 4, DUE)
    assert kept.promise is not None
    assert (kept.promise.state, kept.promise.was_late) == (State.KEPT, False)
    bench.clock.pass_days(30)
    assert await post_due_steps(bench.ledger, bench.book) is None
    assert len(await ledger_of(bench)) == 2


async def test_kept_in_time_but_reported_late_returns_exactly_what_is_felt(bench: Bench) -> None:
    await posted(bench, interaction("gift", "moment.unexpected_gift"))
    await posted(bench, making(kept_kind="delivery.on_time", attributes={"days_early": 1}))
    for day in (1.5, 3.5, 8):
        bench.clock.now = DUE + int(day * DAY)
        await post_due_steps(bench.ledger, bench.book)
    broken = await account_of(bench)
    assert broken.balance == -3

    kept = await posted(bench, keeping(value_at=DUE - HOUR))

    account, at = await account_of(bench), kept.entry.booked_at
    undone = (await ledger_of(bench))[-4:]
    assert [entry.points for entry in undone[:3]] == [13, 23, 12]
    assert {entry.booked_at for entry in undone} == {at}
    assert await standing(bench) == []
    gift = 45 * 2 ** (-(at - NOON) / (180 * DAY))
    credit = kept.entry.points * 2 ** (-(at - kept.entry.value_at) / (180 * DAY))
    assert kept.entry.points > 0
    assert felt_at(account.masses, HalfLives(), at).balance == pytest.approx(gift + credit, abs=1e-9)
    await assert_sound(bench)


async def test_kept_late_leaves_the_total_of_its_lateness_and_no_credit(bench: Bench) -> None:
    await posted(bench, making("early"))
    await posted(bench, making("unposted", customer="bob"))
    await posted(bench, making("slightly", customer="carl"))
    bench.clock.now = DUE + 8 * DAY
    await posted(bench, interaction(1))  # posts all of ada's steps

    at = DUE + 4 * DAY
    kept = [await posted(bench, keeping(own_id, at)) for own_id in ("early", "unposted")]
    await posted(bench, keeping("slightly", DUE + 1))

    total = [(DUE + DAY, -12), (DUE + 3 * DAY, -23)]
    assert (await standing(bench, "early"), await standing(bench, "unposted")) == (total, total)
    assert await standing(bench, "slightly") == []
    assert [(each.entry.kind, each.entry.points) for each in kept] == [("promise.kept", 0)] * 2
    assert (await account_of(bench, "bob")).balance == -35
    assert (await account_of(bench, "carl")).balance == 0
    await assert_sound(bench)


async def test_a_step_that_was_reversed_by_hand_is_not_reversed_again(bench: Bench) -> None:
    await posted(bench, making())
    bench.clock.now = DUE + 2 * DAY
    await post_due_steps(bench.ledger, bench.book)
    (step,) = await entries_about(bench, "missed")
    await posted(bench, reversal(1, interaction=None, entry_id=step.entry_id))

    await posted(bench, keeping(value_at=DUE))

    assert (await account_of(bench)).balance == 4
    await assert_sound(bench)


async def test_withdrawn_it_costs_no_more_than_until_then(bench: Bench) -> None:
    await posted(bench, making("before"))
    withdrawn = await posted(bench, withdrawing("before"))
    await posted(bench, making("after", customer="bob"))
    bench.clock.now = DUE + 8 * DAY
    await post_due_steps(bench.ledger, bench.book)
    await posted(bench, withdrawing("after", DUE + 2 * DAY))

    assert (withdrawn.entry.kind, withdrawn.entry.points) == ("promise.withdrawn", 0)
    assert await standing(bench, "before") == []
    assert await standing(bench, "after") == [(DUE + DAY, -12)]
    await assert_sound(bench)


async def test_moved_before_the_due_time_it_is_due_at_the_new_one_for_a_small_price(bench: Bench) -> None:
    await posted(bench, making())
    moved = await posted(bench, moving())
    assert (moved.entry.kind, moved.entry.points) == ("promise.moved", -4)
    bench.clock.now = DUE + 5 * DAY
    assert await post_due_steps(bench.ledger, bench.book) == DUE + 6 * DAY

    await posted(bench, keeping())

    assert (await account_of(bench)).balance == 0
    await assert_sound(bench)


async def test_the_outcomes_hold_when_the_tariff_has_dropped_both_kinds(bench: Bench) -> None:
    await post(bench, making("kept"), making("missed", customer="bob", steps=None, attributes={"stake": "high"}))
    document = await _document(bench)
    for kind in ("promise.kept", "promise.broken", "promise.moved"):
        del document["kinds"][kind]
    await adopt_tariff(bench.ledger, bench.book, document, expected_version=1, api_key_id="tests")
    moved = await posted(bench, moving("kept", DUE + DAY))
    bench.clock.now = DUE
    await post_due_steps(bench.ledger, bench.book)

    kept = await posted(bench, keeping("kept"))

    (missed,) = await entries_about(bench, "missed", "missed")
    assert (missed.points, missed.tariff_version) == (-30, 1)
    assert (kept.entry.points, kept.entry.tariff_version) == (4, 1)
    assert moved.entry.points == 0
    await assert_sound(bench)


async def test_names_with_slashes_do_not_meet(bench: Bench) -> None:
    await posted(bench, making("b/c", source="a"))
    await posted(bench, making("c", source="a/b"))
    bench.clock.now = DUE + 8 * DAY
    await post_due_steps(bench.ledger, bench.book)

    assert (await account_of(bench)).balance == 2 * STEPS[-1].points
    await assert_sound(bench)


async def _document(bench: Bench) -> dict[str, Any]:
    async with bench.ledger.database.read(bench.book) as tx:
        document: Any = await tariff_document(tx, bench.book, 1)
        return dict(document)
