"""The wall between the books on PostgreSQL: what the service's role can do, whatever the code asks of it."""

import asyncpg
import pytest

from app.tables import metadata
from app.tables.grants import GRANTS, OVERSEEN, OVERSEER, ROLE, SANDBOX
from tests.conftest import Bench
from tests.postgres import Server, execute
from tests.wall.walls import connected, login, two_books, within

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

TABLES = [table.name for table in metadata.sorted_tables]
WHAT_IS_THERE = {"books", "api_keys", "account_keys", "aliases", "entries", "accounts", "crossings", "messages"}

WALLS = """
    SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity,
        (SELECT array_agg(policyname::text ORDER BY policyname) FROM pg_policies WHERE tablename = c.relname)
    FROM pg_class AS c JOIN pg_attribute ON attrelid = c.oid AND attname = 'book'
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
"""
PRIVILEGES = """
    SELECT c.relname, pg_get_userbyid(a.grantee) AS who, array_agg(a.privilege_type) AS verbs
    FROM pg_class AS c CROSS JOIN LATERAL aclexplode(c.relacl) AS a
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND a.grantee <> c.relowner
    GROUP BY 1, 2
"""

COLUMN_PRIVILEGES = """
    SELECT count(*) FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid
    WHERE attacl IS NOT NULL AND relnamespace = 'public'::regnamespace
"""


async def test_every_table_of_a_book_is_walled_and_nobody_may_more_than_is_listed(bench: Bench) -> None:
    async with connected(bench.url, role=None) as owner:
        walls = {name: (is_forced, policies) for name, is_forced, policies in await owner.fetch(WALLS)}
        found = {(row["relname"], row["who"]): frozenset(row["verbs"]) for row in await owner.fetch(PRIVILEGES)}
        in_columns = await owner.fetchval(COLUMN_PRIVILEGES)

    assert {table.name for table in GRANTS} == set(TABLES) == walls.keys()
    assert all(is_forced and {"every_book", "own_book"} <= set(policies) for is_forced, policies in walls.values())
    sandbox = {"DELETE"}
    expected = {(table.name, ROLE): verbs for table, verbs in GRANTS.items()}
    expected |= {(table.name, ROLE + OVERSEER): frozenset({"SELECT"}) for table in OVERSEEN}
    kept = {"books", "api_keys"}
    expected |= {
        (table.name, ROLE + SANDBOX): verbs | (set() if table.name in kept else sandbox)
        for table, verbs in GRANTS.items()
    }
    assert found == expected | {("alembic_version", ROLE): {"SELECT"}}
    assert in_columns == 0


async def test_without_a_book_nothing_is_seen_and_with_one_that_book_alone(postgres: Server, bench: Bench) -> None:
    await two_books(bench)
    async with login(postgres, bench) as url, connected(url) as app:
        for book in (None, "", "nobody's", bench.book, "rival"):
            async with within(app, book):
                for table in TABLES:
                    seen = {row[0] for row in await app.fetch(f"SELECT book FROM {table}")}
                    is_there = book in (bench.book, "rival") and table in WHAT_IS_THERE
                    assert seen == ({book} if is_there else seen & {book}), table
        assert await app.fetchval("SELECT count(*) FROM entries") == 0


async def test_nothing_of_another_book_is_written(postgres: Server, bench: Bench) -> None:
    await two_books(bench)
    async with login(postgres, bench) as url, connected(url) as app:
        for table, verbs in GRANTS.items():
            async with within(app, bench.book):
                if "UPDATE" in verbs:
                    assert await app.execute(f"UPDATE {table} SET book = book WHERE book = 'rival'") == "UPDATE 0"
                if "DELETE" in verbs:
                    assert await app.execute(f"DELETE FROM {table} WHERE book = 'rival'") == "DELETE 0"
        async with within(app, bench.book):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
                await app.execute("INSERT INTO aliases VALUES ('rival', '\\x00', gen_random_uuid(), '\\x00')")
        async with within(app, bench.book):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
                await app.execute("UPDATE accounts SET book = 'rival'")


async def test_entries_are_not_changed_even_where_the_triggers_are_gone(postgres: Server, bench: Bench) -> None:
    await two_books(bench)
    await execute(bench.url, "ALTER TABLE entries DISABLE TRIGGER USER")
    async with login(postgres, bench) as url, connected(url) as app:
        for statement in ("UPDATE entries SET points = 0", "DELETE FROM entries", "TRUNCATE entries"):
            async with within(app, bench.book):
                with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for table entries"):
                    await app.execute(statement)
        for other in ("", OVERSEER):
            async with within(app, bench.book):
                await app.execute(f'SET LOCAL ROLE "{ROLE}{other}"')
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await app.execute("DELETE FROM entries")


async def test_nobody_becomes_who_owns_the_tables(postgres: Server, bench: Bench) -> None:
    async with login(postgres, bench) as url, connected(url) as app:
        for role in ("postgres", "pg_read_all_data"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await app.execute(f"SET ROLE {role}")
        for statement in ("RESET ROLE", "RESET ALL", "DISCARD ALL"):
            await app.execute(statement)
            assert await app.fetchval("SELECT current_user") == ROLE
        for statement in (
            "ALTER TABLE entries DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE entries DISABLE TRIGGER USER",
            "DROP POLICY own_book ON entries",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await app.execute(statement)


async def test_the_overseer_reads_across_the_books_what_is_due_and_no_line_name_or_key(
    postgres: Server, bench: Bench
) -> None:
    await two_books(bench)
    async with login(postgres, bench) as url, connected(url, ROLE) as app:
        for table in metadata.sorted_tables:
            async with within(app, None):
                await app.execute(f'SET LOCAL ROLE "{ROLE}{OVERSEER}"')
                if table in OVERSEEN:
                    seen = {row[0] for row in await app.fetch(f"SELECT book FROM {table.name}")}
                    assert seen == ({"acme", "rival"} if table.name in WHAT_IS_THERE else set())
                    with pytest.raises(asyncpg.InsufficientPrivilegeError):
                        await app.execute(f"UPDATE {table.name} SET book = book")
                else:
                    with pytest.raises(asyncpg.InsufficientPrivilegeError):
                        await app.fetch(f"SELECT book FROM {table.name}")


async def test_whoever_empties_a_sandbox_deletes_no_line_of_another_book(postgres: Server, bench: Bench) -> None:
    await two_books(bench)
    await execute(bench.url, "ALTER TABLE entries DISABLE TRIGGER USER")
    async with login(postgres, bench) as url, connected(url) as app:
        for book in (bench.book, "rival"):
            async with within(app, book):
                await app.execute(f'SET LOCAL ROLE "{ROLE}{SANDBOX}"')
                assert await app.execute("DELETE FROM entries") == "DELETE 0"
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await app.execute("UPDATE entries SET points = 0")


async def test_who_owns_the_tables_is_walled_in_by_a_book_too(postgres: Server, bench: Bench) -> None:
    """FORCE: a service that connects as the owner, where no role can be made."""
    await two_books(bench)
    async with login(postgres, bench, "") as url:
        async with connected(bench.url, role=None) as superuser:
            name = await superuser.fetchval("SELECT rolname FROM pg_roles WHERE rolname LIKE 'somebody_%'")
            for table in TABLES:
                await superuser.execute(f"ALTER TABLE {table} OWNER TO {name}")
                await superuser.execute(f"ALTER POLICY every_book ON {table} TO {name}")
        async with connected(url, role=None) as owner:
            async with within(owner, "rival"):
                assert {row[0] for row in await owner.fetch("SELECT DISTINCT book FROM entries")} == {"rival"}
            assert {row[0] for row in await owner.fetch("SELECT DISTINCT book FROM entries")} == {"acme", "rival"}
        async with connected(bench.url, role=None) as superuser:
            for table in TABLES:
                await superuser.execute(f"ALTER TABLE {table} OWNER TO postgres")
                await superuser.execute(f"ALTER POLICY every_book ON {table} TO postgres")
