"""A sandbox's clock: what it brings is what a running clock would have brought, and no other book is touched."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from app.database import Database
from app.domain.crossing import Cause
from app.domain.errors import InvalidRequest, Replaying
from app.domain.instant import DAY, HOUR, YEAR
from app.domain.promise import State
from app.domain.tariff import Step
from app.operations.open_book import open_book
from app.operations.post_due_steps import post_due_steps
from app.operations.replay import begin_replay
from app.operations.sandbox import Passage, advance_clock, empty_sandbox
from app.operations.tick import advance_due
from app.queries.crossings import crossings_of_book
from app.queries.due import next_due_by_book
from app.tables import metadata
from tests.conftest import NOON, Bench
from tests.operations.posting import account_of, interaction, ledger_of, post
from tests.operations.promising import DUE, STEPS, assert_sound, entries_about, making, promise_of, standing
from tests.operations.sandboxes import days_pass, head_of, new_sandbox
from tests.operations.stories import stored

APP = Path(__file__).parents[2] / "app"
READ_THE_REAL_CLOCK = {
    "api/health.py",  # how late the clock itself is
    "operations/list_customers.py",  # its statement adds how far the book is ahead
    *("api/door.py", "cli/keys.py", "worker.py"),
    *(f"operations/{name}.py" for name in ("ledger", "manage_keys", "open_book", "sandbox")),
}
WHAT_IS_SENT = {
    *("api/deliveries.py", "api/webhooks.py", "deliverer.py", "pump.py"),
    *(
        f"operations/{name}.py"
        for name in ("announce", "book_message", "deliver", "disable", "give_up_deleted", "hold")
    ),
    *(f"operations/{name}.py" for name in ("keep_tidy", "purge", "redeliver", "rotate", "send_test", "subscribe")),
    "operations/summarise.py",
}


async def test_a_promise_breaks_step_by_step_while_the_clock_is_moved(bench: Bench) -> None:
    sandbox = await new_sandbox(bench)
    await post(bench, making(), interaction(1, "moment.unexpected_gift", "bob"), book=sandbox)

    passage = await days_pass(bench, sandbox, 30)

    times = [DUE + step.after // timedelta(microseconds=1) for step in STEPS]
    steps = await entries_about(bench, "missed", book=sandbox)
    assert [(step.value_at, step.booked_at) for step in steps] == [(at, at) for at in times]
    assert await standing(bench, book=sandbox) == list(zip(times, [-12, -23, -13], strict=True))
    assert passage == Passage(begun_at=NOON, ended_at=NOON + 30 * DAY, after=2, until=5, told=1, told_until=4)
    assert (await promise_of(bench, book=sandbox)).state is State.BROKEN
    await assert_sound(bench, sandbox)


async def test_the_clock_ticks_on_from_where_it_was_moved_to(bench: Bench) -> None:
    sandbox = await new_sandbox(bench)
    await days_pass(bench, sandbox, 100)
    bench.clock.now += HOUR

    await post(bench, interaction(1), interaction(2, customer="bob", value_at=NOON + 90 * DAY), book=sandbox)
    passage = await days_pass(bench, sandbox, 1)

    assert [entry.booked_at for entry in await ledger_of(bench, sandbox)] == [NOON + 100 * DAY + HOUR] * 2
    assert (passage.begun_at, passage.ended_at) == (NOON + 100 * DAY + HOUR, NOON + 101 * DAY + HOUR)


async def test_two_at_once_each_add_their_time(bench: Bench) -> None:
    """Over two sets of connections, as two server processes have them."""
    sandbox = await new_sandbox(bench)
    await post(bench, *(making(f"p{n}", due_at=DUE + n * DAY) for n in range(10)), book=sandbox)
    database = Database(bench.url)
    other = replace(bench, ledger=replace(bench.ledger, database=database, tariffs={}, policies={}))

    await asyncio.gather(days_pass(bench, sandbox, 30, limit=1), days_pass(other, sandbox, 60, limit=1))

    assert (await head_of(other, sandbox)).clock_ahead == 90 * DAY
    assert len(await standing(bench, "p9", sandbox)) == 3
    missed = [entry for entry in await ledger_of(bench, sandbox) if entry.source == "goodwill"]
    assert [entry.booked_at for entry in missed] == sorted(entry.value_at for entry in missed)
    assert len(missed) == 30
    await assert_sound(bench, sandbox)
    await database.close()


async def test_posts_meanwhile_find_their_place(bench: Bench) -> None:
    sandbox = await new_sandbox(bench)
    await post(bench, *(making(f"p{n}", customer=f"c{n}") for n in range(20)), book=sandbox)

    await asyncio.gather(
        days_pass(bench, sandbox, 40, limit=2),
        *(post(bench, interaction(n, "product.failed", f"c{n}"), book=sandbox) for n in range(20)),
    )

    assert len(await ledger_of(bench, sandbox)) == 20 + 60 + 20
    await assert_sound(bench, sandbox)


async def test_what_was_due_before_is_booked_at_the_present_and_told_of(bench: Bench) -> None:
    sandbox = await new_sandbox(bench)
    await post(bench, making(steps=(Step(after=timedelta(), points=-9),)), book=sandbox)
    bench.clock.now = DUE + DAY

    passage = await days_pass(bench, sandbox, 1)

    (step,) = await entries_about(bench, "missed", book=sandbox)
    assert (step.value_at, step.booked_at) == (DUE, DUE + DAY)
    assert (passage.begun_at, passage.after, passage.until) == (DUE + DAY, 1, 2)


async def test_the_crossings_of_a_passage_are_told_in_order_up_to_a_limit(bench: Bench) -> None:
    sandbox = await new_sandbox(bench)
    kinds = ["product.failed", "moment.unexpected_gift", "data.breach"]
    await post(bench, *[interaction(n, kinds[n % 3], f"c{n}") for n in range(12)], book=sandbox)
    passage = await days_pass(bench, sandbox, 1_000)

    async with bench.ledger.database.read(sandbox) as tx:
        within = {"after": passage.begun_at, "until": passage.ended_at}
        listed, total = await crossings_of_book(tx, sandbox, limit=5, **within)

    assert (len(listed), total) == (5, sum(row["crossings"] - 1 for row in (await stored_accounts(bench, sandbox))))
    assert [each.crossing.at for _, each in listed] == sorted(each.crossing.at for _, each in listed)
    assert {each.crossing.cause for _, each in listed} == {Cause.TIME}


async def stored_accounts(bench: Bench, book: str) -> list[dict[str, int]]:
    return (await stored(bench, metadata.tables["accounts"], book=book))["accounts"]


async def test_a_clock_serves_a_sandbox_by_the_sandboxs_time(bench: Bench) -> None:
    sandbox = await new_sandbox(bench)
    await days_pass(bench, sandbox, 500)
    await post(bench, making(due_at=NOON + 500 * DAY + HOUR), book=sandbox)
    async with bench.ledger.database.oversee() as tx:
        dues = await next_due_by_book(tx)

    assert dues[sandbox] == NOON + HOUR + DAY
    assert await post_due_steps(bench.ledger, sandbox) == NOON + 501 * DAY + HOUR
    assert await standing(bench, book=sandbox) == []
    bench.clock.now = NOON + HOUR + DAY
    await post_due_steps(bench.ledger, sandbox)
    await advance_due(bench.ledger, sandbox)
    assert len(await standing(bench, book=sandbox)) == 1
    await assert_sound(bench, sandbox)


async def test_a_live_book_of_the_same_name_is_not_touched(bench: Bench) -> None:
    sandbox = f"test_{bench.book}"
    await open_book(bench.ledger, sandbox)
    for book in (bench.book, sandbox):
        await post(bench, making(), interaction(1, "product.failed", "bob"), book=book)
    before = await stored(bench, *metadata.tables.values(), book=bench.book)

    await days_pass(bench, sandbox, 100)
    await empty_sandbox(bench.ledger, sandbox)

    assert await stored(bench, *metadata.tables.values(), book=bench.book) == before


async def test_how_far_a_clock_goes(bench: Bench) -> None:
    sandbox = await new_sandbox(bench)
    await post(bench, interaction(1, "moment.unexpected_gift"), book=sandbox)
    await advance_clock(bench.ledger, sandbox, by=99 * YEAR)

    with pytest.raises(InvalidRequest) as refused:
        await advance_clock(bench.ledger, sandbox, by=2 * YEAR)

    assert [fault.pointer for fault in refused.value.faults] == ["/advance"]
    assert (await head_of(bench, sandbox)).clock_ahead == 99 * YEAR
    assert (await account_of(bench, book=sandbox)).look_again_at > NOON + 99 * YEAR


async def test_while_history_is_replayed_the_clock_stands(bench: Bench) -> None:
    sandbox = await new_sandbox(bench)
    await begin_replay(bench.ledger, sandbox)

    with pytest.raises(Replaying):
        await days_pass(bench, sandbox, 1)

    assert (await head_of(bench, sandbox)).clock_ahead == 0


def test_the_real_clock_is_read_for_what_is_no_books_alone() -> None:
    """What happens in a book happens at `ledger.present(head)`; the rest goes by the real clock."""
    found = {str(path.relative_to(APP)) for path in APP.rglob("*.py") if ".now()" in path.read_text()}

    assert found == READ_THE_REAL_CLOCK | WHAT_IS_SENT
