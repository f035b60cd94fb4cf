"""Whoever logs in, and wherever the tables are: the service sees all books behind the wall, or says why it cannot."""

import asyncio
import secrets
from collections.abc import Iterator

import pytest

from app.database import Database
from app.domain.errors import DatabaseUnavailable
from app.upgrade import put_up_wall, upgrade
from app.wall import unwalled
from tests.postgres import Server, execute
from tests.wall.walls import Login, as_login, examined, serves

AT_ONCE = 4


@pytest.fixture
def server_login(postgres: Server) -> Iterator[str]:
    """Somebody who may log in, and owns nothing."""
    name = f"server_{secrets.token_hex(4)}"
    postgres.execute(f"CREATE ROLE {name} LOGIN")
    yield name
    postgres.execute(f"DROP ROLE {name}")


@pytest.mark.parametrize("wanted", [True, False])
async def test_a_login_that_owns_nothing_and_is_not_the_role_sees_no_book_and_is_refused(
    server_login: str, owned: Login, role: str, *, wanted: bool
) -> None:
    owner_url = owned("")
    owner = Database(owner_url, role=role)
    await upgrade(owner)
    await serves(owner)
    await owner.close()
    await execute(owner_url, f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {server_login}")

    blind = Database(as_login(owner_url, server_login), role=role if wanted else None, owner_url=owner_url)
    with pytest.raises(DatabaseUnavailable, match="it would see no book"):
        await upgrade(blind)
    blind.role = role if wanted else None
    assert (await examined(blind)).verdict == "fail"
    await blind.close()


@pytest.mark.parametrize("beyond", ["the owner", "BYPASSRLS", "SUPERUSER"])
async def test_a_role_that_no_wall_would_hold_does_not_serve(
    postgres: Server, owned: Login, role: str, beyond: str
) -> None:
    url = owned("CREATEROLE")
    first = Database(url, role=role)
    await upgrade(first)
    await first.close()
    if beyond != "the owner":
        postgres.execute(f"ALTER ROLE {role} {beyond}")

    later = Database(url, role=first.url.username if beyond == "the owner" else role)
    with pytest.raises(DatabaseUnavailable, match="no wall would hold it"):
        await upgrade(later)
    await later.close()


async def test_the_tables_may_be_in_a_schema_of_the_owners_own(server_login: str, owned: Login, role: str) -> None:
    owner_url = owned("CREATEROLE")
    await execute(owner_url, "CREATE SCHEMA AUTHORIZATION CURRENT_USER")
    for url in (owner_url, as_login(owner_url, server_login)):
        database = Database(url, role=role, owner_url=owner_url)
        await upgrade(database)
        assert database.schema == database.owner_url.username
        assert (await examined(database)).verdict == "ok"
        await serves(database)
        await database.close()


@pytest.mark.parametrize("named", ["public", '"Good will"'])
async def test_the_tables_may_be_in_a_schema_that_not_everyone_may_use(owned: Login, role: str, named: str) -> None:
    url = owned("CREATEROLE")
    await execute(url, f"CREATE SCHEMA IF NOT EXISTS {named}; REVOKE ALL ON SCHEMA {named} FROM PUBLIC")
    await execute(url, f"ALTER ROLE CURRENT_USER SET search_path = {named}")
    for _ in range(2):
        database = Database(url, role=role)
        await upgrade(database)
        assert database.schema == named
        await serves(database)
        await database.close()
        await execute(url, f"REVOKE USAGE ON SCHEMA {named} FROM {role}_overseer")
    database = Database(url, role=role)
    assert (await examined(database)).verdict == "warn"
    await database.close()


async def test_databases_of_one_server_may_all_make_its_roles_at_once(
    postgres: Server, postgres_template: str, role: str
) -> None:
    names = [f"{role}_{number}" for number in range(AT_ONCE)]
    databases = [Database(postgres.create_database(name, template=postgres_template), role=role) for name in names]

    await asyncio.gather(*[put_up_wall(each) for each in databases])

    for name, each in zip(names, databases, strict=True):
        async with each.apart() as connection:
            assert not await connection.run_sync(unwalled, role)
        await each.close()
        postgres.drop_database(name)
