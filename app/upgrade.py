"""Bring a database to the schema of this release, and put up its wall: one process at a time, while servers serve.

On SQLite all pending migrations are one transaction, on PostgreSQL each is one of its own: whatever ends it midway, a
migration is done or not begun, and the next start goes on. docs/upgrading.md says how migrations are to be written.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import Database
from app.domain.errors import DatabaseUnavailable
from app.outages import sqlstate_of
from app.tables import REVISION
from app.wall import goes_past, make_roles, may_be, put_up, schema_of, sees_all, unwalled

logger = logging.getLogger("goodwill.upgrade")

ALEMBIC_INI = Path(__file__).resolve().parent.parent / "alembic.ini"

ADVISORY_LOCK_KEY = 0x676F6F6477696C6C  # "goodwill"
TURN_SECONDS = 300  # to wait for another process's migrations; longer means that it hangs
LOOK_SECONDS = 0.2  # at whether it is our turn. Who waits in the database would hold up an index that is built there
LOCK_TIMEOUT = "500ms"  # below PostgreSQL's deadlock_timeout (1 s): in a circle of waits we give way, never a server
TRIES_MAX = 40
PAUSE_SECONDS_MIN, PAUSE_SECONDS_MAX = 0.5, 5.0  # between tries: servers catch up. About three minutes in all
_LOCKED_STATES = {"55P03", "40P01"}  # lock_not_available, deadlock_detected
_NOT_ALLOWED = "42501"  # insufficient_privilege
# duplicate_object, unique_violation, or an internal_error: "tuple concurrently updated". Roles are of the cluster, and
# turns of a database: processes of several databases may make them at once.
_MADE_MEANWHILE = {"42710", "23505", "XX000"}
ROLE_TRIES_MAX = 10
NOT_THE_OWNER = (
    "The wall between the books is not whole, and who connects does not own the tables: set "
    "GOODWILL_DATABASE_OWNER_URL (docs/settings.md), which migrates and puts it up."
)
SEES_NOTHING = (
    "Who logs in by GOODWILL_DATABASE_URL does not own the tables, and is not the role that serves: it would see no "
    "book. Let it be that role, as docs/settings.md says (GRANT goodwill_app TO …), or log in as the owner."
)


async def upgrade(database: Database) -> None:
    """Bring the database to this release's migration, if it is not there; several processes may try at once.

    DatabaseUnavailable: it does not answer, is of a later release, or others do not let go of a table.
    """
    async with database.oversee() if database.is_sqlite else database.apart() as tx:
        revision = await tx.run_sync(schema_revision)
    if revision != REVISION:
        _refuse_later(revision)
        await in_turn(database, _migrate)
    if not database.is_sqlite:
        await put_up_wall(database)


async def put_up_wall(database: Database) -> None:
    """See that the wall between the books stands, and go through it from now on: `database.role` says as whom.

    Where no role can be had it holds for the rows alone, which the log says. DatabaseUnavailable: something of it is
    missing, and it is not for us to mend; or who connects would see no book.
    """
    if role := database.role:
        await _refuse_past_the_wall(database, role)
        database.role = role if await _has_roles(database, role) else None
        await _put_up_what_is_missing(database)
    else:
        logger.warning("GOODWILL_DATABASE_ROLE is none: no database's wall stands between the books")
    async with database.apart() as connection:
        database.schema = await connection.run_sync(schema_of)
    if database.role:
        logger.info("the wall between the books stands: the service works as %s", role)
        return
    async with database.oversee() as tx:
        if not await tx.run_sync(sees_all):
            raise DatabaseUnavailable(SEES_NOTHING)


async def _refuse_past_the_wall(database: Database, role: str) -> None:
    async with database.apart() as connection:
        if await connection.run_sync(goes_past, role):
            raise DatabaseUnavailable(
                f"The role {role} owns the tables, or goes past row-level security, and no wall would hold it: let "
                "GOODWILL_DATABASE_ROLE (docs/settings.md) name one that does neither."
            )


async def _put_up_what_is_missing(database: Database) -> None:
    if not await _is_missing(database):
        return
    try:
        await in_turn(database, partial(put_up, role=database.role))
    except DBAPIError as error:
        if sqlstate_of(error) == _NOT_ALLOWED:
            raise DatabaseUnavailable(NOT_THE_OWNER) from error
        raise
    if await _is_missing(database):  # of what one may not grant PostgreSQL says no more than a warning
        raise DatabaseUnavailable(NOT_THE_OWNER)


async def _is_missing(database: Database) -> bool:
    async with database.apart() as connection:
        return bool(await connection.run_sync(unwalled, database.role))


async def _has_roles(database: Database, role: str) -> bool:
    """Whether the service may be the roles that it needs, which are made if need be."""
    login = database.login
    async with database.apart() as connection:
        if await connection.run_sync(may_be, login, role):
            return True
    try:
        await _make_roles(database, lambda connection: make_roles(connection, login, role))
    except DBAPIError as error:
        if sqlstate_of(error) != _NOT_ALLOWED:
            raise
        logger.warning("the wall between the books holds for rows alone: nobody may make, or be, the role %s", role)
        return False
    return True


async def _make_roles(database: Database, make: Callable[[Connection], None]) -> None:
    for _ in range(ROLE_TRIES_MAX - 1):
        try:
            return await in_turn(database, make)
        except DBAPIError as error:
            if sqlstate_of(error) not in _MADE_MEANWHILE:
                raise
    return await in_turn(database, make)


async def in_turn(database: Database, work: Callable[[Connection], None]) -> None:
    """Let `work` migrate while no other process does; anew, if it had to wait long for a table. Raises as `upgrade`."""
    if database.is_sqlite:
        async with database.whole() as tx:  # nobody else writes to the file meanwhile
            await tx.run_sync(work)
        return
    for tries in range(TRIES_MAX):
        try:
            async with database.apart(lock_timeout=LOCK_TIMEOUT, statement_timeout="0") as connection:
                await _take_turn(connection)
                await connection.run_sync(work)
                return
        except DatabaseUnavailable as error:
            if sqlstate_of(error.__cause__) not in _LOCKED_STATES:
                raise
        if tries == 0:
            logger.warning("a migration waits for a table that a long transaction uses; it tries again and again")
        await asyncio.sleep(min(PAUSE_SECONDS_MIN * 2**tries, PAUSE_SECONDS_MAX))
    raise DatabaseUnavailable(
        "A migration cannot have a table that a long transaction uses (pg_stat_activity names it): end that, or wait "
        "until it ends, and start again. Whatever was migrated so far is kept."
    )


async def _take_turn(connection: AsyncConnection) -> None:
    """Wait until no other process migrates. The lock goes with the connection."""
    for _ in range(int(TURN_SECONDS / LOOK_SECONDS)):
        found = await connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": ADVISORY_LOCK_KEY})
        is_ours = bool(found.scalar_one())
        await connection.commit()
        if is_ours:
            return
        await asyncio.sleep(LOOK_SECONDS)
    raise DatabaseUnavailable(f"Another process has been migrating the database for {TURN_SECONDS} seconds.")


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
    _refuse_later(schema_revision(connection))  # another release may have had its turn meanwhile
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
