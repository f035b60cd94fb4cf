"""The PostgreSQL that the tests run on."""

import os
from collections.abc import Iterator
from contextlib import closing

import asyncpg
import pytest

from tests.postgres import Postgres, Server

OF_THE_WHEEL = not {"GOODWILL_TEST_DATABASE_URL", "POSTGRES_BIN_PATH"} & set(os.environ)
VERSION_MIN = 15


@pytest.fixture
def database(postgres: Server) -> Iterator[str]:
    name = f"launcher_{os.getpid()}"
    yield postgres.create_database(name)
    postgres.drop_database(name)


async def ask(url: str, sql: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_it_answers_from_a_new_database(database: str) -> None:
    assert await ask(database, "SELECT 1") == 1


async def test_it_is_a_version_that_we_support(database: str) -> None:
    version = int(str(await ask(database, "SHOW server_version_num"))) // 10_000
    assert version == 18 if OF_THE_WHEEL else version >= VERSION_MIN


def test_it_brings_pg_dump(postgres: Server) -> None:
    assert postgres.pg_dump.is_file()


async def test_what_was_committed_outlives_a_kill() -> None:
    with closing(Postgres(settings={"fsync": "on"})) as server:
        server.execute("CREATE TABLE kept AS SELECT 7 AS n")

        server.kill()
        server.start()

        assert await ask(server.url("postgres"), "SELECT n FROM kept") == 7
