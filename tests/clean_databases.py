"""Databases of a PostgreSQL that tests use one after the other: to empty one takes a tenth of the time to clone one."""

import secrets
from functools import cache
from typing import Any

import asyncpg

from tests.postgres import Server, run_apart

ROWS_MAX = 5_000  # what is deleted stays in the files: beyond that a clone is better

_TABLES = """SELECT relname FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'"""
_CATALOGUE = """SELECT string_agg(what, ',' ORDER BY what) FROM (
    SELECT oid::text || relname || relkind::text AS what FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT concat(attrelid, attname, atttypid, attnotnull, atthasdef) FROM pg_attribute
        WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
    UNION ALL SELECT concat(oid, tgname, tgenabled) FROM pg_trigger
    UNION ALL SELECT concat(oid, conname, convalidated) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT concat(oid, prosrc) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT concat(setrole, setconfig) FROM pg_db_role_setting) AS it"""
_VERSIONS = "SELECT string_agg(version_num, ',') FROM alembic_version"
_END_OTHERS = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()"
)


class CleanDatabases:
    """Empty databases of one server, each like the template."""

    def __init__(self, server: Server, template: str) -> None:
        self._server = server
        self._template = template
        self._ready: list[str] = []
        self._catalogues: dict[str, str] = {}

    def take(self) -> str:
        """The name of one that nobody else has."""
        if self._ready:
            return self._ready.pop()
        name = f"test_{secrets.token_hex(8)}"
        self._server.create_database(name, template=self._template)
        self._catalogues[name] = run_apart(_catalogue(self._server.url(name)))
        return name

    def give_back(self, name: str) -> None:
        """Empty it for the next; one whose schema was touched, or that is large, is dropped."""
        if run_apart(_is_emptied(self._server.url(name), name, self._catalogues[name])):
            self._ready.append(name)
        else:
            self._server.drop_database(name)


databases_of = cache(CleanDatabases)


async def _catalogue(url: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        return await _described(connection)
    finally:
        await connection.close()


async def _described(connection: Any) -> str:
    catalogue = str(await connection.fetchval(_CATALOGUE))
    has_version = "alembic_version" in catalogue
    return catalogue + str(await connection.fetchval(_VERSIONS) if has_version else "")


async def _is_emptied(url: str, name: str, catalogue: str) -> bool:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_END_OTHERS, name)
        if await _described(connection) != catalogue:
            return False
        await connection.execute("SET session_replication_role = replica")  # the triggers keep the entries
        deleted = [await connection.execute(f'DELETE FROM "{table}"') for (table,) in await connection.fetch(_TABLES)]
        return sum(int(each.removeprefix("DELETE ")) for each in deleted) < ROWS_MAX
    finally:
        await connection.close()
