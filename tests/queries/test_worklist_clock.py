"""The worklist beside a clock: what it records between two pages changes neither; and without one, all that is due."""

from dataclasses import replace

import pytest

from app.domain.instant import DAY
from app.domain.worklist import Filter, Order
from app.operations.record import record
from app.operations.replay import begin_replay
from app.operations.tick import advance_due
from app.queries import worklist_rows
from tests.conftest import Bench
from tests.operations.posting import interaction
from tests.queries.test_worklist import Happening, World, shown, world_after

USUAL = Happening(gap=1, what="post", customer="a", kind="product.failed", lag=0, segment=None, value=1.0)


@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize("days_between", [0, 10, 100, 1_000])
async def test_a_clock_that_records_crossings_between_two_pages_changes_neither(
    bench: Bench, order: Order, days_between: int
) -> None:
    names = [(name, kind) for name in "abcde" for kind in ("product.failed", "moment.unexpected_gift")]
    history = [replace(USUAL, customer=f"{name}-{kind}", kind=kind) for name, kind in names]
    world = await world_after(bench, history)
    bench.clock.pass_days(30)
    moment, wanted = await world.moment(), Filter()
    expected = await world.by_hand(moment, order, wanted)
    first = await world.page(order, wanted, None, 4)

    bench.clock.pass_days(days_between)
    tick = await advance_due(bench.ledger, world.book)
    rest = await world.page(order, wanted, (moment, first.page[-1][0]), 10)

    assert bool(tick.crossings) == (days_between > 0)
    assert [shown(account) for _, account in [*first.page, *rest.page]] == [shown(account) for account in expected]


@pytest.mark.parametrize("order", list(Order))
async def test_history_that_is_booked_at_the_same_instant_between_two_pages_changes_neither(
    bench: Bench, order: Order
) -> None:
    """Days without a time of day, say: no entry of them is booked later than the one before."""
    day, customers = bench.clock.now - DAY, "abcd"

    async def lived(turn: int) -> None:
        items = [interaction(f"{turn} {each}", "product.failed", each, value_at=day) for each in customers]
        await record(bench.ledger, bench.book, items, api_key_id=bench.key_id, replay=True)

    await begin_replay(bench.ledger, bench.book)
    await lived(1)
    world = World(bench, bench.book)
    moment, wanted = await world.moment(), Filter()
    expected = await world.by_hand(moment, order, wanted)
    first = await world.page(order, wanted, None, 1)
    await lived(2)
    rest = await world.page(order, wanted, (moment, first.page[-1][0]), 10)

    assert len(expected) == len(customers)
    assert [shown(account) for _, account in [*first.page, *rest.page]] == [shown(account) for account in expected]


@pytest.mark.parametrize("order", list(Order))
async def test_more_unsettled_accounts_than_one_statement_reads_are_all_there(
    bench: Bench, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await world_after(bench, [replace(USUAL, customer=name) for name in "abcdefg"])
    bench.clock.pass_days(1_000)
    monkeypatch.setattr(worklist_rows, "CHUNK_ROWS", 2)
    moment = await world.moment()

    first = await world.page(order, Filter(), None, 4)
    rest = await world.page(order, Filter(), (moment, first.page[-1][0]), 4)

    found = [account for _, account in [*first.page, *rest.page]]
    expected = await world.by_hand(moment, order, Filter())
    assert [shown(account) for account in found] == [shown(account) for account in expected]
    names = {**first.names, **rest.names}
    assert [names[account.account_id] for account in found] == [world.name_of(account) for account in found]
