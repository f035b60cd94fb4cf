"""Messages: what was told, whether or not anybody subscribes."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from app.api.body import StrictRoute
from app.api.cursor import CURSOR_CHARACTERS_MAX, decode_cursor, encode_cursor
from app.api.message_path import MessagePath, message_id_of
from app.api.openapi import ANSWERS, refusals
from app.api.state import LedgerDep, Reader
from app.api.wire_base import WireOut
from app.api.wire_fields import Identifier, Listed, PageSize
from app.domain.instant import moment_of
from app.domain.message import MessageType
from app.domain.standing import Depth, Standing
from app.domain.webhook_errors import UnknownMessage
from app.operations.book_message import wire_id
from app.operations.read_customer import Reading, reading
from app.queries.accounts import accounts_by_alias, keys_of, names_of
from app.queries.messages import KeptMessage, MessageFilter, listed_messages, message
from app.sealing.keys import message_place

router = APIRouter(prefix="/v1/messages", route_class=StrictRoute, tags=["webhooks"], responses=ANSWERS)


class MessageOut(WireOut):
    """A message without its body."""

    id: str
    number: int = Field(description="gapless from 1 in the book")
    type: MessageType = Field(description="the gravest of `types`")
    types: list[MessageType]
    at: datetime = Field(description="when its cause was booked, or when time changed the standing")
    customer: str | None = Field(description="null for the book's own")
    position: int | None
    cause: str | None
    segment: str | None
    magnitude: int
    standing: Standing | None
    depth: Depth | None


class MessageBodyOut(MessageOut):
    """A message with its body."""

    body: dict[str, Any] | None = Field(description="as it is sent; null once it is kept no longer, after 90 days")


class MessagesOut(WireOut):
    """A page of messages, newest first."""

    messages: list[MessageOut]
    next_cursor: str | None


@router.get("")
async def get_messages(
    ledger: LedgerDep,
    key: Reader,
    customer: Annotated[Identifier | None, Query(description="of whom")] = None,
    type: Annotated[  # noqa: A002 - the parameter's name
        Listed[MessageType] | None, Query(description="one value, several times, or a comma-separated list")
    ] = None,
    cause: Annotated[Identifier | None, Query(description="the context's cause")] = None,
    limit: Annotated[PageSize, Query()] = 50,
    cursor: Annotated[str | None, Query(max_length=CURSOR_CHARACTERS_MAX)] = None,
) -> MessagesOut:
    """What was told, newest first; also what was held back for a summary."""
    async with ledger.database.read() as tx:
        view = await reading(ledger, tx, key.book)
        wanted = MessageFilter(types=tuple(type or ()), cause=cause)
        if customer is not None:
            hashed = view.book_key.digest(customer.encode())
            account_id = (await accounts_by_alias(tx, key.book, [hashed])).get(hashed)
            if account_id is None:
                return MessagesOut(messages=[], next_cursor=None)
            wanted = replace(wanted, account_id=account_id)
        listed = ("messages", wanted)
        before = None if cursor is None else int(decode_cursor(view.book_key, listed, cursor)[0])
        page = await listed_messages(tx, key.book, wanted, before=before, limit=limit + 1)
        shown = page[:limit]
        fields = await _fields(view, shown)
    more = encode_cursor(view.book_key, listed, [shown[-1].number]) if len(page) > limit else None
    return MessagesOut(messages=[MessageOut(**each) for each in fields], next_cursor=more)


@router.get("/{message_id}", responses=refusals(404))
async def get_message(message_id: MessagePath, ledger: LedgerDep, key: Reader) -> MessageBodyOut:
    """One message with its body."""
    async with ledger.database.read() as tx:
        found = await message(tx, key.book, message_id_of(message_id))
        if found is None:
            raise UnknownMessage
        view = await reading(ledger, tx, key.book)
        (fields,) = await _fields(view, [found])
        return MessageBodyOut(**fields, body=await _body(view, found))


async def _fields(view: Reading, found: Sequence[KeptMessage]) -> list[dict[str, Any]]:
    account_ids = {each.account_id for each in found if each.account_id is not None}
    keys = await keys_of(view.tx, view.book, account_ids, view.ledger.master_key)
    names = await names_of(view.tx, view.book, keys)
    return [
        {
            "id": wire_id(each.message_id),
            "number": each.number,
            "type": each.type,
            "types": list(each.types),
            "at": moment_of(each.at),
            "customer": None if each.account_id is None else names.get(each.account_id),
            "position": each.position,
            "cause": each.cause,
            "segment": each.segment,
            "magnitude": each.magnitude,
            "standing": each.to_standing,
            "depth": each.to_depth,
        }
        for each in found
    ]


async def _body(view: Reading, found: KeptMessage) -> dict[str, Any] | None:
    key = view.book_key
    if found.account_id is not None:
        keys = await keys_of(view.tx, view.book, [found.account_id], view.ledger.master_key)
        key = keys[found.account_id]
    if found.sealed is None:
        return None
    body: dict[str, Any] = json.loads(key.open(found.sealed, message_place(view.book, found.message_id)))
    return body
