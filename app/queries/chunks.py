"""Rows straight from the driver, for whoever reads a whole book: SQLAlchemy's own cost more than most do with them."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any

from sqlalchemy import Select, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.sql import Record, driver_of

CHUNK_ROWS = 2_000


async def chunks(tx: AsyncConnection, query: Select[Any]) -> AsyncGenerator[Sequence[Record]]:
    """The rows that a query gives, in bounded memory: as the driver gives them, see `app/sql.py`.

    Others may use `tx` between them.
    """
    text = str(query.compile(dialect=tx.dialect, compile_kwargs={"literal_binds": True}))
    fetch = await (_opened_on_sqlite if tx.dialect.name == "sqlite" else _opened_on_postgres)(tx, text)
    while rows := await fetch(CHUNK_ROWS):
        yield rows


async def _opened_on_postgres(tx: AsyncConnection, text: str) -> Any:
    driver = driver_of(tx)
    if not driver.is_in_transaction():  # SQLAlchemy begins with the first statement of its own
        await tx.execute(select(literal(1)))
    return (await driver.cursor(text)).fetch


async def _opened_on_sqlite(tx: AsyncConnection, text: str) -> Any:
    return (await driver_of(tx).execute(text)).fetchmany
