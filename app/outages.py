"""What it comes to when the database fails: a refusal that says for how long, and in whose words no row is shown."""

import re
import sqlite3
from collections.abc import AsyncGenerator, Set
from contextlib import asynccontextmanager
from typing import Any, cast

import asyncpg  # pyright: ignore[reportMissingTypeStubs] - it ships none
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.domain.errors import DatabaseUnavailable, StorageFull

# lock_not_available, deadlock_detected, query_canceled, admin_shutdown, crash_shutdown, cannot_connect_now,
# too_many_connections, idle_in_transaction_session_timeout, io_error
_PASSING_STATES = {"25P03", "55P03", "40P01", "57014", "57P01", "57P02", "57P03", "53300", "58030"}
_NO_CONNECTION = "08"  # the class of what may go wrong with a connection, the first included
_NOT_WRITABLE = {"25006"}  # read_only_sql_transaction: a standby, or a server whose disk its keeper found too full

_DISK_FULL = "53100"
_OURS = {"0A", "22", "23", "42", "P0"}  # not supported, data, integrity, syntax or access, raised by a trigger

_ARGUMENT = re.compile(r"(?<=query argument \$)(\d+): .*", re.DOTALL)


@asynccontextmanager
async def answering(*, is_writing: bool = False) -> AsyncGenerator[None]:
    """Whatever fails in the block because of the database's state is raised as DatabaseUnavailable or StorageFull."""
    try:
        yield
    except (DBAPIError, PoolTimeout, OSError, asyncpg.PostgresError, asyncpg.InterfaceError, sqlite3.Error) as error:
        _forget_rows(error)
        refusal = _refusal_of(error, _PASSING_STATES | _NOT_WRITABLE if is_writing else _PASSING_STATES)
        if refusal is None:
            raise
        raise refusal from error


def _forget_rows(error: BaseException | None) -> None:
    """Of an error, and of what led to it: what is wrong, and never with what. Whatever is raised may be in a log."""
    while error is not None:
        error.args = tuple(_without_row(each) if isinstance(each, str) else each for each in error.args)
        if isinstance(error, asyncpg.PostgresError):
            cast("Any", error).detail = None
        error = error.__cause__ or error.__context__


def _without_row(message: str) -> str:
    """Of what PostgreSQL or its driver says: no DETAIL, which shows the row, and no argument of a query."""
    return _ARGUMENT.sub(r"\1", message.partition("\nDETAIL:")[0])


def _refusal_of(error: Exception, passing: Set[str]) -> DatabaseUnavailable | None:
    """What the database's state keeps from being done; None if the mistake is ours."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = sqlstate_of(error)
    if state == _DISK_FULL or getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
        return StorageFull()
    if not isinstance(error, DBAPIError):
        return None if _is_ours(error, state or "") and state not in passing else DatabaseUnavailable()
    if isinstance(error, OperationalError | InterfaceError):
        return DatabaseUnavailable()
    is_no_database = isinstance(cause, sqlite3.DatabaseError) and type(error) is DatabaseError
    is_away = error.connection_invalidated or (state or "").startswith(_NO_CONNECTION)
    return DatabaseUnavailable() if is_no_database or is_away or state in passing else None


def _is_ours(error: Exception, state: str) -> bool:
    """Whether what the driver itself raises is a mistake in a statement, or in what it was given."""
    if isinstance(error, sqlite3.Error):
        return not isinstance(error, sqlite3.OperationalError) and type(error) is not sqlite3.DatabaseError
    return state[:2] in _OURS or isinstance(error, ValueError)


def sqlstate_of(error: BaseException | None) -> str | None:
    """PostgreSQL's code of what went wrong, if the error is one of its."""
    return getattr(getattr(error, "orig", error), "sqlstate", None)
