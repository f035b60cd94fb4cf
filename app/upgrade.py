"""Bring a database to the schema of this release, and put up its wall: one process at a time, while servers serve.

On SQLite all pending migrations are one transaction, on PostgreSQL each is one of its own: whatever ends it midway, a
migration is done or not begun, and the next start goes on. docs/upgrading.md says how migrations are to be written.
"""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from app.database import Database
from app.domain.errors import DatabaseUnavailable
from app.outages import sqlstate_of
from app.tables import REVISION
from app.turns import in_turn
from app.wall import ledger_schema
from app.walling import NOT_THE_OWNER, put_up_wall

_NOT_ALLOWED = {"42501", "3F000"}  # insufficient_privilege; invalid_schema_name: there is none to make tables in

ALEMBIC_INI = Path(__file__).resolve().parent.parent / "alembic.ini"


async def upgrade(database: Database) -> None:
    """Bring the database to this release's migration, if it is not there; several processes may try at once.

    DatabaseUnavailable: it does not answer, is of a later release, or others do not let go of a table.
    """
    with saying_who_may():
        await settle_schema(database)
        revision = await revision_of(database)
        if revision != REVISION:
            _refuse_later(revision)
            await in_turn(database, _migrate)
            await settle_schema(database)
        if not database.is_sqlite:
            await put_up_wall(database)


@contextmanager
def saying_who_may() -> Generator[None]:
    """What PostgreSQL does not let who connects do in the block is raised as DatabaseUnavailable."""
    try:
        yield
    except DBAPIError as error:
        if sqlstate_of(error) in _NOT_ALLOWED:
            raise DatabaseUnavailable(NOT_THE_OWNER) from error
        raise


async def settle_schema(database: Database) -> None:
    """On PostgreSQL: look where the ledger is, and look for its tables there alone from now on. A file has no schemas.

    A search path may change, lead to another application's tables, or be the role's own. DatabaseUnavailable: the
    database holds several ledgers.
    """
    if database.is_sqlite:
        return
    async with database.apart() as connection:
        database.schema = await connection.run_sync(ledger_schema)


async def revision_of(database: Database) -> str | None:
    """The migration that the database is at; None before the first."""
    async with database.oversee() if database.is_sqlite else database.apart() as tx:
        return await tx.run_sync(schema_revision)


def schema_revision(connection: Connection) -> str | None:
    """The migration that the database is at; None before the first."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return revision


def _migrate(connection: Connection) -> None:
    from alembic import command  # here, since a start of a current database needs none of it: 0.3 s
    from alembic.config import Config

    began_in_transaction = connection.in_transaction()
    revision = schema_revision(connection)
    _refuse_later(revision)  # another release may have had its turn meanwhile
    if revision is None and connection.dialect.name != "sqlite" and (found := ledger_schema(connection)):
        raise DatabaseUnavailable(
            f"There is a ledger in the schema {found}, and no word of its release: is it being restored, or made by a "
            "process with another search path? Start again when that is done."
        )
    if not began_in_transaction:
        connection.rollback()  # each migration begins its own

    config = Config(ALEMBIC_INI)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _refuse_later(revision: str | None) -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    known = {script.revision for script in ScriptDirectory.from_config(Config(ALEMBIC_INI)).walk_revisions()}
    if revision is not None and revision not in known:
        raise DatabaseUnavailable(
            f"The database is at migration {revision}, of a later release; this one ends at {REVISION}. Start that "
            "release, or one after it."
        )
