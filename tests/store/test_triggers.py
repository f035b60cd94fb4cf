"""Entries never change: the database itself refuses, whoever asks."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.domain.interaction import Interaction, ReversalRequest
from app.operations.record import record
from app.operations.verify import verify
from tests.conftest import Bench

TABLES = ("entries", "tariff_versions", "policy_versions")


async def test_no_row_is_changed_or_deleted(bench: Bench) -> None:
    await post(bench)

    for table in TABLES:
        await refuses(bench, f"UPDATE {table} SET book = 'other'")
        await refuses(bench, f"DELETE FROM {table}")


async def test_not_even_an_update_that_changes_nothing(bench: Bench) -> None:
    await post(bench)

    await refuses(bench, "UPDATE entries SET points = points WHERE position = 1")


async def test_no_table_is_emptied(bench: Bench) -> None:
    await post(bench)

    for table in TABLES:
        await refuses(bench, f"DELETE FROM {table}" if bench.ledger.database.is_sqlite else f"TRUNCATE {table} CASCADE")


async def test_no_row_is_replaced(bench: Bench) -> None:
    """By position or by id: INSERT OR REPLACE on SQLite, ON CONFLICT DO UPDATE on both."""
    await post(bench)
    again = "SELECT * FROM entries WHERE true"

    await refuses(bench, f"INSERT INTO entries {again} ON CONFLICT (book, position) DO UPDATE SET points = 0")
    await refuses(bench, f"INSERT INTO entries {again} ON CONFLICT (book, entry_id) DO UPDATE SET points = 0")
    if bench.ledger.database.is_sqlite:
        await refuses(bench, f"INSERT OR REPLACE INTO entries {again}")


async def test_nor_by_a_connection_that_forgot_to_ask_the_triggers(bench: Bench) -> None:
    """Without PRAGMA recursive_triggers REPLACE deletes in silence; the insert is refused all the same."""
    if not bench.ledger.database.is_sqlite:
        return
    await post(bench)
    path = Path(bench.url.removeprefix("sqlite:///"))
    connection = sqlite3.connect(path)

    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute("INSERT OR REPLACE INTO entries SELECT * FROM entries")

    connection.close()
    assert (await verify(bench.ledger, bench.book)).is_sound


async def post(bench: Bench) -> None:
    batch = [Interaction(source="crm", id=name, customer="ada", kind="apology.first") for name in ("a", "b")]
    await record(bench.ledger, bench.book, batch, api_key_id=bench.key_id)


async def refuses(bench: Bench, statement: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        async with bench.ledger.database.whole() as tx:
            await tx.execute(text(statement))
    report = await verify(bench.ledger, bench.book)
    assert (report.is_sound, report.entries) == (True, 2)


@pytest.mark.parametrize("key", ["account_id, sequence", "source, external_id", "reverses"])
async def test_nor_over_any_other_unique_key(bench: Bench, key: str) -> None:
    if not bench.ledger.database.is_sqlite:
        return
    await post(bench)
    target = ReversalRequest(source="crm", reason="sent twice", interaction=("crm", "a"))
    await record(bench.ledger, bench.book, [target], api_key_id=bench.key_id)
    connection = sqlite3.connect(Path(bench.url.removeprefix("sqlite:///")))
    kept = {"book", "kind", *key.split(", ")}
    columns = [row[1] for row in connection.execute("PRAGMA table_info(entries)")]
    other = {"position": "position + 100", "sequence": "sequence + 100", "external_id": "NULL", "reverses": "NULL"}
    fresh = {"entry_id": "hex(randomblob(16))", "account_id": "hex(randomblob(16))"}
    values = [name if name in kept else {**other, **fresh}.get(name, name) for name in columns]

    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(f"INSERT OR REPLACE INTO entries SELECT {', '.join(values)} FROM entries")
    for table in ("tariff_versions", "policy_versions"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")
    connection.close()
