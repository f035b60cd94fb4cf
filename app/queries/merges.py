"""Which accounts are merged into which, and what became of their entries since."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.account import LastEffective
from app.domain.entry import Entry
from app.domain.merging import MERGES, Merged, Taken, came_last
from app.domain.policy import Memory
from app.queries.entries import reversal, reversals_of, with_reversal
from app.rows import entry_of
from app.tables import entries, merges


async def merges_of(tx: AsyncConnection, book: str, account_ids: Collection[UUID]) -> list[Merged]:
    """Into which accounts these are merged; one that is not is absent."""
    return await _merges(tx, book, merges.c.account_id.in_(account_ids))


async def merge_of(tx: AsyncConnection, book: str, account_id: UUID) -> Merged | None:
    """Into which account this one is merged; None if it is not."""
    return next(iter(await merges_of(tx, book, [account_id])), None)


async def members_of(tx: AsyncConnection, book: str, survivors: Collection[UUID]) -> list[Merged]:
    """The accounts that are merged into these, through however many others."""
    return await _merges(tx, book, merges.c.survivor_id.in_(survivors))


async def all_merges(tx: AsyncConnection, book: str) -> list[Merged]:
    """Every account of a book that is merged into another, in the order in which they were."""
    return await _merges(tx, book, true())


async def taken_since(tx: AsyncConnection, book: str, account_ids: Collection[UUID], *, position: int) -> list[Taken]:
    """The entries of these accounts that were reversed after a position, in order."""
    own = entries.c
    query = select(own.entry_id, own.points, own.memory, own.value_at).select_from(with_reversal)
    query = query.where(own.book == book, own.account_id.in_(account_ids), reversal.c.position > position)
    found = await tx.execute(query.where(own.kind.not_in(MERGES)).order_by(own.position))
    return [Taken(entry_id, points, Memory(memory), value_at) for entry_id, points, memory, value_at in found]


async def entries_at(tx: AsyncConnection, book: str, positions: Collection[int]) -> dict[int, Entry]:
    """The entries at these positions."""
    query = select(entries).where(entries.c.book == book, entries.c.position.in_(positions))
    return {row["position"]: entry_of(row) for row in (await tx.execute(query)).mappings()}


async def _merges(tx: AsyncConnection, book: str, which: ColumnElement[bool]) -> list[Merged]:
    own = merges.c
    query = select(own.account_id, own.into_id, own.survivor_id, own.position)
    return [Merged(*row) for row in await tx.execute(query.where(own.book == book, which).order_by(own.position))]


async def last_that_came(
    tx: AsyncConnection, book: str, account_ids: Collection[UUID]
) -> dict[UUID, list[tuple[UUID, LastEffective]]]:
    """Of these accounts the last effective entry of each that was merged into them, if nothing reversed that."""
    merged = await _merges(tx, book, merges.c.into_id.in_(account_ids)) if account_ids else []
    lines = await entries_at(tx, book, [each.position for each in merged]) if merged else {}
    came: dict[UUID, list[tuple[UUID, LastEffective]]] = {}
    for each in merged:
        last = came_last(lines[each.position])
        if last is not None:
            came.setdefault(each.into_id, []).append(last)
    gone = await reversals_of(tx, book, {entry_id for own in came.values() for entry_id, _ in own})
    return {into: [pair for pair in own if pair[0] not in gone] for into, own in came.items()}
