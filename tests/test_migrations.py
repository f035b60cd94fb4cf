"""Migrations lead to the schema in app/tables, on both databases, however many start at once."""

import asyncio
import os
import sys
import uuid
from functools import partial
from pathlib import Path
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, MetaData, Table, Uuid, insert, select

from app.database import Database
from app.tables import REVISION, accounts, crossings, customer_changes, metadata, policy_adoptions
from app.upgrade import ALEMBIC_INI, schema_revision
from tests.migrations.releases import turn_to
from tests.postgres import Server

_upgrade, _downgrade = turn_to, partial(turn_to, back=True)


def test_the_revision_of_the_schema_is_the_last_migration() -> None:
    assert ScriptDirectory.from_config(Config(ALEMBIC_INI)).get_current_head() == REVISION


async def test_the_schema_after_migrations_equals_the_tables(database_url: str) -> None:
    database = Database(database_url)
    async with database.oversee() as tx:
        differences = await tx.run_sync(_differences)
        revision = await tx.run_sync(schema_revision)
    await database.close()

    assert differences == []
    assert revision == REVISION


async def test_several_replicas_may_migrate_an_empty_database_at_once(tmp_path: Path, postgres: Server) -> None:
    for url in (f"sqlite:///{tmp_path / 'empty.sqlite3'}", postgres.create_database("several_replicas")):
        assert await asyncio.gather(*(_migrate_in_a_process(url) for _ in range(3))) == [0, 0, 0]

        database = Database(url)
        async with database.oversee() as tx:
            assert await tx.run_sync(schema_revision) == REVISION
        await database.close()


async def test_an_account_of_the_first_release_learns_when_it_last_crossed(tmp_path: Path, postgres: Server) -> None:
    crossed, never = uuid.UUID(int=1), uuid.UUID(int=2)
    for url in (f"sqlite:///{tmp_path / 'old.sqlite3'}", postgres.create_database("first_release")):
        database = Database(url)
        async with database.whole() as tx:
            await tx.run_sync(_upgrade, "0001")
            await tx.execute(
                insert(_without(_before(accounts), "crossed_at")),
                [_filled(accounts, crossed), _filled(accounts, never)],
            )
            rows = [{**_filled(crossings, crossed), "ordinal": ordinal, "at": 100 * ordinal} for ordinal in (1, 2)]
            await tx.execute(insert(crossings), rows)

            await tx.run_sync(_upgrade, "0002")

            found = await tx.execute(select(accounts.c.account_id, accounts.c.crossed_at))
            assert {row.account_id: row.crossed_at for row in found} == {crossed: 200, never: None}
        await database.close()


async def test_what_an_older_release_knew_of_customers_becomes_their_history(tmp_path: Path, postgres: Server) -> None:
    both, valued, moved, neither = (uuid.UUID(int=number) for number in range(1, 5))
    known = {both: 7.5, valued: 0.0, moved: None, neither: None}
    for url in (f"sqlite:///{tmp_path / 'old.sqlite3'}", postgres.create_database("known_before")):
        database = Database(url)
        async with database.whole() as tx:
            await tx.run_sync(_upgrade, "0004")
            old = _before(accounts)
            rows = [{**_filled(old, each), "opened_at": 100, "value": value} for each, value in known.items()]
            await tx.execute(insert(old), rows)
            changes = [(both, 300, "vip"), (both, 400, None), (moved, 300, "vip")]
            rows = [
                {"book": "steady", "account_id": each, "changed_at": at, "segment": segment}
                for each, at, segment in changes
            ]
            await tx.execute(insert(_without(customer_changes, "value", name="segment_changes")), rows)

            for turn in (_upgrade, _downgrade, _upgrade):  # back and forth is as once
                await tx.run_sync(turn, "0004" if turn is _downgrade else "0005")

            found = [tuple(row)[1:] for row in await tx.execute(select(customer_changes))]
            assert sorted(found, key=lambda row: row[:2]) == [
                (both, 100, None, 7.5),
                (both, 300, "vip", 7.5),
                (both, 400, None, 7.5),
                (valued, 100, None, 0.0),
                (moved, 300, "vip", None),
            ]
        await database.close()


async def test_accounts_are_of_the_first_generation_and_an_adoption_begins_anew(
    tmp_path: Path, postgres: Server
) -> None:
    ada = uuid.UUID(int=1)
    row = {**dict.fromkeys(_before(accounts).c.keys()), **_filled(_before(accounts), ada)}
    for url in (f"sqlite:///{tmp_path / 'old.sqlite3'}", postgres.create_database("one_generation")):
        database = Database(url)
        async with database.whole() as tx:
            await tx.run_sync(_upgrade, "0004")
            await tx.execute(insert(_before(accounts)), row)
            adopting = _before(policy_adoptions)
            adopting.append_column(Column("adoption_id", Uuid, nullable=False))
            await tx.execute(insert(adopting), {**_filled(adopting, ada), "after_account_id": ada})

            await tx.run_sync(_upgrade, "0006")

            then = _without(accounts, "heaviest")
            expected = {**dict.fromkeys(then.c.keys()), **row, "generation": 1}
            assert [dict(found) for found in (await tx.execute(select(then))).mappings()] == [expected]
            [adoption] = (await tx.execute(select(policy_adoptions))).mappings()
            assert (adoption["version"], adoption["accounts_done"], adoption["after_account_id"]) == (2, 0, None)

            await tx.run_sync(_downgrade, "0004")

            assert [dict(found) for found in (await tx.execute(select(_before(accounts)))).mappings()] == [row]
        await database.close()


async def test_every_primary_and_unique_key_begins_with_the_book(database_url: str) -> None:
    for table in metadata.tables.values():
        unique = [list(index.columns) for index in table.indexes if index.unique]
        assert all(columns[0].name == "book" for columns in [list(table.primary_key.columns), *unique]), table.name


async def _migrate_in_a_process(url: str) -> int:
    arguments = ("-m", "alembic", "--config", str(ALEMBIC_INI), "upgrade", "head")
    environment = {**os.environ, "GOODWILL_DATABASE_URL": url}
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, env=environment, cwd=ALEMBIC_INI.parent)
    return await process.wait()


def _before(current: Table) -> Table:
    """The table as the releases knew it that knew no generations."""
    later = ("generation", "from_standing", "from_depth", "touched_from", "prepared_at", "heaviest")
    return _without(current, *later)


def _without(current: Table, *columns: str, name: str | None = None) -> Table:
    """The table as a release knew it that lacked some columns, and perhaps had another name for it."""
    return Table(
        name or current.name,
        MetaData(),
        *[Column(c.name, c.type, nullable=c.nullable) for c in current.c if c.name not in columns],
    )


def _filled(table: Table, account_id: uuid.UUID) -> dict[str, Any]:
    """Some row; an account of two crossings."""
    some: dict[type, Any] = {int: 2, float: 0.0, bool: False, str: "steady", uuid.UUID: account_id}
    return {c.name: some[c.type.python_type] for c in table.c if not c.nullable}


def _differences(connection: Connection) -> list[Any]:
    return list(compare_metadata(MigrationContext.configure(connection), metadata))
