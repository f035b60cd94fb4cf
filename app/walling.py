"""The start of a process on PostgreSQL: it sees that the wall between the books stands, and goes through it."""

import logging
from collections.abc import Callable
from functools import partial

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from app.database import Database
from app.domain.errors import DatabaseUnavailable
from app.outages import sqlstate_of
from app.turns import in_turn
from app.wall import goes_past, make_roles, may_be, put_up, sees_all, unwalled

logger = logging.getLogger("goodwill.upgrade")

_NOT_ALLOWED = "42501"  # insufficient_privilege
# duplicate_object, unique_violation, or an internal_error: "tuple concurrently updated". Roles are of the cluster, and
# turns of a database: processes of several databases may make them at once.
_MADE_MEANWHILE = {"42710", "23505", "XX000"}
ROLE_TRIES_MAX = 10
NOT_THE_OWNER = (
    "The tables, or the wall between the books, are not as this release has them, and who connects may not make them "
    "so: set GOODWILL_DATABASE_OWNER_URL (docs/settings.md) to who owns the tables."
)
SEES_NOTHING = (
    "Who logs in by GOODWILL_DATABASE_URL is neither the role that serves nor an owner whom the wall between the "
    "books knows: it would see no book. Let it be that role (GRANT goodwill_app TO …), or log in as the owner; if the "
    "tables have another owner now, start once with GOODWILL_DATABASE_ROLE, which puts the wall up anew "
    "(docs/settings.md)."
)
GOES_PAST = (
    "The role of GOODWILL_DATABASE_ROLE, or one that it may become, owns the tables or their schema, or goes past "
    "row-level security: no wall would hold it. Name one that does neither (docs/settings.md)."
)


async def put_up_wall(database: Database) -> None:
    """See that the wall between the books stands, and go through it from now on: `database.role` says as whom.

    Where no role can be had it holds for the rows alone, which the log says. DatabaseUnavailable: something of it is
    missing, and it is not for us to mend; or who connects would see no book.
    """
    wanted = database.wanted_role
    role = wanted if wanted and await _may_have(database, wanted) else None
    if wanted:
        await _put_up_what_is_missing(database, role)
    else:
        logger.warning("GOODWILL_DATABASE_ROLE is none: no database's wall stands between the books")
    if role:
        logger.info("the wall between the books stands: the service works as %s", role)
    else:
        await _want_sight(database)
    database.role = role


async def login_of(database: Database) -> str | None:
    """Who connects as the service, if that is not the owner."""
    if database.url == database.owner_url:
        return None
    async with database.apart(database.url) as connection:
        return str((await connection.execute(text("SELECT session_user"))).scalar_one())


async def _want_sight(database: Database) -> None:
    async with database.apart(database.url) as connection:
        if not await connection.run_sync(sees_all):
            raise DatabaseUnavailable(SEES_NOTHING)


async def _put_up_what_is_missing(database: Database, role: str | None) -> None:
    if await _is_missing(database, role):
        await in_turn(database, partial(put_up, role=role))
        if await _is_missing(database, role):  # of what one may not grant PostgreSQL says no more than a warning
            raise DatabaseUnavailable(NOT_THE_OWNER)


async def _is_missing(database: Database, role: str | None) -> bool:
    async with database.apart() as connection:
        return bool(await connection.run_sync(unwalled, role))


async def _may_have(database: Database, role: str) -> bool:
    """Whether the service may be the roles that it needs, which are made if need be."""
    login = await login_of(database)
    async with database.apart() as connection:
        if await connection.run_sync(goes_past, role):
            raise DatabaseUnavailable(GOES_PAST)
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
