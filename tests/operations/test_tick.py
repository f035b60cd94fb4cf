"""The tick: what time brings is recorded once, at its own instant, however often and however late the clock runs."""

import secrets
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, example, given, settings

from app.domain.crossing import Cause
from app.domain.instant import DAY, HOUR, SECOND, Instant
from app.domain.standing import Standing
from app.operations.open_book import open_book
from app.operations.record import record
from app.operations.replay import begin_replay, end_replay
from app.operations.tick import Tick as Ticked
from app.operations.tick import advance_due
from app.operations.verify import verify
from app.queries.books import head
from app.queries.due import next_due_at
from tests.conftest import NOON, Bench
from tests.operations.posting import account_of, interaction, new_book, post
from tests.operations.stories import TOLD, Post, Step, Tick, projected, steps, tell

FADED_DAYS = 3_000.0  # after which nobody of the stories moves any more


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(told=steps)
@example(told=[*TOLD, Tick(), 300.0, Tick(limit=1), [Post(customer="ada", kind="refund.fast")], Tick()])
async def test_whenever_the_clock_runs_the_crossings_and_standings_are_the_same(
    bench: Bench, told: Sequence[Step]
) -> None:
    ticked = await lived(bench, told)
    untouched = await lived(bench, [step for step in told if not isinstance(step, Tick)])

    assert ticked == untouched


async def lived(bench: Bench, told: Sequence[Step]) -> list[tuple[Any, ...]]:
    """What is stored of each customer at the end, once the clock has caught up; the book must verify."""
    book = f"book-{secrets.token_hex(4)}"
    bench.clock.now = NOON
    await open_book(bench.ledger, book)
    whose = {account_id: customer for customer, account_id in (await tell(bench, book, told)).items()}
    await caught_up(bench, book)
    bench.clock.pass_days(FADED_DAYS)
    await caught_up(bench, book, limit=2)

    assert (await verify(bench.ledger, book)).findings == ()
    rows = [row for table in (await projected(bench, book)).values() for row in table]
    # What is told of depends on how soon it is known.
    when = {"recorded_at": None, "announced": None}
    chance = {"book": None, "heaviest": None}  # which names entries
    named = [{**row, **when, **chance, "account_id": whose[row["account_id"]]} for row in rows]
    return sorted([tuple(row.items()) for row in named], key=str)


async def caught_up(bench: Bench, book: str | None = None, limit: int = 50) -> list[Ticked]:
    """Tick until nothing is due."""
    ticks = [await advance_due(bench.ledger, book or bench.book, limit=limit)]
    while ticks[-1].advanced:
        ticks.append(await advance_due(bench.ledger, book or bench.book, limit=limit))
    return ticks


async def due_next(bench: Bench) -> Instant | None:
    """When something is due next in the book."""
    async with bench.ledger.database.read(bench.book) as tx:
        return await next_due_at(tx, bench.book)


async def test_a_crossing_is_recorded_at_its_own_instant_and_the_head_follows(bench: Bench) -> None:
    await post(bench, interaction(1, kind="moment.unexpected_gift"))
    assert await due_next(bench) == (await account_of(bench)).look_again_at
    bench.clock.pass_days(1_000)

    tick = await advance_due(bench.ledger, bench.book)

    assert [crossing.cause for _, crossing in tick.crossings] == [Cause.TIME] * len(tick.crossings)
    assert tick.crossings[-1][1].after.standing is Standing.NO_EVIDENCE
    account = await account_of(bench)
    assert (account.place, account.crossed_at) == (tick.crossings[-1][1].after, tick.crossings[-1][1].at)
    assert NOON < await booked_at(bench) < bench.clock.now < account.look_again_at
    assert (await booked_at(bench), await due_next(bench)) == (account.crossed_at, account.look_again_at)


async def test_an_account_that_was_looked_at_in_vain_is_due_no_more(bench: Bench) -> None:
    await post(bench, interaction(1, kind="product.failed"))
    bench.clock.pass_days(FADED_DAYS)
    await caught_up(bench)
    bench.clock.pass_days(FADED_DAYS)

    ticks = [await advance_due(bench.ledger, bench.book) for _ in range(2)]

    assert ticks == [Ticked(advanced=1, crossings=()), Ticked(advanced=0, crossings=())]


async def test_a_batch_has_its_limit_and_takes_first_what_waits_longest(bench: Bench) -> None:
    await post(bench, interaction(1, kind="product.failed", customer="bob"))
    bench.clock.pass_days(1)
    await post(bench, *[interaction(n, kind="product.failed", customer=f"customer-{n}") for n in range(2, 7)])
    bench.clock.pass_days(1_000)

    ticks = await caught_up(bench, limit=4)

    assert [tick.advanced for tick in ticks] == [4, 2, 0]
    assert (await account_of(bench, "bob")).account_id in {account_id for account_id, _ in ticks[0].crossings}
    assert all([at for _, at in told(tick)] == sorted(at for _, at in told(tick)) for tick in ticks)
    assert (await verify(bench.ledger, bench.book)).findings == ()


async def test_a_clock_that_is_three_days_late_records_what_an_hourly_one_did(bench: Bench) -> None:
    batch = [
        interaction(n, kind=kind, customer=f"customer-{n}", value_at=NOON - n * DAY)
        for n, kind in enumerate(["product.failed", "moment.unexpected_gift", "data.breach", "apology.first"] * 20)
    ]
    hourly, late = await new_book(bench), await new_book(bench)
    await post(bench, *batch, book=hourly)
    await post(bench, *batch, book=late)

    seen = []
    for _ in range(72):
        bench.clock.now += HOUR
        seen += told(await advance_due(bench.ledger, hourly))
    at_once = told(await advance_due(bench.ledger, late, limit=1_000))

    assert sorted(at for _, at in seen) == [at for _, at in at_once] != []
    assert await booked_at(bench, hourly) == await booked_at(bench, late)


async def test_a_clock_behind_the_ledger_records_nothing_twice_and_lowers_nothing(bench: Bench) -> None:
    await post(bench, interaction(1, kind="product.failed"))
    bench.clock.pass_days(1_000)
    await caught_up(bench)
    await post(bench, interaction(2, kind="product.failed"))
    after = await booked_at(bench)
    before = await projected(bench, bench.book)
    bench.clock.now -= 30 * SECOND

    assert [tick.advanced for tick in await caught_up(bench)] == [0]

    assert await projected(bench, bench.book) == before
    assert await booked_at(bench) == after
    assert (await verify(bench.ledger, bench.book)).findings == ()


async def test_a_book_that_replays_history_is_left_alone_and_its_end_leaves_no_history_to_the_clock(
    bench: Bench,
) -> None:
    await begin_replay(bench.ledger, bench.book)
    await tell_replayed(bench)

    assert await advance_due(bench.ledger, bench.book) == Ticked(advanced=0, crossings=())
    assert (await projected(bench, bench.book))["crossings"][1:] == []
    await end_replay(bench.ledger, bench.book)

    assert (await advance_due(bench.ledger, bench.book)).advanced == 0
    recorded = (await projected(bench, bench.book))["crossings"]
    assert {row["recorded_at"] for row in recorded} == {None}
    assert await booked_at(bench) == recorded[-1]["at"]  # nothing is booked before it any more
    assert [row["cause"] for row in recorded] == ["entry", *["time"] * (len(recorded) - 1)] != ["entry"]


async def tell_replayed(bench: Bench) -> None:
    item = interaction(1, kind="product.failed", value_at=NOON - 900 * DAY)
    await record(bench.ledger, bench.book, [item], api_key_id=bench.key_id, replay=True)


def told(tick: Ticked) -> list[tuple[object, int]]:
    return [(account_id, crossing.at) for account_id, crossing in tick.crossings]


async def booked_at(bench: Bench, book: str | None = None) -> int:
    async with bench.ledger.database.read(book or bench.book) as tx:
        found = await head(tx, book or bench.book)
    assert found is not None
    return found.booked_at
