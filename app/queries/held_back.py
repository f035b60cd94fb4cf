"""What is held back while one cause floods: of which kinds it is, and what is worst of it."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.instant import Instant
from app.domain.message import GRAVITY, MessageType
from app.queries.accounts import keys_of
from app.sealing.keys import Key, MasterKey, message_place
from app.tables import messages, summaries

_own = messages.c


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """What of one cause is held back for a summary: from this message on, until it is written, at `due_at` or later."""

    book: str
    cause: str
    begun_at: Instant
    due_at: Instant
    from_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBackKind:
    """How many messages of the same types and segment; `magnitude` is that of the largest, `by_time` of no entry."""

    types: tuple[MessageType, ...]
    segment: str | None
    by_time: bool
    magnitude: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBackMessage:
    """One of them, its body opened."""

    message_id: UUID
    body: bytes


async def summaries_due(tx: AsyncConnection, now: Instant) -> list[HeldBack]:
    """The summaries that are to be written, those that wait longest first."""
    own = summaries.c
    query = select(summaries).where(own.written_by.is_(None), own.due_at <= now).order_by(own.due_at)
    rows = (await tx.execute(query)).mappings()
    return [HeldBack(**{name: row[name] for name in HeldBack.__dataclass_fields__}) for row in rows]


async def held_back_kinds(tx: AsyncConnection, flood: HeldBack) -> list[HeldBackKind]:
    """Of which kinds the messages are: few, however many messages there are."""
    by_time = _own.position.is_(None)
    kind = (_own.types, _own.segment, by_time)
    query = select(
        _own.types,
        _own.segment,
        by_time.label("by_time"),
        func.max(_own.magnitude).label("magnitude"),
        func.count().label("told"),
    )
    rows = await tx.execute(query.where(_is_of(flood)).group_by(*kind))
    return [
        HeldBackKind(
            types=tuple(MessageType(each) for each in json.loads(row.types)),
            segment=row.segment,
            by_time=bool(row.by_time),
            magnitude=row.magnitude,
            count=row.told,
        )
        for row in rows
    ]


async def worst_held_back(
    tx: AsyncConnection, master_key: MasterKey, flood: HeldBack, *, limit: int
) -> list[HeldBackMessage]:
    """The gravest messages, of each type the largest first."""
    gravity = case({each.value: place for place, each in enumerate(GRAVITY)}, value=_own.type)
    query = select(messages).where(_is_of(flood), _own.body.is_not(None))
    rows = (await tx.execute(query.order_by(gravity, _own.magnitude.desc(), _own.number).limit(limit))).all()
    keys = await keys_of(tx, flood.book, {row.account_id for row in rows}, master_key)
    return [
        HeldBackMessage(
            message_id=row.message_id,
            body=keys[row.account_id].open(row.body, message_place(flood.book, row.message_id)),
        )
        for row in rows
        if row.account_id in keys
    ]


async def summaries_about(tx: AsyncConnection, book: str, own_key: Key, account_id: UUID) -> list[int]:
    """The numbers of the summaries, sealed with the book's key, whose bodies name one of an account's messages."""
    summary = messages.alias("summary")
    its = (
        select(summary.c.number, summary.c.message_id, summary.c.body, _own.message_id.label("named"))
        .join(summaries, and_(summaries.c.book == _own.book, summaries.c.cause == _own.cause))
        .join(summary, and_(summary.c.book == summaries.c.book, summary.c.number == summaries.c.written_by))
        .where(_own.book == book, _own.account_id == account_id, summary.c.body.is_not(None))
        .where(_own.number >= summaries.c.from_number, _own.number < summaries.c.written_by)
    )
    found: set[int] = set()
    for row in await tx.execute(its):
        body = own_key.open(row.body, message_place(book, row.message_id))
        if f'"msg_{row.named.hex}"'.encode() in body:
            found.add(row.number)
    return sorted(found)


def _is_of(flood: HeldBack) -> ColumnElement[Any]:
    return and_(
        _own.book == flood.book,
        _own.cause == flood.cause,
        _own.number >= flood.from_number,
        _own.account_id.is_not(None),
    )
