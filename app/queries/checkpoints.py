"""Checkpoints, the keys that sign them, and what they are made of."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.checkpoint import Checkpoint, Rhythm
from app.domain.instant import MINUTE, Instant
from app.queries.chunks import chunks
from app.rows import Row
from app.sql import Sql, rows_of
from app.tables import books, checkpoints, entries, signing_keys

_FIELDS = tuple(Checkpoint.__dataclass_fields__)
_SHOWN = [checkpoints.c[name] for name in _FIELDS]
_HASHES = Sql(
    "SELECT hash FROM entries WHERE book = :book AND position > :after AND position <= :up_to ORDER BY position"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptKey:
    """A signing key as it is kept."""

    public_key: bytes
    created_at: Instant
    wrapped: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCheckpoint:
    """A checkpoint with the branches of its tree."""

    checkpoint: Checkpoint
    branches: list[bytes]


async def books_to_sign(tx: AsyncConnection, rhythm: Rhythm, now: Instant) -> list[str]:
    """The books in which a checkpoint is due by `now` on the real clock; none that replays history.

    Where anything is new it is due so long after the last one, or after the book was opened. No entry is read for it.
    """
    own, of_it, since = checkpoints.c, checkpoints.c.book == books.c.book, now - rhythm.minutes * MINUTE
    covered = select(func.coalesce(func.max(own.position), 0)).where(of_it).scalar_subquery()
    last = select(own.signed_at).where(of_it).order_by(own.number.desc()).limit(1).scalar_subquery()
    has_waited = func.coalesce(last, books.c.created_at) <= books.c.clock_ahead + since
    is_due = or_(books.c.position - covered >= rhythm.entries, and_(books.c.position > covered, has_waited))
    query = select(books.c.book).where(~books.c.replaying, is_due).order_by(books.c.book)
    return list((await tx.execute(query)).scalars())


async def last_checkpoint(tx: AsyncConnection, book: str) -> Checkpoint | None:
    """The book's last checkpoint, None if there is none."""
    query = select(*_SHOWN).where(checkpoints.c.book == book).order_by(checkpoints.c.number.desc()).limit(1)
    row = (await tx.execute(query)).mappings().first()
    return None if row is None else _checkpoint(row)


async def checkpoints_after(tx: AsyncConnection, book: str, number: int, *, limit: int) -> list[Checkpoint]:
    """The checkpoints after a number, in order."""
    query = select(*_SHOWN).where(checkpoints.c.book == book, checkpoints.c.number > number)
    rows = (await tx.execute(query.order_by(checkpoints.c.number).limit(limit))).mappings()
    return [_checkpoint(row) for row in rows]


async def signed_checkpoints(tx: AsyncConnection, book: str) -> list[tuple[int, Instant]]:
    """The number and the instant of each checkpoint, in order."""
    own = checkpoints.c
    query = select(own.number, own.signed_at).where(own.book == book).order_by(own.number)
    return [(row.number, row.signed_at) for row in await tx.execute(query)]


async def number_at(tx: AsyncConnection, book: str, position: int) -> int:
    """The number of the last checkpoint that covers nothing after a position; 0 if there is none."""
    own = checkpoints.c
    query = select(func.max(own.number)).where(own.book == book, own.position <= position)
    return int((await tx.execute(query)).scalar() or 0)


async def kept_after(tx: AsyncConnection, book: str, number: int, *, limit: int) -> list[KeptCheckpoint]:
    """The checkpoints after a number with their branches, in order."""
    query = select(checkpoints).where(checkpoints.c.book == book, checkpoints.c.number > number)
    return [_kept(row) for row in (await tx.execute(query.order_by(checkpoints.c.number).limit(limit))).mappings()]


async def checkpoint_over(tx: AsyncConnection, book: str, position: int) -> KeptCheckpoint | None:
    """The checkpoint that covers a position, None if none does yet."""
    query = select(checkpoints).where(checkpoints.c.book == book, checkpoints.c.position >= position)
    row = (await tx.execute(query.order_by(checkpoints.c.position).limit(1))).mappings().first()
    return None if row is None else _kept(row)


async def hashes_between(tx: AsyncConnection, book: str, after: int, up_to: int) -> list[bytes]:
    """The hashes of the entries at the positions (after, up_to], in order."""
    return [own for (own,) in await rows_of(tx, _HASHES, book=book, after=after, up_to=up_to)]


async def lines_between(tx: AsyncConnection, book: str, after: int, up_to: int) -> AsyncGenerator[tuple[int, bytes]]:
    """Position and hash of the entries at the positions (after, up_to], in order and in bounded memory."""
    own = entries.c
    query = select(*[own.position, own.hash]).where(own.book == book, own.position > after, own.position <= up_to)
    async for records in chunks(tx, query.order_by(own.position)):
        for position, line_hash in records:
            yield position, line_hash


async def signing_keys_of(tx: AsyncConnection, book: str) -> Sequence[KeptKey]:
    """The book's signing keys, the one that signs now last."""
    own = signing_keys.c
    query = select(signing_keys).where(own.book == book).order_by(own.created_at, own.public_key)
    return [
        KeptKey(public_key=row.public_key, created_at=row.created_at, wrapped=row.wrapped_key)
        for row in await tx.execute(query)
    ]


def _checkpoint(row: Row) -> Checkpoint:
    return Checkpoint(**{name: row[name] for name in _FIELDS})


def _kept(row: Row) -> KeptCheckpoint:
    packed: bytes = row["branches"]
    return KeptCheckpoint(
        checkpoint=_checkpoint(row), branches=[packed[at : at + 32] for at in range(0, len(packed), 32)]
    )
