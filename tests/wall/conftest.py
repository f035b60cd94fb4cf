"""Who owns a database of the tests of the wall, and as whom the service works there."""

import secrets
from collections.abc import Iterator

import pytest

from app.wall import roles_of
from tests.postgres import Server
from tests.wall.walls import Login, as_login


@pytest.fixture
def role(postgres: Server) -> Iterator[str]:
    """The name of a role that nobody made yet."""
    name = f"walled_{secrets.token_hex(4)}"
    yield name
    for each in roles_of(name):
        postgres.execute(f"DROP ROLE IF EXISTS {each}")


@pytest.fixture
def owned(postgres: Server, role: str) -> Iterator[Login]:
    """Makes somebody who may log in, as CREATE ROLE is told, and owns a new database; gives its URL."""
    made: list[str] = []

    def login(options: str) -> str:
        name = f"owner_{secrets.token_hex(4)}"
        made.append(name)
        postgres.execute(f"CREATE ROLE {name} LOGIN {options}")
        postgres.execute(f"CREATE DATABASE {name} OWNER {name}")
        return as_login(postgres.url(name), name)

    yield login
    for name in made:
        postgres.drop_database(name)
    for each in (*roles_of(role)[::-1], *made):
        postgres.execute(f"DROP ROLE IF EXISTS {each}")
