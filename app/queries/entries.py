"""Entries, by every name they have."""

from collections import defaultdict
from collections.abc import AsyncGenerator, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, not_, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.account import LastEffective
from app.domain.entry import Entry
from app.domain.merging import MERGED_FROM
from app.domain.share import Heavy, came_with
from app.domain.standing import direction_of
from app.queries.ledger_lines import streamed
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


@dataclass(slots=True)
class Effective:
    """An account's effective entries by sequence, each with the position of its reversal.

    `came` are those that weighed most of what was merged into it, and is part of it still, reversed since or not.
    """

    account_id: UUID
    lines: list[tuple[Heavy, int | None]] = field(default_factory=list[tuple[Heavy, "int | None"]])
    came: list[Heavy] = field(default_factory=list[Heavy])


async def effective_by_account(
    tx: AsyncConnection, book: str, account_ids: Collection[UUID]
) -> AsyncGenerator[Effective]:
    """The effective entries of each account, one account in memory.

    Only what tells which are the heaviest is read of them, for whole entries take several times as long.
    """
    own = (entries.c[name] for name in ("account_id", "carried", *Heavy._fields))
    query = select(*own, reversal.c.position.label("reversed_by")).select_from(with_reversal)
    came = and_(entries.c.book == book, entries.c.kind == MERGED_FROM, reversal.c.position.is_(None))
    is_wanted = or_(and_(*_are_effective(book)), and_(came, entries.c.reverses.is_(None).is_(true())))
    query = query.where(is_wanted, entries.c.book == book, entries.c.account_id.in_(account_ids))
    found: Effective | None = None
    async for row in streamed(tx, query.order_by(entries.c.account_id, entries.c.sequence)):
        account_id, carried, sequence, entry_id, *rest, reversed_by = tuple[Any, ...](row.values())
        if found is None or found.account_id != account_id:
            if found is not None:
                yield found
            found = Effective(account_id)
        if carried is None:
            found.lines.append((Heavy(sequence, entry_id.hex, *rest), reversed_by))
        else:
            found.came += came_with(carried, sequence)
    if found is not None:
        yield found


def _last_effective(book: str, account_id: UUID) -> Select[UUID, int, int, int]:
    return (
        select(entries.c.entry_id, entries.c.value_at, entries.c.sequence, entries.c.points)
        .select_from(with_reversal)
        .where(*_are_effective(book), entries.c.account_id == account_id, reversal.c.entry_id.is_(None))
        .order_by(entries.c.value_at.desc(), entries.c.sequence.desc())
    )


reversal = entries.alias("reversal")
with_reversal = entries.outerjoin(
    reversal, and_(reversal.c.book == entries.c.book, reversal.c.reverses == entries.c.entry_id)
)


def _are_effective(book: str) -> list[ColumnElement[bool]]:
    return [
        entries.c.book == book,
        entries.c.points != 0,
        # Spelt so that SQLite cannot take it for the index of reversals, in which nearly every entry has a null.
        entries.c.reverses.is_(None).is_(true()),
        not_(entries.c.kind.like("account.%")),
        entries.c.kind.not_in(("promise.made", "promise.moved", "promise.withdrawn")),
    ]


async def _entries(tx: AsyncConnection, query: Select[tuple[object, ...]]) -> list[Entry]:
    return [entry_of(row) for row in (await tx.execute(query)).mappings()]
