"""What the tests of `goodwill import` share: a folder to work in, the command on the bench's database, its counts."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from app.cli.commands import app
from app.domain.entry import Entry
from app.rows import entry_of
from app.tables import entries
from tests.conftest import Bench

MAPPING = """
source = "shop"
time_zone = "America/Sao_Paulo"
id = "row.nr"
customer = "row.who"
value_at = "row.at"
note = "row.note"
kind_from = "row.what"
[kinds.late]
kind = "delivery.late"
attributes.days_late = "int(row.days)"
[kinds.asked]
kind = "contact.neutral"
"""
ROWS = """nr,who,at,what,days,note
1,ada,2018-02-01 10:00:00,late,3,"two
lines"
2,bob,2018-02-02,asked,,
3,ada,2018-02-03T09:00:00.5,late,1,
"""

Import = Callable[..., Awaitable[Any]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command works; a mapping lies there."""
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    (place / "m.toml").write_text(MAPPING)
    return place


@pytest.fixture
def goodwill_import(bench: Bench, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Import:
    """Run the command on the bench's database; it has a clock and a loop of its own."""
    monkeypatch.setenv("GOODWILL_DATABASE_URL", bench.url)
    monkeypatch.setenv("GOODWILL_MASTER_KEY", base64.b64encode(bench.ledger.master_key.secret).decode())

    async def command(*arguments: str, given: bytes | None = None) -> Any:
        return await asyncio.to_thread(CliRunner().invoke, app, ["import", *arguments], input=given)

    return command


async def on_the_ledger(bench: Bench) -> list[Entry]:
    async with bench.ledger.database.read(bench.book) as tx:
        query = select(entries).where(entries.c.book == bench.book).order_by(entries.c.position)
        return [entry_of(row) for row in (await tx.execute(query)).mappings()]


def counts(result: Any) -> dict[str, int]:
    words = [line.split() for line in result.stdout.splitlines()]
    return {pair[0]: int(pair[1].replace(",", "")) for pair in words if len(pair) == 2}


def none(**some: int) -> dict[str, int]:
    return {"read": 0, "created": 0, "replayed": 0, "conflict": 0, "refused": 0, "skipped": 0, **some}
