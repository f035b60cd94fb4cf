"""What a book's one writer asks of the database, however it asks."""

from app.database import Database
from app.sql import driver_of


async def listening(database: Database) -> list[str]:
    """From now on, each statement of the writer's connection; requires that no two write at once."""
    heard: list[str] = []
    async with database.write("acme") as tx:
        driver = driver_of(tx)
        if database.is_sqlite:
            await driver.set_trace_callback(heard.append)
        else:
            driver.add_query_logger(lambda logged: heard.append(logged.query))
    return heard
