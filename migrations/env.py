"""Runs the migrations: on the connection that the service hands over, or on one to `GOODWILL_DATABASE_URL`.

All pending migrations are one transaction, on SQLite too: a database is at the old revision or at the new one.
Whoever hands over a connection within a transaction commits it.
"""

import asyncio
import os

from alembic import context
from alembic.util import CommandError
from sqlalchemy import Connection, text

from app.database import Database
from app.tables import metadata

ADVISORY_LOCK_KEY = 0x676F6F6477696C6C  # "goodwill": one service migrates a database at a time
TURN_TIMEOUT_SECONDS = 300  # to wait for another replica's migrations; longer means that it hangs
LOCK_TIMEOUT_SECONDS = 5  # to wait for a table; while a migration queues for its lock, every reader behind it waits


def main() -> None:
    if context.is_offline_mode():
        raise CommandError("--sql is not supported: what a migration does may depend on the database's dialect")

    if (connection := context.config.attributes.get("connection")) is not None:
        migrate(connection)
    elif url := os.environ.get("GOODWILL_DATABASE_URL"):
        asyncio.run(migrate_database(url))
    else:
        raise CommandError("set GOODWILL_DATABASE_URL, for example sqlite:///data/goodwill.sqlite3")


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        transactional_ddl=True,  # Alembic holds that SQLite cannot; after an explicit BEGIN it can
    )
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            take_turn(connection)
        context.run_migrations()


def take_turn(connection: Connection) -> None:
    """Wait until no other replica migrates; from then on, and until the transaction ends, wait for tables shortly."""
    connection.execute(text(f"SET LOCAL lock_timeout = '{TURN_TIMEOUT_SECONDS}s'"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK_KEY})
    connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'"))


async def migrate_database(url: str) -> None:
    database = Database(url)
    try:
        async with database.write() as tx:
            await tx.run_sync(migrate)
    finally:
        await database.close()


main()
