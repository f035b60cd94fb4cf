"""The append: order, places, and what a refused item leaves behind."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from app.domain.chain import genesis, linked
from app.domain.errors import ClockBehind, Replaying
from app.domain.interaction import EARLIEST
from app.operations.adopt_tariff import adopt_tariff
from app.operations.outcome import Posted
from app.operations.replay import begin_replay, end_replay
from app.store.books import lock_head, save_head
from app.tables import books
from tests.conftest import NOON, Bench
from tests.operations.posting import (
    account_of,
    came_to,
    interaction,
    ledger_of,
    post,
    posted,
    refused,
    reversal,
    row_counts,
)

MINUTE, SECOND, DAY = 60_000_000, 1_000_000, 86_400_000_000


async def test_a_batch_is_answered_in_order_and_a_refused_item_never_touches_its_neighbours(bench: Bench) -> None:
    batch = [interaction(1), interaction(2, kind="no.such_kind"), interaction(3, customer="bob")]

    outcomes = await post(bench, *batch)

    assert came_to(outcomes) == ["created", "unknown_kind", "created"]
    placed = [(o.entry.position, o.entry.external_id, o.customer) for o in outcomes if isinstance(o, Posted)]
    assert placed == [(1, "1", "ada"), (2, "3", "bob")]


async def test_sequences_count_per_account_positions_per_book_and_the_chain_links_them(bench: Bench) -> None:
    names = ["ada", "bob", "ada", "eve", "bob", "ada"]
    await post(bench, *[interaction(number, customer=name) for number, name in enumerate(names[:4])])
    await post(bench, *[interaction(number + 4, customer=name) for number, name in enumerate(names[4:])])

    entries = await ledger_of(bench)

    assert [entry.position for entry in entries] == [1, 2, 3, 4, 5, 6]
    assert [entry.sequence for entry in entries] == [1, 1, 2, 1, 2, 3]
    assert [entry.balance_after for entry in entries] == [3, 3, 6, 3, 6, 9]
    previous = genesis(bench.book)
    for entry in entries:
        previous = linked(previous, entry)
        assert entry.hash == previous
    async with bench.ledger.database.read(bench.book) as tx:
        assert (await tx.execute(select(books.c.position, books.c.hash))).one() == (6, previous)


async def test_the_key_that_posted_stands_on_every_entry(bench: Bench) -> None:
    await post(bench, interaction(1), reversal(1))
    assert {entry.api_key_id for entry in await ledger_of(bench)} == {bench.key_id}


async def test_refused_items_leave_no_trace_but_their_answer(bench: Bench) -> None:
    await posted(bench, interaction("known"))
    before, head = await row_counts(bench), await ledger_of(bench)

    outcomes = await post(
        bench,
        interaction(1, kind="no.such_kind", customer="nobody"),
        interaction(2, kind="delivery.late", customer="nobody"),
        interaction(3, kind="survey.nps", customer="nobody", attributes={"score": 11}),
        interaction(4, points=5, customer="nobody"),
        interaction(5, kind="interaction.priced_by_source", points=100_000, customer="nobody"),
        interaction(6, kind="promise.made", customer="nobody"),
        interaction(7, value_at=NOON + DAY, customer="nobody"),
        interaction("known", kind="refund.fast", customer="nobody"),
        reversal("unknown"),
        reversal("known", replacement=interaction(8, kind="no.such_kind", customer="nobody")),
    )

    assert came_to(outcomes) == [
        "unknown_kind",
        "invalid_attributes",
        "requirement_not_met",
        "points_not_explicit",
        "points_out_of_bounds",
        "system_kind",
        "invalid_interaction",
        "interaction_conflict",
        "unknown_entry",
        "unknown_kind",
    ]
    assert (await row_counts(bench), await ledger_of(bench)) == (before, head)


async def test_a_refused_first_item_does_not_block_an_equal_pair_behind_it(bench: Bench) -> None:
    outcomes = await post(
        bench, interaction(1, kind="no.such_kind"), interaction(1), interaction(1), interaction(1, note="other")
    )
    assert came_to(outcomes) == ["unknown_kind", "created", "replayed", "interaction_conflict"]
    assert len(await ledger_of(bench)) == 1


async def test_an_account_opens_with_the_first_interaction_that_is_not_refused(bench: Bench) -> None:
    """And a customer of whom all is refused has none, though the neighbours are written."""
    nobody = interaction(0, value_at=NOON + DAY, customer="nobody")
    unknown = interaction(1, kind="no.such_kind", customer="nobody")
    await post(bench, nobody, interaction(1, kind="no.such_kind"), unknown, interaction(2), interaction(3))
    assert (await account_of(bench)).sequence == 2
    counts = await row_counts(bench)
    assert (counts["accounts"], counts["aliases"], counts["account_keys"]) == (1, 1, 1)


# Time.


async def test_booked_at_never_falls_though_the_clock_does(bench: Bench) -> None:
    instants = []
    for number, jump in enumerate([0, 0, -59 * SECOND, 10 * SECOND, 20 * SECOND, 60 * SECOND]):
        bench.clock.now += jump
        instants.append((await posted(bench, interaction(number))).entry.booked_at)

    assert instants[:5] == [NOON, NOON + 1, NOON + 2, NOON + 3, NOON + 4]
    assert instants[5] == bench.clock.now == NOON + 31 * SECOND


async def test_a_clock_that_is_more_than_a_minute_behind_is_not_believed(bench: Bench) -> None:
    await posted(bench, interaction(1))
    bench.clock.now = NOON - 60 * SECOND
    await posted(bench, interaction(2))
    bench.clock.now = NOON - 60 * SECOND
    before = await row_counts(bench)
    with pytest.raises(ClockBehind):
        await post(bench, interaction(3))
    assert await row_counts(bench) == before


async def test_a_batch_has_one_instant(bench: Bench) -> None:
    await post(bench, *[interaction(number) for number in range(3)])
    assert [(entry.booked_at, entry.value_at) for entry in await ledger_of(bench)] == [(NOON, NOON)] * 3


async def test_a_value_time_up_to_five_minutes_ahead_is_stored_as_booked(bench: Bench) -> None:
    ahead = await posted(bench, interaction(1, value_at=NOON + 5 * MINUTE))
    assert (ahead.entry.value_at, ahead.entry.booked_at) == (NOON, NOON)
    assert came_to(await post(bench, interaction(1, value_at=NOON + 5 * MINUTE))) == ["replayed"]
    assert came_to(await post(bench, interaction(1, value_at=NOON))) == ["interaction_conflict"]


@pytest.mark.parametrize(
    ("value_at", "code"),
    [(NOON + 5 * MINUTE + 1, "time_in_the_future"), (EARLIEST - 1, "time_too_early"), (2**54, "time_in_the_future")],
)
async def test_a_value_time_further_ahead_or_before_1900_is_refused(bench: Bench, value_at: int, code: str) -> None:
    refusal = await refused(bench, interaction(1, value_at=value_at))
    assert [(fault.pointer, fault.code) for fault in refusal.faults] == [("/value_at", code)]


async def test_a_value_time_of_1900_is_taken(bench: Bench) -> None:
    assert (await posted(bench, interaction(1, value_at=EARLIEST))).entry.value_at == EARLIEST


async def test_a_book_that_replays_history_takes_no_live_postings(bench: Bench) -> None:
    await begin_replay(bench.ledger, bench.book)
    with pytest.raises(Replaying):
        await post(bench, interaction(1))
    await end_replay(bench.ledger, bench.book)
    assert came_to(await post(bench, interaction(1))) == ["created"]


async def test_a_batch_is_valued_by_the_tariff_that_is_in_force_under_the_lock(bench: Bench) -> None:
    """Another process adopts a tariff: this one, which knows version 1, must not go on with it."""
    first = await posted(bench, interaction(1))
    document: Any = bench.ledger.tariffs[bench.book, 1].document
    dearer = {**document["kinds"], "apology.first": {**document["kinds"]["apology.first"], "points": 5}}
    other = replace(bench.ledger, tariffs={}, policies={})
    changed = {**document, "kinds": dearer}
    await adopt_tariff(other, bench.book, changed, expected_version=1, api_key_id=bench.key_id)

    second = await posted(bench, interaction(2))

    assert [(e.points, e.tariff_version) for e in (first.entry, second.entry)] == [(3, 1), (5, 2)]


async def moved_head_and_failed(bench: Bench) -> None:
    async with bench.ledger.database.write(bench.book) as tx:
        head = await lock_head(tx, bench.book)
        await save_head(tx, replace(head, position=7))
        raise ZeroDivisionError


async def test_a_write_that_fails_leaves_nothing(bench: Bench) -> None:
    before = await row_counts(bench)
    with pytest.raises(ZeroDivisionError):
        await moved_head_and_failed(bench)
    assert await row_counts(bench) == before
    assert (await posted(bench, interaction(1))).entry.position == 1
