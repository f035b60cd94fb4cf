"""Databases as older releases left them, for the tests of the migrations."""

import json
import uuid
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from app.database import Database
from app.turns import in_turn
from app.upgrade import ALEMBIC_INI

NEXT_INI, STUCK_INI = (Path(__file__).parent / name / "alembic.ini" for name in ("next_release", "stuck_release"))
NEXT_REVISION = "9003"
FIRST: dict[str, Any] = json.loads((Path(__file__).parent / "first_release.json").read_text())
"""What the first release stored and answered; make_first_release.py says how it came about."""


def turn_to(connection: Connection, revision: str, *, back: bool = False, ini: Path = ALEMBIC_INI) -> None:
    """Upgrade to a revision, or go back to it, on a connection of ours."""
    config = Config(ini)
    config.attributes["connection"] = connection
    (command.downgrade if back else command.upgrade)(config, revision)


async def restore_first_release(database: Database) -> None:
    """Fill an empty database with what the first release stored."""
    await in_turn(database, partial(turn_to, revision="0001"))
    async with database.whole() as tx:
        for name, stored in FIRST["stored"].items():
            columns = {column: getattr(sa, kind)() for column, kind in stored["columns"].items()}
            table = sa.table(name, *[sa.column(column, kind) for column, kind in columns.items()])
            await tx.execute(sa.insert(table), [_row(stored["columns"], row) for row in stored["rows"]])


def _row(kinds: dict[str, str], row: list[Any]) -> dict[str, Any]:
    return {column: _read(kind, value) for (column, kind), value in zip(kinds.items(), row, strict=True)}


def _read(kind: str, value: Any) -> Any:
    """The value of a column; bytes and identifiers are kept as hex."""
    if value is None or kind not in ("Uuid", "LargeBinary"):
        return value
    return uuid.UUID(value) if kind == "Uuid" else bytes.fromhex(value)
