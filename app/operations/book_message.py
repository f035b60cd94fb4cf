"""The book's own messages: about no account."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.entry import Head
from app.domain.instant import Instant
from app.domain.message import Message, MessageType
from app.domain.message_body import message_bytes
from app.domain.subscription import matches
from app.operations.hand_over import Wanted, hand_over
from app.operations.ledger import Ledger


async def tell_of_book(
    ledger: Ledger,
    tx: AsyncConnection,
    head: Head,
    message_type: MessageType,
    data: Mapping[str, Any],
    *,
    at: Instant,
    wanted: Wanted = matches,
) -> Head:
    """Write the book's next message, of what befell it at `at`; the head after, to be saved.

    Requires the locked head. Once that is committed, `announce_messages` is due.
    """
    message = Message(
        number=head.messages + 1,
        message_id=ledger.new_line_id(),
        type=message_type,
        types=(message_type,),
        at=at,
        created_at=ledger.now(),
        account_id=None,
        position=None,
        cause=None,
        segment=None,
        magnitude=0,
        to_standing=None,
        to_depth=None,
        body=message_bytes([message_type], at, data),
    )
    await hand_over(ledger, tx, head.book, [message], wanted=wanted)
    return replace(head, messages=message.number)


def wire_id(message_id: UUID) -> str:
    """A message's id as others see it."""
    return f"msg_{message_id.hex}"
