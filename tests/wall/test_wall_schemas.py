"""Wherever the tables are, they are found, and nobody else's are touched."""

import pytest

from app.database import Database
from app.domain.errors import DatabaseUnavailable
from app.upgrade import upgrade
from tests.postgres import Server, execute
from tests.wall.walls import Login, as_login, examined, serves

STRANGERS = "CREATE TABLE {schema}.accounts (x int); CREATE TABLE {schema}.alembic_version (version_num text)"


async def test_the_tables_may_be_in_a_schema_of_the_owners_own(owned: Login, role: str, postgres: Server) -> None:
    owner_url = owned("CREATEROLE")
    await execute(owner_url, "CREATE SCHEMA AUTHORIZATION CURRENT_USER")
    database = Database(owner_url, role=role)
    await upgrade(database)
    await serves(database)
    assert database.schema == database.url.username
    assert (await examined(database)).verdict == "ok"
    await database.close()

    postgres.execute(f"CREATE ROLE {role}_login LOGIN IN ROLE {role}")
    for given in (owner_url, None):
        database = Database(as_login(owner_url, f"{role}_login"), role=role, owner_url=given)
        await upgrade(database)
        assert (await examined(database)).verdict == "ok"
        async with database.oversee() as tx:
            assert len((await tx.exec_driver_sql("SELECT book FROM books")).all()) == 3
        await database.close()
    postgres.execute(f"DROP ROLE {role}_login")


@pytest.mark.parametrize("named", ["public", '"Good will, :b"'])
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


async def test_the_ledger_is_found_though_the_search_path_leads_elsewhere_and_to_strangers(
    owned: Login, role: str
) -> None:
    url = owned("CREATEROLE")
    await execute(url, "CREATE SCHEMA ours; ALTER ROLE CURRENT_USER SET search_path = ours")
    first = Database(url, role=role)
    await upgrade(first)
    await serves(first)
    await first.close()
    await execute(url, "ALTER ROLE CURRENT_USER RESET search_path; CREATE SCHEMA AUTHORIZATION CURRENT_USER")
    await execute(url, STRANGERS.format(schema=first.url.username))

    later = Database(url, role=role)
    await upgrade(later)

    assert later.schema == "ours"
    assert (await examined(later)).verdict == "ok"
    async with later.oversee() as tx:
        assert len((await tx.exec_driver_sql("SELECT book FROM books")).all()) == 3
    async with later.apart() as connection:
        asked = f"SELECT relrowsecurity FROM pg_class WHERE oid = '{first.url.username}.accounts'::regclass"
        assert not (await connection.exec_driver_sql(asked)).scalar_one()
    await later.close()


async def test_of_several_ledgers_in_one_database_the_search_path_names_one(owned: Login, role: str) -> None:
    url = owned("CREATEROLE")
    await upgrade(first := Database(url, role=role))
    await first.close()
    await execute(url, "CREATE SCHEMA other")
    for table in ("entries", "account_keys"):
        await execute(url, f"CREATE TABLE other.{table} (x int)")

    second = Database(url, role=role)
    await upgrade(second)
    assert second.schema == "public"
    await execute(url, "ALTER ROLE CURRENT_USER SET search_path = none_of_them")
    for each in (second, third := Database(url, role=role)):
        await each.close()
    with pytest.raises(DatabaseUnavailable, match="one of other, public"):
        await upgrade(third)


async def test_where_there_is_no_schema_to_make_tables_in_that_is_said(owned: Login, role: str) -> None:
    url = owned("CREATEROLE")
    await execute(url, "ALTER ROLE CURRENT_USER SET search_path = none_of_them")

    with pytest.raises(DatabaseUnavailable, match="GOODWILL_DATABASE_OWNER_URL"):
        await upgrade(Database(url, role=role))


@pytest.mark.parametrize("named", ["public", "ours"])
async def test_a_login_that_may_not_use_the_schema_is_told_so_and_makes_no_table(
    postgres: Server, owned: Login, role: str, named: str
) -> None:
    url = owned("CREATEROLE")
    await execute(url, f"CREATE SCHEMA IF NOT EXISTS {named}; ALTER ROLE CURRENT_USER SET search_path = {named}")
    await upgrade(first := Database(url, role=role))
    await first.close()
    await execute(url, f"REVOKE ALL ON SCHEMA {named} FROM PUBLIC")
    postgres.execute(f"CREATE ROLE {role}_login LOGIN")

    stranger = Database(as_login(url, f"{role}_login"), role=role)
    with pytest.raises(DatabaseUnavailable, match="may not use"):
        await upgrade(stranger)

    await stranger.close()
    postgres.execute(f"DROP ROLE {role}_login")


async def test_a_ledger_of_which_no_release_is_known_is_left_alone(owned: Login, role: str) -> None:
    """As while a backup is being restored."""
    url = owned("CREATEROLE")
    await upgrade(first := Database(url, role=role))
    await first.close()
    await execute(url, "DELETE FROM alembic_version")

    with pytest.raises(DatabaseUnavailable, match="being restored"):
        await upgrade(Database(url, role=role))
