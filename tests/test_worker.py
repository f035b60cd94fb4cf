"""The clock's loop: it wakes when something is due, is fair between books, and outlives what fails."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from prometheus_client import Counter, Gauge
from sqlalchemy import make_url, update

from app import worker
from app.domain.errors import DatabaseUnavailable
from app.domain.instant import DAY, MINUTE, SECOND
from app.domain.policy import HalfLives, Policy
from app.main import clock
from app.operations.ledger import Ledger
from app.operations.tick import advance_due
from app.operations.verify import verify
from app.queries.checkpoints import last_checkpoint
from app.queries.due import next_due_by_book
from app.tables import books
from tests.conftest import Bench
from tests.operations.posting import account_of, interaction, new_book, post
from tests.operations.promising import DUE, making, standing
from tests.operations.signing import sign_all, signing
from tests.postgres import Server

PATIENCE_SECONDS = 60.0
ALREADY = "the clock stands still"


@asynccontextmanager
async def running(ledger: Ledger, *, unavailable: int = 0) -> AsyncGenerator[None]:
    """The clock over this ledger, which so many times at first cannot be had."""
    refusals = iter(range(unavailable))

    async def opened() -> Ledger:
        if next(refusals, None) is not None:
            raise DatabaseUnavailable
        return ledger

    async with worker.clock_running(opened):
        yield


async def until(holds: Callable[[], bool | Awaitable[bool]]) -> None:
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not (held if isinstance(held := holds(), bool) else await held):
        assert time.monotonic() < give_up_at
        await asyncio.sleep(0.01)


def value_of(metric: Counter | Gauge) -> float:
    return next(iter(metric.collect())).samples[0].value


async def is_advanced(bench: Bench) -> bool:
    """Whether time alone moved ada, and nothing is to be looked at."""
    account = await account_of(bench)
    return account.crossings > 1 and account.look_again_at > bench.ledger.now()


async def until_nothing_is_due(bench: Bench) -> None:
    async def nothing_is_due() -> bool:
        async with bench.ledger.database.oversee() as tx:
            dues = await next_due_by_book(tx)
        return all(due_at > bench.ledger.now() for due_at in dues.values())

    await until(nothing_is_due)


async def test_every_book_in_which_something_is_due_gets_its_turn(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[str] = []

    async def advance_two(ledger: Ledger, book: str) -> object:
        turns.append(book)
        return await advance_due(ledger, book, limit=2)

    monkeypatch.setattr(worker, "advance_due", advance_two)
    few, many = await new_book(bench), await new_book(bench)
    await post(bench, *[interaction(n, "product.failed", f"customer-{n}") for n in range(6)], book=many)
    await post(bench, *[interaction(n, "product.failed", f"customer-{n}") for n in range(2)], book=few)
    bench.clock.pass_days(1_000)

    async with running(bench.ledger):
        await until_nothing_is_due(bench)

    assert sorted(turns[:2]) == sorted([few, many])
    assert sorted(turns) == sorted([few, many, many, many])


async def test_what_this_process_posts_wakes_the_clock_at_its_instant(bench: Bench) -> None:
    """By itself the clock would look only seconds later."""
    hasty = Policy(half_lives=HalfLives(lasting=1e-5, passing=1e-5, deep=1e-5, observed=1e-5, fresh=1e-5))  # 0.9 s
    ledger = replace(bench.ledger, now=clock, policies={(bench.book, 1): hasty})
    live = replace(bench, ledger=ledger)
    crossed = value_of(worker.crossings_recorded)
    async with running(ledger):
        await asyncio.sleep(0.3)  # now it sleeps
        posted_at = clock()
        await post(live, interaction(1, "product.failed"))
        await until(lambda: is_advanced(live))
        seen_at, account = clock(), await account_of(live)

    assert account.crossed_at is not None
    assert account.crossed_at > posted_at
    assert seen_at - posted_at < 4 * SECOND
    assert value_of(worker.crossings_recorded) > crossed


async def test_what_came_due_just_now_is_left_for_a_moment_to_another_process_clock(bench: Bench) -> None:
    await post(bench, interaction(1, "product.failed"))
    due_at = (await account_of(bench)).look_again_at
    bench.clock.now = due_at + worker.GATHERED - 1
    async with running(bench.ledger):
        await asyncio.sleep(0.6)  # two rounds and more
        assert (await account_of(bench)).look_again_at == due_at
        bench.clock.now += 1
        await until_nothing_is_due(bench)


async def test_a_promise_that_is_due_in_a_moment_wakes_the_clock(bench: Bench) -> None:
    live = replace(bench, ledger=replace(bench.ledger, now=clock))
    async with running(live.ledger):
        await asyncio.sleep(0.3)  # now it sleeps
        due_at = clock() + SECOND
        await post(live, making(due_at=due_at, steps=None))
        await until(lambda: is_broken(live))

    assert clock() - due_at < 3 * SECOND


async def is_broken(bench: Bench) -> bool:
    return bool(await standing(bench))


async def test_a_database_that_is_away_is_told_once_and_the_clock_goes_on(
    bench: Bench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "OUTAGE_SECONDS_MIN", 0.01)
    await post(bench, interaction(1, "product.failed"))
    bench.clock.pass_days(1_000)

    async with running(bench.ledger, unavailable=4):
        await until_nothing_is_due(bench)
        await until(lambda: "runs again" in caplog.text)

    assert caplog.text.count(ALREADY) == 1
    assert caplog.text.count("runs again") == 1


async def test_a_postgresql_that_goes_away_and_comes_back_finds_the_clock_there(
    bench: Bench, postgres: Server, caplog: pytest.LogCaptureFixture
) -> None:
    if bench.ledger.database.is_sqlite:
        return  # a file does not go away
    name = make_url(bench.url).database
    async with running(bench.ledger):
        await post(bench, interaction(1, "product.failed"))
        postgres.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        postgres.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        bench.ledger.soon_due.set()
        await until(lambda: ALREADY in caplog.text)
        bench.clock.pass_days(1_000)
        postgres.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        await until(lambda: "runs again" in caplog.text)
        await until_nothing_is_due(bench)

    assert caplog.text.count(ALREADY) == 1
    assert (await account_of(bench)).crossings >= 2


async def test_a_book_that_cannot_be_ticked_does_not_keep_the_clock_from_the_others(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    broken = await new_book(bench)
    for book in (broken, bench.book):
        await post(bench, interaction(1, "product.failed"), book=book)
        await sign_all(bench, book)
    async with bench.ledger.database.whole() as tx:
        await tx.execute(update(books).where(books.c.book == broken).values(policy_version=9))
    bench.clock.pass_days(1_000)

    async with running(bench.ledger):
        await until(lambda: broken in caplog.text)
        await until(lambda: is_advanced(bench))

    assert caplog.text.count(f"leaves book {broken} alone") == 1


async def test_a_book_that_replays_history_does_not_keep_it_awake(bench: Bench) -> None:
    await post(bench, interaction(1, "product.failed"))
    async with bench.ledger.database.whole() as tx:
        await tx.execute(update(books).values(replaying=True))
    bench.clock.pass_days(1_000)

    async with running(bench.ledger):
        await asyncio.sleep(0.1)

    assert (await account_of(bench)).look_again_at <= bench.clock.now
    assert value_of(worker.lag_seconds) == 0


async def test_the_clock_signs_checkpoints_one_after_the_other_and_goes_on_with_the_next_book(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench, broken = signing(bench, entries=3, minutes=10), await new_book(bench)
    for book in (broken, bench.book):
        await post(bench, *[interaction(n) for n in range(8)], book=book)
    async with bench.ledger.database.whole() as tx:
        await tx.execute(update(books).where(books.c.book == broken).values(policy_version=9))

    async def covered() -> int:
        async with bench.ledger.database.read(bench.book) as tx:
            found = await last_checkpoint(tx, bench.book)
        return found.position if found else 0

    async with running(bench.ledger):
        await until(lambda: broken in caplog.text)
        await until(lambda: _is(covered(), 6))
        bench.clock.now += 10 * MINUTE
        bench.ledger.soon_due.set()
        await until(lambda: _is(covered(), 8))

    assert (await verify(bench.ledger, bench.book)).is_sound


async def _is(found: Awaitable[int], expected: int) -> bool:
    return await found == expected


async def test_the_clock_breaks_a_promise_when_its_time_comes(bench: Bench) -> None:
    await post(bench, making())

    bench.clock.now += worker.GATHERED
    async with running(bench.ledger):
        for days in (11, 3, 4):
            bench.clock.pass_days(days)
            bench.ledger.soon_due.set()
            await until_nothing_is_due(bench)

    assert await standing(bench) == [(DUE + 1 * DAY, -12), (DUE + 3 * DAY, -23), (DUE + 7 * DAY, -13)]
    assert (await verify(bench.ledger, bench.book)).is_sound
