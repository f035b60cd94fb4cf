"""Who was forgotten: for a list that outlives the backups from before."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.erasure import ERASED
from app.domain.instant import Instant
from app.tables import entries, merges


class Erased(NamedTuple):
    """An account whose customer was forgotten, and when."""

    account_id: UUID
    erased_at: Instant


async def erasures_of(tx: AsyncConnection, book: str) -> list[Erased]:
    """Whom a book forgot, in order, with all that was merged into them. It reads every entry."""
    query = select(entries.c.account_id, entries.c.booked_at).where(entries.c.book == book, entries.c.kind == ERASED)
    found: list[Erased] = []
    for account_id, booked_at in await tx.execute(query.order_by(entries.c.position)):
        found.append(Erased(account_id, booked_at))
        merged = select(merges.c.account_id).where(merges.c.book == book, merges.c.survivor_id == account_id)
        found += [Erased(each, booked_at) for each in (await tx.execute(merged)).scalars()]
    return found
