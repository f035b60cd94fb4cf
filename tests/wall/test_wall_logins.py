"""Whoever logs in: the service sees all books behind the wall, or says why it cannot."""

import asyncio
import secrets
from collections.abc import Iterator

import pytest

from app.database import Database
from app.domain.errors import DatabaseUnavailable
from app.upgrade import upgrade
from app.wall import roles_of, unwalled
from app.walling import put_up_wall
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
    assert (await examined(blind)).verdict == "fail"
    await blind.close()


async def test_who_was_refused_is_let_in_once_it_may_be_the_role(
    postgres: Server, server_login: str, owned: Login, role: str
) -> None:
    owner_url = owned("")
    database = Database(as_login(owner_url, server_login), role=role, owner_url=owner_url)
    with pytest.raises(DatabaseUnavailable, match="it would see no book"):
        await upgrade(database)

    for each in roles_of(role):
        postgres.execute(f"CREATE ROLE {each}; GRANT {each} TO {server_login if each == role else role}")
    await upgrade(database)

    assert database.role == role
    await serves(database)
    await database.close()


@pytest.mark.parametrize("inherits", ["INHERIT", "NOINHERIT"])
async def test_a_login_without_the_owners_url_is_served_or_refused_in_a_sentence(
    postgres: Server, server_login: str, owned: Login, role: str, inherits: str
) -> None:
    url = owned("CREATEROLE")
    first = Database(url, role=role)
    await upgrade(first)
    await first.close()
    postgres.execute(f"ALTER ROLE {server_login} {inherits}; GRANT {role} TO {server_login}")

    alone = Database(as_login(url, server_login), role=role)
    if inherits == "INHERIT":
        await upgrade(alone)
        await serves(alone)
    else:
        with pytest.raises(DatabaseUnavailable, match="GOODWILL_DATABASE_OWNER_URL"):
            await upgrade(alone)
    await alone.close()


async def test_an_owner_whom_the_wall_does_not_know_would_see_nothing_and_is_refused(
    postgres: Server, server_login: str, owned: Login, role: str
) -> None:
    url = owned("CREATEROLE")
    first = Database(url, role=role)
    await upgrade(first)
    await serves(first)
    await first.close()
    postgres.execute(f"REASSIGN OWNED BY {first.url.username} TO {server_login}", database=str(first.url.database))

    heir = Database(as_login(url, server_login))
    with pytest.raises(DatabaseUnavailable, match="it would see no book"):
        await upgrade(heir)
    assert (await examined(heir)).verdict == "fail"
    await heir.close()


@pytest.mark.parametrize(
    "beyond",
    [
        "ALTER ROLE {role} BYPASSRLS",
        "ALTER ROLE {role}_sandbox SUPERUSER",
        "ALTER SCHEMA public OWNER TO {role}_overseer",
        "CREATE ROLE {role}_past BYPASSRLS; GRANT {role}_past TO {role}",
    ],
)
async def test_a_role_that_no_wall_would_hold_does_not_serve(
    postgres: Server, owned: Login, role: str, beyond: str
) -> None:
    url = owned("CREATEROLE")
    first = Database(url, role=role)
    await upgrade(first)
    await first.close()
    postgres.execute(beyond.format(role=role), database=str(first.url.database))

    later = Database(url, role=role)
    with pytest.raises(DatabaseUnavailable, match="no wall would hold it"):
        await upgrade(later)
    assert (await examined(later)).verdict == "fail"
    await later.close()
    postgres.execute(f"DROP ROLE IF EXISTS {role}_past")


async def test_the_owner_is_no_role_to_serve_as(owned: Login) -> None:
    url = owned("CREATEROLE")
    await upgrade(first := Database(url))
    await first.close()

    own = Database(url, role=first.url.username)
    with pytest.raises(DatabaseUnavailable, match="no wall would hold it"):
        await upgrade(own)
    await own.close()


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
