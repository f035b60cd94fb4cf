"""What the tests of the wall ask of PostgreSQL directly, as whoever they are."""

import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import asyncpg
from sqlalchemy import make_url

from app.cli.doctor_check import Check
from app.cli.doctor_wall import wall_check
from app.database import Database
from app.domain.api_key import Scope
from app.domain.interaction import Interaction
from app.operations.manage_keys import create_key
from app.operations.record import record
from app.operations.sandbox import empty_sandbox
from app.operations.tick import advance_due
from app.sealing.keys import MasterKey
from app.tables import metadata
from app.tables.grants import ROLE
from tests.conftest import Bench, Clock, started
from tests.postgres import Server

Login = Callable[[str], str]
"""Makes who may log in, as CREATE ROLE is told, and owns a new database; gives its URL."""


@asynccontextmanager
async def login(server: Server, bench: Bench, sql: str = f'IN ROLE "{ROLE}"') -> AsyncGenerator[str]:
    """The URL of somebody who may log in, made with `sql` after CREATE ROLE, and gone at the end."""
    name = f"somebody_{secrets.token_hex(4)}"
    server.execute(f"CREATE ROLE {name} LOGIN {sql}")
    url = make_url(bench.url)
    try:
        yield url.set(username=name).render_as_string(hide_password=False)
    finally:
        server.execute(f"DROP OWNED BY {name}", database=str(url.database))
        server.execute(f"DROP ROLE {name}")


@asynccontextmanager
async def connected(url: str, role: str | None = ROLE) -> AsyncGenerator[Any]:
    """A connection of the driver's own, with the role as a server has it."""
    connection = await asyncpg.connect(url, server_settings={"role": role} if role else {}, statement_cache_size=0)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def within(connection: Any, book: str | None) -> AsyncGenerator[None]:
    """A transaction of a book, of none if it is not named; rolled back."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        if book is not None:
            await connection.execute("SELECT set_config('goodwill.book', $1, true)", book)
        yield
    finally:
        await transaction.rollback()


async def two_books(bench: Bench) -> None:
    """Something in `acme`, and something in `rival`."""
    await create_key(bench.ledger, "rival", name="tests", scopes=[Scope.ADMIN])
    for book in (bench.book, "rival"):
        batch = [Interaction(source="crm", id=str(n), customer=f"{book} {n}", kind="product.failed") for n in range(3)]
        await record(bench.ledger, book, batch, api_key_id=bench.key_id)


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
        check, _ = await wall_check(database, connection)
        return check


def as_login(url: str, name: str) -> str:
    return make_url(url).set(username=name).render_as_string(hide_password=False)
