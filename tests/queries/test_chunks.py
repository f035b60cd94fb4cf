"""Rows straight from the driver: the same as anyone's, in bounded memory, within the transaction that reads them."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.queries import chunks as module
from app.queries.chunks import chunks
from app.queries.ledger_lines import entries_by_account
from app.records import entry_of_record
from app.rows import entry_of
from app.tables import entries
from tests.conftest import Bench
from tests.operations.posting import interaction, post

LINES = 7


@pytest.fixture
async def posted(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    await post(bench, *[interaction(n, "apology.first", f"customer-{n % 3}") for n in range(LINES)])
    monkeypatch.setattr(module, "CHUNK_ROWS", 2)
    return bench


async def count(tx: AsyncConnection) -> int:
    return int((await tx.execute(select(func.count()).select_from(entries))).scalar_one())


async def test_rows_are_the_same_as_those_of_sqlalchemy_two_at_a_time(posted: Bench) -> None:
    query = select(entries).where(entries.c.book == posted.book).order_by(entries.c.position)
    async with posted.ledger.database.read(posted.book) as tx:
        usual = [entry_of(row) for row in (await tx.execute(query)).mappings()]
    async with posted.ledger.database.read(posted.book) as tx:
        found = [rows async for rows in chunks(tx, query)]
    assert [len(rows) for rows in found] == [2, 2, 2, 1]
    assert [entry_of_record(record) for rows in found for record in rows] == usual


async def test_others_may_use_the_transaction_between_chunks(posted: Bench) -> None:
    query = select(entries).where(entries.c.book == posted.book)
    async with posted.ledger.database.read(posted.book) as tx:
        counted = [await count(tx) async for _ in chunks(tx, query)]
    assert counted == [LINES] * 4


async def test_who_stops_early_leaves_the_transaction_to_others(posted: Bench) -> None:
    async with posted.ledger.database.read(posted.book) as tx:
        accounts = entries_by_account(tx, posted.book)
        assert len({entry.account_id for entry in await anext(accounts)}) == 1
        await accounts.aclose()
        assert await count(tx) == LINES


async def test_rows_are_those_of_the_snapshot_in_which_they_are_read(posted: Bench) -> None:
    async with posted.ledger.database.read(posted.book) as tx:
        assert await count(tx) == LINES
        await post(posted, interaction(LINES, "apology.first", "customer-1"))
        assert sum([len(own) async for own in entries_by_account(tx, posted.book)]) == LINES
