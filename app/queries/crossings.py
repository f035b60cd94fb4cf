"""Recorded crossings."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.crossing import Crossing
from app.domain.instant import Instant
from app.rows import Row, crossing_of
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
    return [_recorded(row) for row in (await tx.execute(query)).mappings()]


async def crossings_of_book(
    tx: AsyncConnection, book: str, *, after: Instant, until: Instant, limit: int
) -> tuple[list[tuple[UUID, Recorded]], int]:
    """The first recorded crossings of all accounts in (after, until], in order; and how many there are in all.

    It reads every crossing of the book: a sandbox holds few.
    """
    within = (crossings.c.book == book, crossings.c.at > after, crossings.c.at <= until)
    order = (crossings.c.at, crossings.c.account_id, crossings.c.ordinal)
    rows = (await tx.execute(select(crossings).where(*within).order_by(*order).limit(limit))).mappings().all()
    total = (await tx.execute(select(func.count()).select_from(crossings).where(*within))).scalar_one()
    return [(row["account_id"], _recorded(row)) for row in rows], int(total)


def _recorded(row: Row) -> Recorded:
    return Recorded(ordinal=row["ordinal"], crossing=crossing_of(row), announced=row["announced"])
