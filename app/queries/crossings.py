"""Recorded crossings."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.crossing import Crossing
from app.rows import crossing_of
from app.tables import crossings


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A crossing, its ordinal in its account, and whether a message told of it."""

    ordinal: int
    crossing: Crossing
    announced: bool


async def recorded_crossings(
    tx: AsyncConnection, book: str, account_id: UUID, *, after: int = 0, limit: int | None = None
) -> list[Recorded]:
    """An account's recorded crossings after an ordinal, in order."""
    query = (
        select(crossings)
        .where(crossings.c.book == book, crossings.c.account_id == account_id, crossings.c.ordinal > after)
        .order_by(crossings.c.ordinal)
        .limit(limit)
    )
    return [
        Recorded(ordinal=row["ordinal"], crossing=crossing_of(row), announced=row["announced"])
        for row in (await tx.execute(query)).mappings()
    ]
