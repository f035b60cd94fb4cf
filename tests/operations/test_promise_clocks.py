"""Clocks and writers at once, batches, a clock that was away, and rows spoiled by hand."""

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import ColumnElement, delete, update

from app.domain.errors import Replaying
from app.domain.instant import DAY
from app.domain.promise import State
from app.operations.post_due_steps import post_due_steps
from app.operations.rebuild import rebuild
from app.operations.record import record
from app.operations.replay import begin_replay, end_replay
from app.operations.verify import verify
from app.tables import promises
from tests.conftest import NOON, Bench
from tests.operations.posting import account_of, came_to, interaction, ledger_of, post
from tests.operations.promising import DUE, assert_sound, keeping, making, moving, promise_of, standing
from tests.operations.stories import stored
from tests.tamper_table import Tampered

if TYPE_CHECKING:
    from app.operations.append import Item

CUSTOMERS = 24


async def test_two_clocks_and_sixteen_writers_post_each_step_once(bench: Bench) -> None:
    await post(bench, *(making(f"p{n}", customer=f"c{n}") for n in range(CUSTOMERS)))
    bench.clock.now = DUE + 4 * DAY

    await asyncio.gather(
        *(drained(bench, limit=5) for _ in range(2)),
        *(post(bench, interaction(f"i{n}", customer=f"c{n}")) for n in range(16)),
        *(post(bench, keeping(f"p{n}", DUE + DAY)) for n in range(16, 20)),
    )

    missed = [entry.external_id for entry in await ledger_of(bench) if entry.source == "goodwill"]
    assert len(missed) == len(set(missed))
    for n in range(CUSTOMERS):
        whole = [(DUE + DAY, -12), (DUE + 3 * DAY, -23)]
        assert await standing(bench, f"p{n}") == (whole[:1] if 16 <= n < 20 else whole)
    await assert_sound(bench)


async def drained(bench: Bench, *, limit: int) -> None:
    while True:
        next_at = await post_due_steps(bench.ledger, bench.book, limit=limit)
        if next_at is None or next_at > bench.clock.now:
            return


async def test_a_clock_that_was_away_posts_the_same_steps(bench: Bench) -> None:
    await post(bench, making("a"), making("b", due_at=DUE + 2 * DAY))
    bench.clock.now = DUE + 30 * DAY

    assert await post_due_steps(bench.ledger, bench.book, limit=1) is None

    steps = [(entry.value_at, entry.points) for entry in (await ledger_of(bench))[2:]]
    times = [DUE + day * DAY for day in (1, 3, 3, 5, 7, 9)]
    assert [value_at for value_at, _ in steps] == times
    assert sum(points for _, points in steps) == -96


async def test_the_batch_in_which_requests_travel_does_not_matter(bench: Bench) -> None:
    outcomes = await post(bench, making(), making(), moving(), moving(), keeping(), keeping(), interaction("p"))

    assert came_to(outcomes) == [*["created", "replayed"] * 3, "interaction_conflict"]
    assert (await promise_of(bench)).state is State.KEPT
    await assert_sound(bench)


async def test_a_step_may_be_posted_and_reversed_in_one_append(bench: Bench) -> None:
    await post(bench, interaction(1), making())
    bench.clock.now = DUE + 4 * DAY

    await post(bench, interaction(2), keeping(value_at=DUE), interaction(3))

    assert await standing(bench) == []
    assert (await account_of(bench)).balance == 13
    await assert_sound(bench)


async def test_history_replayed_breaks_what_was_due_by_then(bench: Bench) -> None:
    bench.clock.now = NOON + 100 * DAY
    await begin_replay(bench.ledger, bench.book)
    batch: list[Item] = [
        making(value_at=NOON),
        interaction(1, value_at=DUE + 4 * DAY),
        keeping(value_at=DUE),
        making("open", value_at=DUE + 5 * DAY, due_at=DUE + 6 * DAY),
    ]
    outcomes = await record(bench.ledger, bench.book, batch, api_key_id="tests", replay=True)
    with pytest.raises(Replaying):
        await post_due_steps(bench.ledger, bench.book)
    await end_replay(bench.ledger, bench.book)
    await post_due_steps(bench.ledger, bench.book)

    assert came_to(outcomes) == ["created"] * 4
    points = [entry.points for entry in await ledger_of(bench)]
    assert points == [0, -12, -23, 3, 23, 12, 4, 0, -12, -23, -13]
    last = [entry.booked_at - DUE for entry in await ledger_of(bench)][-3:]
    assert last == [7 * DAY, 9 * DAY, 13 * DAY]
    await assert_sound(bench)


SPOILED: list[dict[str, Any]] = [
    {"due_at": promises.c.due_at + 1},
    {"state": "kept"},
    {"state": "whim"},
    {"posted": 3},
    {"steps": "[]"},
    {"steps": "no json"},
    {"kept_points": 400},
    {"next_step_at": None},
    {"sealed": b"x"},
]


async def test_verify_names_a_spoiled_promise_and_rebuild_mends_it(
    bench: Bench, subtests: pytest.Subtests, tampered: Tampered
) -> None:
    await post(bench, making(), making("q", customer="bob"))
    account_id = (await promise_of(bench)).account_id
    bench.clock.now = DUE + 2 * DAY
    await post_due_steps(bench.ledger, bench.book)
    sound = await stored(bench, promises)
    mine: ColumnElement[bool] = promises.c.id == "p"

    for values in SPOILED:
        with subtests.test(str(values)):
            async with bench.ledger.database.whole() as tx:
                await tx.execute(update(promises).where(mine).values(values))
            report = await verify(bench.ledger, bench.book)
            assert {found.law for found in report.findings} == {5}
            done = ", ".join(
                f"{name} changed" + f" to {value}" * isinstance(value, str) for name, value in values.items()
            )
            tampered(f"promise: {done}", report, 5, f"account {account_id}")
        await rebuild(bench.ledger, bench.book)
        assert await stored(bench, promises) == sound
    async with bench.ledger.database.whole() as tx:
        await tx.execute(delete(promises).where(mine))
    tampered("promise: deleted", await verify(bench.ledger, bench.book), 5, f"account {account_id}")
    await rebuild(bench.ledger, bench.book)
    assert await stored(bench, promises) == sound
    await assert_sound(bench)
