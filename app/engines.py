"""How the engines are made: what each connection to SQLite or PostgreSQL is told, whoever uses it."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

BUSY_TIMEOUT_SECONDS = 60  # three processes may share one file; each append holds it for milliseconds
POOL_TIMEOUT_SECONDS = 30
LOCK_TIMEOUT_SECONDS = 30

# Every statement of an append or a look-up finds its rows by an index, in the order of its joins, however many there
# are. Without this a table that nobody has analysed yet is scanned for each batch; and a plan, once made, can be kept.
BY_INDEX = {
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_material": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "join_collapse_limit": "1",
    "plan_cache_mode": "force_generic_plan",
    "max_parallel_workers_per_gather": "0",  # for any arguments a plan looks dear in a large book; to start these is
}

_DEFAULTS = {
    "application_name": "goodwill",
    "lock_timeout": f"{LOCK_TIMEOUT_SECONDS}s",
    "standard_conforming_strings": "on",  # see `quoted`
    # A plan that was kept since the table was small scans all of a book that has grown: an import of 39,000 rows took a
    # second a batch in the end.
    "plan_cache_mode": "force_custom_plan",
    # No statement takes as long as it takes to compile it, and a plan that is kept is dear by guess: a page of the
    # worklist of 150,000 accounts took 200 ms, 1 ms without.
    "jit": "off",
}


def _is_told(record: logging.LogRecord) -> bool:
    """Who is stopped while a connection is given back gives it up: that is no error of the pool's."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


logging.getLogger("sqlalchemy.pool.impl.AsyncAdaptedQueuePool").addFilter(_is_told)


def driver_url(url: str) -> URL:
    """The URL with the driver that is ours, whichever it names. ValueError for another database or no URL at all."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ValueError("this is no URL of a database: use sqlite:///PATH or postgresql://…") from None
    match parsed.get_backend_name():
        case "sqlite" if parsed.database in (None, "", ":memory:"):
            raise ValueError("a ledger is kept in a file: use sqlite:///PATH")
        case "sqlite":
            return parsed.set(drivername="sqlite+aiosqlite")
        case "postgresql" | "postgres":
            return parsed.set(drivername="postgresql+asyncpg")
        case other:
            raise ValueError(f"{other} is not a database that Goodwill knows: use sqlite:///PATH or postgresql://…")


def postgres_engine(
    url: URL,
    size: int,
    *,
    settings: Mapping[str, str] | None = None,
    settled: Callable[[], Mapping[str, str]] = dict,
    isolation_level: str = "AUTOCOMMIT",  # what begins a transaction also ends it, on the driver
    **options: Any,
) -> AsyncEngine:
    """Each connection has the settings from its very first message on: no reset takes them away.

    `settled` are those that are known only after the engine is made, and before its first connection.
    """
    engine = create_async_engine(
        url,
        pool_size=size,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        hide_parameters=True,  # an error in a log names no row
        pool_pre_ping=False,
        isolation_level=isolation_level,
        connect_args={"server_settings": {**_DEFAULTS, **(settings or {})}, "timeout": 10},
        **options,
    )

    @event.listens_for(engine.sync_engine, "do_connect")
    def _settle(_dialect: Any, _record: Any, _args: Any, parameters: dict[str, Any]) -> None:
        parameters["server_settings"] = {**parameters["server_settings"], **settled()}

    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    return engine


def _refuse_closed(connection: Any, _record: Any, _proxy: Any) -> None:
    """The pool then opens another: after a restart of PostgreSQL no request meets a connection of before it."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


def quoted(text: str) -> str:
    """The text as a literal of PostgreSQL, whatever is in it."""
    return "'" + text.replace("'", "''") + "'"


def sqlite_engine(
    url: URL, *, size: int, begin: str | None = None, query_only: bool = False, **options: Any
) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=size,
        max_overflow=0,
        pool_timeout=BUSY_TIMEOUT_SECONDS,
        hide_parameters=True,  # an error in a log names no row
        connect_args={"timeout": BUSY_TIMEOUT_SECONDS},
        **options,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself: we do, explicitly
        cursor = connection.cursor()
        for pragma in _pragmas(query_only=query_only):
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        if begin is not None:
            connection.exec_driver_sql(begin)

    return engine


def _pragmas(*, query_only: bool) -> list[str]:
    return [
        f"PRAGMA busy_timeout={BUSY_TIMEOUT_SECONDS * 1000}",
        "PRAGMA journal_mode=WAL",
        "PRAGMA synchronous=FULL",
        "PRAGMA secure_delete=ON",  # a key that was destroyed is not to be found in the file's free pages
        "PRAGMA recursive_triggers=ON",  # or REPLACE would delete an entry without asking the triggers
        *(["PRAGMA query_only=ON"] if query_only else []),
    ]
