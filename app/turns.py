"""One process at a time: what changes the schema, or the wall, is done in turn, whoever starts meanwhile."""

import asyncio
import logging
from collections.abc import Callable

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import Database
from app.domain.errors import DatabaseUnavailable
from app.outages import sqlstate_of

logger = logging.getLogger("goodwill.upgrade")

ADVISORY_LOCK_KEY = 0x676F6F6477696C6C  # "goodwill"
TURN_SECONDS = 300  # to wait for another process's migrations; longer means that it hangs
LOOK_SECONDS = 0.2  # at whether it is our turn. Who waits in the database would hold up an index that is built there
LOCK_TIMEOUT = "500ms"  # below PostgreSQL's deadlock_timeout (1 s): in a circle of waits we give way, never a server
TRIES_MAX = 40
PAUSE_SECONDS_MIN, PAUSE_SECONDS_MAX = 0.5, 5.0  # between tries: servers catch up. About three minutes in all
_LOCKED_STATES = {"55P03", "40P01"}  # lock_not_available, deadlock_detected


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
