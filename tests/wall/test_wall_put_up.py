"""The wall is put up at the start of a process, by whoever may; and it is said where it is not."""

import logging
import secrets

import asyncpg
import pytest

from app.database import Database
from app.domain.errors import DatabaseUnavailable
from app.tables import metadata
from app.upgrade import upgrade
from tests.postgres import Server, execute
from tests.wall.walls import Login, as_login, examined, serves


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
