"""The wall is put up at the start of a process, by whoever may; and it is said where it is not."""

import logging
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace

import asyncpg
import pytest
from sqlalchemy import make_url

from app.cli.doctor_check import Check
from app.cli.doctor_wall import wall_check
from app.database import Database
from app.domain.api_key import Scope
from app.domain.errors import DatabaseUnavailable
from app.domain.interaction import Interaction
from app.operations.manage_keys import create_key
from app.operations.record import record
from app.operations.sandbox import empty_sandbox
from app.operations.tick import advance_due
from app.sealing.keys import MasterKey
from app.tables import metadata
from app.upgrade import upgrade
from app.wall import roles_of
from tests.conftest import Clock, started
from tests.postgres import Server, execute

Login = Callable[[str], str]


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
        for each in roles_of(role)[::-1]:
            postgres.execute(f"DROP ROLE IF EXISTS {each}")
        postgres.execute(f"DROP ROLE {name}")


async def test_an_owner_who_may_make_roles_makes_them_and_serves_behind_the_wall(owned: Login, role: str) -> None:
    database = Database(owned("CREATEROLE"), role=role)

    await upgrade(database)

    assert database.role == role
    await serves(database)
    assert (await examined(database)).verdict == "ok"
    await database.close()


async def test_an_owner_who_may_not_is_walled_in_by_the_books_rows_alone_and_told_so(
    owned: Login, role: str, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(owned(""), role=role)

    with caplog.at_level(logging.WARNING):
        await upgrade(database)

    assert database.role is None
    assert f"nobody may make, or be, the role {role}" in caplog.text
    await serves(database)
    async with database.read("rival") as tx:
        for table in metadata.sorted_tables:
            assert set((await tx.execute(table.select().with_only_columns(table.c.book))).scalars()) <= {"rival"}
    database.role = role
    assert (await examined(database)).verdict == "warn"
    await database.close()


async def test_the_service_may_log_in_as_somebody_who_owns_nothing(postgres: Server, owned: Login, role: str) -> None:
    owner_url, name = owned("CREATEROLE"), f"server_{secrets.token_hex(4)}"
    postgres.execute(f"CREATE ROLE {name} LOGIN")
    server_url = as_login(owner_url, name)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await execute(server_url, "CREATE TABLE mine ()")

    first = Database(server_url, role=role, owner_url=owner_url)
    await upgrade(first)
    await serves(first)
    await first.close()
    later = Database(server_url, role=role)
    await upgrade(later)
    assert later.role == role
    await later.close()

    await execute(owner_url, "ALTER TABLE messages NO FORCE ROW LEVEL SECURITY")
    alone = Database(server_url, role=role)
    with pytest.raises(DatabaseUnavailable, match="GOODWILL_DATABASE_OWNER_URL"):
        await upgrade(alone)
    await alone.close()
    postgres.execute(f"DROP ROLE {name}")


@pytest.mark.parametrize(
    "torn",
    [
        "DROP POLICY own_book ON entries",
        "ALTER TABLE accounts DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE books NO FORCE ROW LEVEL SECURITY",
        "GRANT UPDATE ON entries TO {role}",
        "REVOKE SELECT ON accounts FROM {role}_overseer",
    ],
)
async def test_whatever_of_it_is_torn_down_the_next_start_puts_up(owned: Login, role: str, torn: str) -> None:
    url = owned("CREATEROLE")
    for _ in range(2):
        database = Database(url, role=role)
        await upgrade(database)
        assert (await examined(database)).verdict == "ok"
        await database.close()
        await execute(url, torn.format(role=role))
    database = Database(url, role=role)
    found = await examined(database)
    assert (found.verdict, "something is missing at" in found.says) == ("warn", True)
    await database.close()


async def test_without_a_role_there_is_no_wall_and_that_is_said(owned: Login, caplog: pytest.LogCaptureFixture) -> None:
    database = Database(owned("SUPERUSER"))

    with caplog.at_level(logging.WARNING):
        await upgrade(database)

    assert "GOODWILL_DATABASE_ROLE is none" in caplog.text
    assert (await examined(database)).verdict == "warn"
    await serves(database)
    async with database.read("rival") as tx:
        assert len((await tx.execute(metadata.tables["books"].select())).all()) == 3
    await database.close()


async def serves(database: Database) -> None:
    """Books are opened, written, read, looked after and emptied."""
    ledger = replace(started("sqlite:///none", MasterKey(bytes(32)), Clock()), database=database)
    for book in ("acme", "rival", "test_acme"):
        key, _ = await create_key(ledger, book, name="tests", scopes=[Scope.ADMIN])
        batch = [Interaction(source="crm", id=str(n), customer=f"c{n}", kind="product.failed") for n in range(40)]
        assert len(await record(ledger, book, batch, api_key_id=key.key_id)) == 40
        await advance_due(ledger, book)
    await empty_sandbox(ledger, "test_acme")
    for book, count in (("acme", 40), ("test_acme", 0)):
        async with database.read(book) as tx:
            own = metadata.tables["entries"].select().where(metadata.tables["entries"].c.book == book)
            assert len((await tx.execute(own)).all()) == count
    async with database.oversee() as tx:
        assert len((await tx.execute(metadata.tables["books"].select())).all()) == 3


async def examined(database: Database) -> Check:
    async with database.apart() as connection:
        return await wall_check(database, connection)


def as_login(url: str, name: str) -> str:
    return make_url(url).set(username=name).render_as_string(hide_password=False)
