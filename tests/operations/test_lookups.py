"""Look-ups: few statements for however many ask at once, and everybody is answered."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import DatabaseUnavailable
from app.operations import lookups as lookups_module
from app.operations.lookups import Lookups
from app.operations.read_customer import Looked, look_up, reading
from app.sql import Sql, rows_of
from tests.conftest import Bench
from tests.operations.delivering import until
from tests.operations.posting import interaction, post

NAMES = [f"customer {n}" for n in range(9)]


class Counted:
    """Counts look-ups, and holds each until it is let go; `fails` of them end as if the database was away."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.fails = 0
        self.let_go = asyncio.Event()

    async def look_up(self, ledger: Any, tx: Any, book: str, customers: set[str]) -> Looked:
        self.sizes.append(len(customers))
        await self.let_go.wait()
        if self.fails:
            self.fails -= 1
            raise DatabaseUnavailable
        return await look_up(ledger, tx, book, customers)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    counted = Counted()
    monkeypatch.setattr(lookups_module, "look_up", counted.look_up)
    return counted


@asynccontextmanager
async def asking(bench: Bench, counted: Counted) -> AsyncGenerator[tuple[Lookups, list["asyncio.Task[Looked]"]]]:
    """Nine ask, one after the other, while what is read is held up; then it is let go."""
    await post(bench, *[interaction(name, customer=name) for name in NAMES])
    lookups = Lookups(bench.ledger)
    tasks = list[asyncio.Task[Looked]]()
    for name in NAMES:
        tasks.append(asyncio.create_task(lookups.of(bench.book, [name])))
        await asyncio.sleep(0.02)
    yield lookups, tasks
    counted.let_go.set()


async def test_whoever_asks_while_a_look_up_is_under_way_goes_together_into_the_next(
    bench: Bench, counted: Counted
) -> None:
    async with asking(bench, counted) as (_, tasks):
        assert counted.sizes == [1]
    found = await asyncio.gather(*tasks)

    assert counted.sizes == [1, len(NAMES) - 1]
    assert all(name in looked.accounts for name, looked in zip(NAMES, found, strict=True))


async def test_who_asks_in_the_same_turn_of_the_loop_goes_into_one_look_up(bench: Bench, counted: Counted) -> None:
    counted.let_go.set()
    await post(bench, *[interaction(name, customer=name) for name in NAMES])
    lookups = Lookups(bench.ledger)

    await asyncio.gather(*[lookups.of(bench.book, [name]) for name in NAMES])

    assert counted.sizes == [len(NAMES)]


async def test_of_many_who_ask_at_once_a_fourth_goes_into_a_look_up_and_at_least_sixteen(
    bench: Bench, counted: Counted
) -> None:
    counted.let_go.set()
    names = [f"one of many {n}" for n in range(100)]
    await post(bench, *[interaction(name, customer=name) for name in names])
    lookups = Lookups(bench.ledger)

    found = await asyncio.gather(*[lookups.of(bench.book, [name]) for name in names])

    assert counted.sizes == [25, 18, 16, 16, 16, 9]
    assert all(name in looked.accounts for name, looked in zip(names, found, strict=True))


async def test_if_the_database_is_away_all_who_wait_are_told_at_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[str] = []

    @asynccontextmanager
    async def away(book: str) -> AsyncGenerator[None]:
        tries.append(book)
        await asyncio.sleep(0)
        raise DatabaseUnavailable
        yield

    await post(bench, interaction("one", customer="one"))
    lookups = Lookups(bench.ledger)
    with monkeypatch.context() as patched:
        patched.setattr(bench.ledger.database, "glance", away)
        asked = [lookups.of(bench.book, ["one"]) for _ in range(64)]
        found = await asyncio.gather(*asked, return_exceptions=True)

    assert [type(each) for each in found] == [DatabaseUnavailable] * 64
    assert tries == [bench.book]
    assert "one" in (await lookups.of(bench.book, ["one"])).accounts


async def test_a_look_up_that_fails_fails_for_its_own_callers_and_the_others_are_answered(
    bench: Bench, counted: Counted
) -> None:
    counted.fails = 1
    async with asking(bench, counted) as (lookups, tasks):
        pass
    found = await asyncio.gather(*tasks, return_exceptions=True)

    assert [isinstance(each, DatabaseUnavailable) for each in found].count(True) == 1
    assert [isinstance(each, Looked) for each in found].count(True) == len(NAMES) - 1
    await until(lambda: not lookups._asked)  # who is answered does not wait for the transaction's end


async def test_who_goes_away_keeps_nobody_from_an_answer(bench: Bench, counted: Counted) -> None:
    async with asking(bench, counted) as (lookups, tasks):
        for each in (tasks[0], tasks[4]):
            each.cancel()
    found = await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(each) for each in found].count(Looked) == len(NAMES) - 2
    await until(lambda: not lookups._asked)  # who is answered does not wait for the transaction's end


async def test_who_looks_for_nobody_asks_for_no_names(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Sql] = []

    async def watched(tx: AsyncConnection, statement: Sql, **values: Any) -> Any:
        asked.append(statement)
        return await rows_of(tx, statement, **values)

    monkeypatch.setattr("app.queries.accounts.rows_of", watched)
    async with bench.ledger.database.read(bench.book) as tx:
        read = await reading(bench.ledger, tx, bench.book)
        looked = await look_up(bench.ledger, tx, bench.book, ["nobody"])

    texts = [statement.on_postgres(defaultdict(list))[0] for statement in asked]
    assert [" aliases " in text for text in texts] == [False, True]
    assert read.head == looked.view.head
    assert read.book_key == looked.view.book_key
