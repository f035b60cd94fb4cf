"""Runs the migrations: on the connection that the service hands over, or on one to `GOODWILL_DATABASE_URL`.

On PostgreSQL each is a transaction; on SQLite all are one, since they run in that of whoever hands over the connection.
"""

import asyncio
import os

from alembic import context
from alembic.util import CommandError
from sqlalchemy import Connection

from app.database import Database
from app.domain.errors import DatabaseUnavailable
from app.tables import REVISION, metadata
from app.tables.grants import ROLE
from app.turns import in_turn
from app.upgrade import revision_of, saying_who_may, settle_schema
from app.walling import put_up_wall


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
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def migrate_database(url: str) -> None:
    role = os.environ.get("GOODWILL_DATABASE_ROLE", ROLE)
    owner_url = os.environ.get("GOODWILL_DATABASE_OWNER_URL")
    database = Database(url, role=None if role == "none" else role, owner_url=owner_url)
    try:
        with saying_who_may():
            await migrate_in_turn(database)
    except DatabaseUnavailable as refusal:
        raise CommandError(refusal.detail) from refusal
    finally:
        await database.close()


async def migrate_in_turn(database: Database) -> None:
    await settle_schema(database)
    await in_turn(database, migrate)
    if not database.is_sqlite and await revision_of(database) == REVISION:
        await settle_schema(database)
        await put_up_wall(database)


main()
