"""Messages as they are shown: with or without their bodies."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from app.api.wire_base import WireOut
from app.domain.instant import moment_of
from app.domain.message import MessageType
from app.domain.standing import Depth, Standing
from app.operations.book_message import wire_id
from app.operations.read_customer import Reading
from app.queries.accounts import keys_of, names_of
from app.queries.messages import KeptMessage
from app.sealing.keys import Key, message_place


class MessageOut(WireOut):
    """A message without its body."""

    id: str
    number: int = Field(description="gapless from 1 in the book")
    type: MessageType = Field(description="the gravest of `types`")
    types: list[MessageType]
    at: datetime = Field(description="when its cause was booked, or when time changed the standing")
    customer: str | None = Field(description="null for the book's own, and where the customer was forgotten")
    position: int | None
    cause: str | None
    segment: str | None
    magnitude: int
    standing: Standing | None
    depth: Depth | None


class MessageBodyOut(MessageOut):
    """A message with its body."""

    body: dict[str, Any] | None = Field(
        description="as it is sent; null once it is kept no longer, after 90 days or with its customer"
    )


async def message_views(view: Reading, found: Sequence[KeptMessage]) -> list[MessageOut]:
    """These messages, without their bodies."""
    keys = await _keys(view, found)
    names = await names_of(view.tx, view.book, keys)
    return [MessageOut(**_fields(each, names)) for each in found]


async def message_body_views(view: Reading, found: Sequence[KeptMessage]) -> list[MessageBodyOut]:
    """These messages, with their bodies."""
    keys = await _keys(view, found)
    names = await names_of(view.tx, view.book, keys)
    return [
        MessageBodyOut(
            **_fields(each, names),
            body=_body(view.book, each, keys.get(each.account_id) if each.account_id else view.book_key),
        )
        for each in found
    ]


async def _keys(view: Reading, found: Sequence[KeptMessage]) -> dict[UUID, Key]:
    account_ids = {each.account_id for each in found if each.account_id is not None}
    return await keys_of(view.tx, view.book, account_ids, view.ledger.master_key)


def _fields(message: KeptMessage, names: Mapping[UUID, str]) -> dict[str, Any]:
    return {
        "id": wire_id(message.message_id),
        "number": message.number,
        "type": message.type,
        "types": list(message.types),
        "at": moment_of(message.at),
        "customer": None if message.account_id is None else names.get(message.account_id),
        "position": message.position,
        "cause": message.cause,
        "segment": message.segment,
        "magnitude": message.magnitude,
        "standing": message.to_standing,
        "depth": message.to_depth,
    }


def _body(book: str, message: KeptMessage, key: Key | None) -> dict[str, Any] | None:
    if message.sealed is None or key is None:
        return None
    body: dict[str, Any] = json.loads(key.open(message.sealed, message_place(book, message.message_id)))
    return body
