"""The book's own messages: about no account."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.domain.entry import Head
from app.domain.instant import Instant, wire_time
from app.domain.message import Message, MessageType
from app.operations.ledger import Ledger


def book_message(
    ledger: Ledger, head: Head, message_type: MessageType, data: Mapping[str, Any], *, now: Instant
) -> Message:
    """The head's next message, caused now."""
    return Message(
        number=head.messages + 1,
        message_id=ledger.new_id(),
        type=message_type,
        types=(message_type,),
        at=now,
        created_at=now,
        account_id=None,
        position=None,
        cause=None,
        segment=None,
        magnitude=0,
        to_standing=None,
        to_depth=None,
        body=book_body(message_type, data, at=now),
    )


def book_body(message_type: MessageType, data: Mapping[str, Any], *, at: Instant) -> bytes:
    """The bytes that are sent."""
    body = {"type": message_type, "types": [message_type], "timestamp": wire_time(at), "data": data}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def wire_id(message_id: UUID) -> str:
    """A message's id as others see it."""
    return f"msg_{message_id.hex}"
