"""Empty databases, on both kinds."""

import secrets
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.database import Database

if TYPE_CHECKING:
    from tests.postgres import Server

NewDatabase = Callable[[], Database]


@pytest.fixture(params=["sqlite", "postgresql"])
async def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[NewDatabase]:
    """Makes empty databases, with nothing of any release in them."""
    server: Server | None = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    made: list[Database] = []

    def new() -> Database:
        name = f"empty_{secrets.token_hex(8)}"
        made.append(Database(server.create_database(name) if server else f"sqlite:///{tmp_path / name}.sqlite3"))
        return made[-1]

    yield new
    for database in made:
        await database.close()
        if server is not None:
            server.drop_database(str(database.url.database))
