"""Outages of the database, and what cannot be kept tidy: what is in flight meanwhile is recorded all the same."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from app.database import Database
from app.domain.errors import DatabaseUnavailable
from app.operations.summarise import summarise
from app.queries.held_back import HeldBack
from tests.conftest import Bench
from tests.operations.delivering import delivering, on_loopback, opened, subscribed, told, until, until_states
from tests.webhooks.receivers import answering, holding, receiving

FINE = answering("204 No Content")


@pytest.fixture
def bench(bench: Bench) -> Bench:
    return on_loopback(bench)


@asynccontextmanager
async def away(_database: Database, _book: str) -> AsyncGenerator[None]:
    """A database that does not answer."""
    raise DatabaseUnavailable
    yield


async def test_an_outage_is_told_once_and_loses_nothing_that_is_in_flight(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("app.deliverer.OUTAGE_SECONDS_MAX", 0.05)
    monkeypatch.setattr("app.pump.OUTAGE_SECONDS_MAX", 0.05)
    caplog.set_level(logging.WARNING, "goodwill.deliverer")
    await opened(bench, "ada")
    released = asyncio.Event()
    async with receiving(holding(FINE, released)) as receiver, delivering(bench.ledger):
        to = await subscribed(bench, receiver.url)
        await told(bench, "ada")
        await until(lambda: len(receiver.requests) == 1)
        with monkeypatch.context() as outage:
            outage.setattr(Database, "oversee", lambda own: away(own, "any"))
            outage.setattr(Database, "write", away)
            bench.ledger.soon_deliver.set()
            await until(lambda: "the deliverer stands still" in caplog.text)
            released.set()
            await until(lambda: "wait for the database" in caplog.text)
            await asyncio.sleep(0.2)
        await until_states(bench, to, "delivered")
        await until(lambda: "the deliverer runs again" in caplog.text)

    assert len(receiver.requests) == 1
    assert [record.getMessage() for record in caplog.records] == [
        "the deliverer stands still: The database does not answer.",
        f"deliveries of book {bench.book} wait for the database",
        "the deliverer runs again",
    ]


async def test_what_cannot_be_kept_tidy_leaves_deliveries_alone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def failing(_ledger: object) -> int:
        raise LookupError("a book that cannot be kept tidy")

    monkeypatch.setattr("app.deliverer.keep_tidy", failing)
    await opened(bench, "ada")
    released = asyncio.Event()
    async with receiving(holding(FINE, released)) as receiver, delivering(bench.ledger):
        to = await subscribed(bench, receiver.url)
        await told(bench, "ada")
        await until(lambda: len(receiver.requests) == 1)
        await until(lambda: "the deliverer's tidying stands still" in caplog.text)
        await asyncio.sleep(0.3)
        released.set()
        await until_states(bench, to, "delivered")

    assert len(receiver.requests) == 1
    assert caplog.text.count("stands still") == 1


async def test_a_summary_that_went_with_its_sandbox_is_not_to_be_written(bench: Bench) -> None:
    now = bench.clock.now
    gone = HeldBack(book=bench.book, cause="fire", begun_at=now, due_at=now, from_number=1)
    assert await summarise(bench.ledger, gone) == 0
