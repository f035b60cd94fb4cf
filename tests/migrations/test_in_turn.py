"""Who upgrades waits in turn and never for long, and a database of a later release is refused in one clear line."""

import asyncio
import base64
import secrets
from collections.abc import AsyncGenerator

import pytest
from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import ProgrammingError
from typer.testing import CliRunner

from app import turns
from app.cli.commands import app
from app.database import Database
from app.domain.errors import DatabaseUnavailable
from app.tables import REVISION, accounts
from app.turns import ADVISORY_LOCK_KEY, in_turn
from app.upgrade import upgrade
from tests.conftest import Bench
from tests.postgres import Server

LATER = (
    f"The database is at migration 9999, of a later release; this one ends at {REVISION}. Start that release, or one "
    "after it."
)


async def _set_revision(database: Database, revision: str) -> None:
    async with database.whole() as tx:
        await tx.execute(text(f"UPDATE alembic_version SET version_num = '{revision}'"))


async def test_a_database_of_a_later_release_is_refused_and_left_alone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOODWILL_DATABASE_URL", bench.url)
    monkeypatch.setenv("GOODWILL_MASTER_KEY", base64.b64encode(bench.ledger.master_key.secret).decode())
    await _set_revision(bench.ledger.database, "9999")

    shown = await asyncio.to_thread(CliRunner().invoke, app, ["verify"])
    with pytest.raises(DatabaseUnavailable) as refused:
        await upgrade(bench.ledger.database)

    assert refused.value.detail == LATER
    assert (shown.exit_code, shown.stderr) == (1, f"goodwill: {LATER} `goodwill doctor` says why.\n")


async def test_a_server_that_runs_goes_on_when_a_later_release_migrates(bench: Bench) -> None:
    await _set_revision(bench.ledger.database, "9999")

    async with bench.client() as running:
        posted = await running.post("/v1/interactions", json={"id": "1", "customer": "ada", "kind": "apology.first"})
        assert (posted.status_code, (await running.get("/readyz")).status_code) == (201, 200)


async def test_a_table_that_is_in_use_for_long_is_given_up_with_a_clear_line(
    on_postgres: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "TRIES_MAX", 2)
    tries: list[bool] = []

    def work(connection: Connection) -> None:
        tries.append(connection.in_transaction())
        connection.execute(text("ALTER TABLE accounts ADD COLUMN colour TEXT"))

    async with on_postgres.oversee() as report:
        await report.execute(select(func.count()).select_from(accounts))
        with pytest.raises(DatabaseUnavailable, match="A migration cannot have a table that a long transaction uses"):
            await in_turn(on_postgres, work)
    assert tries == [False, False]


async def test_an_error_of_its_own_is_not_tried_again(on_postgres: Database) -> None:
    tries: list[str] = []

    def work(connection: Connection) -> None:
        tries.append("once")
        connection.execute(text("ALTER TABLE nobody ADD COLUMN colour TEXT"))

    with pytest.raises(ProgrammingError):
        await in_turn(on_postgres, work)
    assert tries == ["once"]


async def test_whoever_waited_looks_again_at_what_there_is(on_postgres: Database) -> None:
    """While one process waits, one of a later release has its turn."""
    await _set_revision(on_postgres, "0008")
    async with on_postgres.apart() as other:
        await other.execute(text(f"SELECT pg_advisory_lock({ADVISORY_LOCK_KEY})"))
        await other.commit()
        waiting = asyncio.create_task(upgrade(on_postgres))
        done, _ = await asyncio.wait([waiting], timeout=1.0)
        assert not done
        await _set_revision(on_postgres, "9999")

    with pytest.raises(DatabaseUnavailable) as refused:
        await waiting
    assert refused.value.detail == LATER


@pytest.fixture
async def on_postgres(postgres: Server, postgres_template: str) -> AsyncGenerator[Database]:
    database = Database(postgres.create_database(f"in_turn_{secrets.token_hex(8)}", template=postgres_template))
    yield database
    await database.close()
