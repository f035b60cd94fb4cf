"""Entries, by every name they have."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from uuid import UUID

from sqlalchemy import Select, and_, not_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.account import LastEffective
from app.domain.entry import Entry
from app.domain.standing import direction_of
from app.records import entry_of_record
from app.rows import entry_of
from app.sql import Record, Sql, Step, columns_of, run
from app.tables import entries

Pair = tuple[str, str]


_NAMED = Sql(
    f"SELECT {columns_of(entries, 'e')} FROM entries e"  # noqa: S608 - of our own columns
    " WHERE e.book = :book AND e.source = :source AND e.external_id IN :ids"
)


def finding_named(book: str, pairs: Iterable[Pair]) -> list[Step]:
    """The steps that read the entries of these (source, id) pairs, one for each source; see `named_of`."""
    ids_by_source: defaultdict[str, set[str]] = defaultdict(set)
    for source, external_id in pairs:
        ids_by_source[source].add(external_id)
    return [(_NAMED, {"book": book, "source": source, "ids": list(ids)}) for source, ids in ids_by_source.items()]


def named_of(found: Iterable[Iterable[Record]]) -> dict[Pair, Entry]:
    """The entries by (source, id); a pair that the ledger does not know is absent."""
    named = (entry_of_record(record) for rows in found for record in rows)
    return {(entry.source, entry.external_id or ""): entry for entry in named}


async def entries_by_interaction(tx: AsyncConnection, book: str, pairs: Iterable[Pair]) -> dict[Pair, Entry]:
    """The entries of these (source, id) pairs; a pair that the ledger does not know is absent."""
    return named_of(await run(tx, *finding_named(book, pairs)))


async def entries_by_id(tx: AsyncConnection, book: str, entry_ids: Collection[UUID]) -> dict[UUID, Entry]:
    """The entries with these ids; an unknown id is absent."""
    if not entry_ids:
        return {}
    found = await _entries(tx, select(entries).where(entries.c.book == book, entries.c.entry_id.in_(entry_ids)))
    return {entry.entry_id: entry for entry in found}


async def reversals_of(tx: AsyncConnection, book: str, entry_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Which of these entries are reversed, and by which entry."""
    if not entry_ids:
        return {}
    query = select(entries.c.reverses, entries.c.entry_id).where(
        entries.c.book == book, entries.c.reverses.in_(entry_ids)
    )
    return {row.reverses: row.entry_id for row in await tx.execute(query)}


async def last_effective(
    tx: AsyncConnection, book: str, account_id: UUID, *, limit: int
) -> list[tuple[UUID, LastEffective]]:
    """The account's last effective entries by (value_at, sequence), the last one first."""
    return [
        (entry_id, LastEffective(value_at=value_at, sequence=sequence, direction=direction_of(points)))
        for entry_id, value_at, sequence, points in await tx.execute(_last_effective(book, account_id).limit(limit))
    ]


def _last_effective(book: str, account_id: UUID) -> Select[UUID, int, int, int]:
    reversal = entries.alias()
    return (
        select(entries.c.entry_id, entries.c.value_at, entries.c.sequence, entries.c.points)
        .outerjoin(reversal, and_(reversal.c.book == entries.c.book, reversal.c.reverses == entries.c.entry_id))
        .where(
            entries.c.book == book,
            entries.c.account_id == account_id,
            entries.c.points != 0,
            # Spelt so that SQLite cannot take it for the index of reversals, in which nearly every entry has a null.
            entries.c.reverses.is_(None).is_(true()),
            reversal.c.entry_id.is_(None),
            not_(entries.c.kind.like("account.%")),
            entries.c.kind.not_in(("promise.made", "promise.moved", "promise.withdrawn")),
        )
        .order_by(entries.c.value_at.desc(), entries.c.sequence.desc())
    )


async def _entries(tx: AsyncConnection, query: Select[tuple[object, ...]]) -> list[Entry]:
    return [entry_of(row) for row in (await tx.execute(query)).mappings()]
