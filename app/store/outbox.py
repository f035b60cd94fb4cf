"""Messages as they were told, their deliveries to be, and what is held back for a summary."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.instant import MINUTE, Instant
from app.domain.message import Message
from app.sql import Insert, Record, Sql, Step
from app.tables import deliveries, messages, summaries

FLOOD_MESSAGES = 50  # of one cause in FLOOD_WINDOW; what comes beyond becomes one summary
FLOOD_WINDOW: Instant = 10 * MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Flood:
    """How much of a cause was told lately: `told` up to FLOOD_MESSAGES, and whether a summary is open already."""

    told: int
    is_held_back: bool


CALM = Flood(told=0, is_held_back=False)

_MESSAGES, _DELIVERIES, _SUMMARIES = Insert(messages), Insert(deliveries), Insert(summaries)
_HELD_BACK = Sql("SELECT cause FROM summaries WHERE book = :book AND cause IN :causes AND written_by IS NULL")
_LATELY = Sql(
    "SELECT cause, count(*) FROM messages"
    " WHERE book = :book AND cause IN :causes AND created_at > :after GROUP BY cause"
)


def finding_floods(book: str, causes: Collection[str], at: Instant) -> list[Step]:
    """The steps that read what of these causes was told within FLOOD_WINDOW before `at`, and what is held back.

    That is so until the summary is written, whenever that will be: both are done under the head's lock, so none gets in
    between.
    """
    given = {"book": book, "causes": list(causes)}
    return [(_HELD_BACK, given), (_LATELY, {**given, "after": at - FLOOD_WINDOW})]


def floods_of(held_back: Iterable[Record], lately: Iterable[Record]) -> dict[str, Flood]:
    """The floods by their causes; others are calm."""
    told = {cause: int(count) for cause, count in lately}
    dammed = {cause for (cause,) in held_back}
    return {cause: Flood(told=told.get(cause, 0), is_held_back=cause in dammed) for cause in told.keys() | dammed}


def writing_messages(
    book: str,
    written: Iterable[tuple[Message, bytes]],
    owed: Sequence[tuple[UUID, Message]],
    flooding: Sequence[Message],
) -> list[Step]:
    """The steps that keep messages, each with its sealed body, and owe each subscription its own from now on.

    From each that begins a flood on, what its cause has to tell is held back for a while. Requires the locked head.
    """
    return [
        (_MESSAGES, [_message_row(book, message, sealed) for message, sealed in written]),
        *([(_DELIVERIES, [_delivery_row(book, *pair) for pair in owed])] if owed else []),
        *([(_SUMMARIES, [_summary_row(book, first) for first in flooding])] if flooding else []),
    ]


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


def _message_row(book: str, message: Message, sealed: bytes) -> Record:
    return (
        book,
        message.number,
        message.message_id,
        message.type.value,
        json.dumps(message.types),
        message.at,
        message.created_at,
        message.account_id,
        message.position,
        message.cause,
        message.segment,
        message.magnitude,
        message.to_standing.value if message.to_standing else None,
        message.to_depth.value if message.to_depth else None,
        sealed,
    )


def _delivery_row(book: str, subscription_id: UUID, message: Message) -> Record:
    own = (book, subscription_id, message.number, message.account_id)
    return *own, "pending", message.created_at, message.created_at, None, 0, 0, None, None


def _summary_row(book: str, first: Message) -> Record:
    return book, first.cause, first.number, first.created_at, first.created_at + FLOOD_WINDOW, None
