"""Messages as they were told, their deliveries to be, and what is held back for a summary."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.instant import MINUTE, Instant
from app.domain.message import Message
from app.tables import deliveries, messages, summaries

FLOOD_MESSAGES = 50  # of one cause in FLOOD_WINDOW; what comes beyond becomes one summary
FLOOD_WINDOW: Instant = 10 * MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Flood:
    """How much of a cause was told lately: `told` up to FLOOD_MESSAGES, and whether a summary is open already."""

    told: int
    is_held_back: bool


async def insert_messages(tx: AsyncConnection, book: str, written: Sequence[tuple[Message, bytes]]) -> None:
    """Keep messages, each with its sealed body. Requires the book's head to be locked."""
    await tx.execute(insert(messages), [_message_row(book, message, sealed) for message, sealed in written])


async def insert_deliveries(tx: AsyncConnection, book: str, pairs: Sequence[tuple[UUID, Message]]) -> None:
    """Owe each subscription its message, from the message's own instant on."""
    if pairs:
        await tx.execute(insert(deliveries), [_delivery_row(book, *pair) for pair in pairs])


async def flood_of(tx: AsyncConnection, book: str, cause: str, at: Instant) -> Flood:
    """What of the cause was told within FLOOD_WINDOW before `at`, and whether more is held back until a summary is.

    That is so until it is written, whenever that will be: both are done under the head's lock, so none gets in between.
    """
    own = summaries.c
    is_open = select(own.due_at).where(own.book == book, own.cause == cause, own.written_by.is_(None))
    lately = select(messages.c.number).where(
        messages.c.book == book, messages.c.cause == cause, messages.c.created_at > at - FLOOD_WINDOW
    )
    told = len((await tx.execute(lately.limit(FLOOD_MESSAGES))).all())
    return Flood(told=told, is_held_back=(await tx.execute(is_open.limit(1))).first() is not None)


async def insert_summary(tx: AsyncConnection, book: str, first: Message) -> None:
    """From this message on, what its cause has to tell is held back for a while."""
    row = {
        "book": book,
        "cause": first.cause,
        "begun_at": first.created_at,
        "due_at": first.created_at + FLOOD_WINDOW,
        "from_number": first.number,
    }
    await tx.execute(insert(summaries).values(row))


async def lock_summary(tx: AsyncConnection, book: str, cause: str, from_number: int) -> bool:
    """Lock the summary; whether it is still to be written. Requires the book's head to be locked."""
    query = select(summaries.c.book).where(_is_summary(book, cause, from_number), summaries.c.written_by.is_(None))
    return (await tx.execute(query.with_for_update())).first() is not None


async def purge_bodies(tx: AsyncConnection, book: str, before: Instant, *, limit: int) -> list[int]:
    """Forget what messages of before then said; the numbers of those."""
    own = messages.c
    old = select(own.number).where(own.book == book, own.body.is_not(None), own.created_at < before).limit(limit)
    numbers = list((await tx.execute(old.order_by(own.created_at).with_for_update())).scalars())
    await tx.execute(update(messages).where(own.book == book, own.number.in_(numbers)).values(body=None))
    return numbers


async def save_summary(tx: AsyncConnection, book: str, cause: str, from_number: int, *, written_by: int) -> None:
    """The summary was told, by this message."""
    query = update(summaries).where(_is_summary(book, cause, from_number))
    await tx.execute(query.values(written_by=written_by))


def _is_summary(book: str, cause: str, from_number: int) -> ColumnElement[bool]:
    own = summaries.c
    return and_(own.book == book, own.cause == cause, own.from_number == from_number)


def _message_row(book: str, message: Message, sealed: bytes) -> dict[str, Any]:
    row = {name: getattr(message, name) for name in Message.__dataclass_fields__}
    return {**row, "book": book, "types": json.dumps(message.types), "body": sealed}


def _delivery_row(book: str, subscription_id: UUID, message: Message) -> dict[str, Any]:
    return {
        "book": book,
        "subscription_id": subscription_id,
        "number": message.number,
        "account_id": message.account_id,
        "state": "pending",
        "created_at": message.created_at,
        "due_at": message.created_at,
        "attempts": 0,
        "tries": 0,
    }
