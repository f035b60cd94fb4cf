"""What is asked of the database, however it is asked."""

from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import Database
from app.sql import driver_of


async def listening(database: Database) -> list[str]:
    """From now on, each statement of the writer's connection; requires that no two write at once."""
    heard: list[str] = []
    async with database.write("acme") as tx:
        await _listen(database, tx, heard)
    return heard


async def listening_to_reads(database: Database) -> list[str]:
    """From now on, each statement of whoever reads; requires that no two read at once, but for one that is ending."""
    heard: list[str] = []
    for reading in (database.read, database.glance):
        async with reading("acme") as one, reading("acme") as other:
            await _listen(database, one, heard)
            await _listen(database, other, heard)
    return heard


async def _listen(database: Database, tx: AsyncConnection, heard: list[str]) -> None:
    driver = driver_of(tx)
    if database.is_sqlite:
        await driver.set_trace_callback(heard.append)
    else:
        driver.add_query_logger(lambda logged: heard.append(logged.query))
