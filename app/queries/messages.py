"""What was told: the book's messages, newest first."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.message import MessageFacts, MessageType
from app.domain.standing import Depth, Standing
from app.rows import Row
from app.tables import messages

_own = messages.c


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMessage(MessageFacts):
    """A message as it is kept; `sealed` is its body, null once it is kept no longer."""

    sealed: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFilter:
    """Which messages: each that is given must hold."""

    account_id: UUID | None = None
    types: tuple[MessageType, ...] = ()
    cause: str | None = None


async def message(tx: AsyncConnection, book: str, message_id: UUID) -> KeptMessage | None:
    """The message with this id, None if there is none."""
    query = select(messages).where(_own.book == book, _own.message_id == message_id)
    row = (await tx.execute(query)).mappings().first()
    return None if row is None else _message(row)


async def listed_messages(
    tx: AsyncConnection, book: str, wanted: MessageFilter, *, before: int | None, limit: int
) -> list[KeptMessage]:
    """A page of messages, newest first; `types`: any of a message's own is one of these."""
    query = select(messages).where(_own.book == book).order_by(_own.number.desc()).limit(limit)
    if wanted.account_id is not None:
        query = query.where(_own.account_id == wanted.account_id)
    if wanted.cause is not None:
        query = query.where(_own.cause == wanted.cause)
    if wanted.types:
        query = query.where(_is_any_of(wanted.types))
    if before is not None:
        query = query.where(_own.number < before)
    return [_message(row) for row in (await tx.execute(query)).mappings()]


async def messages_of(tx: AsyncConnection, book: str, account_id: UUID) -> list[KeptMessage]:
    """All messages about an account, in order."""
    query = select(messages).where(_own.book == book, _own.account_id == account_id).order_by(_own["at"], _own.number)
    return [_message(row) for row in (await tx.execute(query)).mappings()]


async def numbers_of(tx: AsyncConnection, book: str, account_id: UUID, *, after: int, limit: int) -> list[int]:
    """The numbers of the next messages about an account."""
    query = select(_own.number).where(_own.book == book, _own.account_id == account_id, _own.number > after)
    return list((await tx.execute(query.order_by(_own.number).limit(limit))).scalars())


async def messages_between(tx: AsyncConnection, book: str, *, after: int, until: int, limit: int) -> list[KeptMessage]:
    """The first messages numbered (after, until], in the order of their causes."""
    query = select(messages).where(_own.book == book, _own.number > after, _own.number <= until)
    rows = await tx.execute(query.order_by(_own["at"], _own.number).limit(limit))
    return [_message(row) for row in rows.mappings()]


def _is_any_of(types: Collection[MessageType]) -> ColumnElement[bool]:
    return or_(*[_own.types.contains(f'"{each}"', autoescape=True) for each in types])


def _message(row: Row) -> KeptMessage:
    plain = ("number", "message_id", "at", "created_at", "account_id", "position", "cause", "segment", "magnitude")
    return KeptMessage(
        **{name: row[name] for name in plain},
        type=MessageType(row["type"]),
        types=tuple(MessageType(each) for each in json.loads(row["types"])),
        to_standing=None if row["to_standing"] is None else Standing(row["to_standing"]),
        to_depth=None if row["to_depth"] is None else Depth(row["to_depth"]),
        sealed=row["body"],
    )
