"""A migration that is killed midway, or fails, leaves the database as it was; and the next upgrade goes on."""

import asyncio
import os
import signal
import sys
from typing import Any

import pytest
from sqlalchemy import text

from app.database import Database
from app.tables import REVISION
from app.upgrade import schema_revision, upgrade
from tests.migrations.catalogue import catalogue
from tests.migrations.conftest import NewDatabase
from tests.migrations.releases import STUCK_INI, restore_first_release
from tests.servers import ROOT, environment

SIGNALLED, FAILED = -signal.SIGKILL, 1


@pytest.mark.parametrize("how", [SIGNALLED, FAILED])
async def test_what_was_not_finished_was_not_begun(new_database: NewDatabase, how: int) -> None:
    database = new_database()
    await restore_first_release(database)
    if not database.is_sqlite:
        await upgrade(database)  # there only the migration that is cut off is undone, not those before it
    before = await _everything(database)

    assert await _cut_off(database.url.render_as_string(hide_password=False), how) == how
    assert await _everything(database) == before

    await upgrade(database)
    async with database.oversee() as tx:
        assert await tx.run_sync(schema_revision) == REVISION


async def _cut_off(url: str, how: int) -> int:
    """Upgrade in a process until it is half way in the migration that goes no further; the exit code."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "alembic", "--config", str(STUCK_INI), "upgrade", "head"),
        env=environment({"GOODWILL_DATABASE_URL": url, **({"FAILS": "yes"} if how == FAILED else {})}),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    if how == SIGNALLED:
        assert await process.stdout.readline() == b"half way\n"
        os.kill(process.pid, signal.SIGKILL)
    _, errors = await process.communicate()
    assert how == SIGNALLED or b"RuntimeError: as it should" in errors
    assert process.returncode is not None
    return process.returncode


async def _everything(database: Database) -> Any:
    """The schema and every row."""
    async with database.oversee() as tx:
        schema = await tx.run_sync(catalogue)
        rows = {name: (await tx.execute(text(f"SELECT * FROM {name}"))).all() for name in sorted(schema)}
        return schema, {name: sorted(map(repr, found)) for name, found in rows.items()}
