"""The ledger's lines: they are appended, and nothing else is ever done to them."""

from collections.abc import Sequence

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.entry import Entry
from app.rows import entry_row
from app.tables import entries


async def append_entries(tx: AsyncConnection, book: str, appended: Sequence[Entry]) -> None:
    """Append lines in order. Requires the book's head to be locked."""
    if appended:
        await tx.execute(insert(entries), [entry_row(book, entry) for entry in appended])
