"""Messages: what was told, whether or not anybody subscribes."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query

from app.api.body import StrictRoute
from app.api.cursor import CURSOR_CHARACTERS_MAX, decode_cursor, encode_cursor
from app.api.message_path import MessagePath, message_id_of
from app.api.message_views import MessageBodyOut, MessageOut, message_body_views, message_views
from app.api.openapi import ANSWERS, refusals
from app.api.state import LedgerDep, Reader
from app.api.wire_base import WireOut
from app.api.wire_fields import Identifier, Listed, PageSize
from app.domain.message import MessageType
from app.domain.webhook_errors import UnknownMessage
from app.operations.read_customer import reading
from app.queries.accounts import accounts_by_alias
from app.queries.messages import MessageFilter, listed_messages, message

router = APIRouter(prefix="/v1/messages", route_class=StrictRoute, tags=["webhooks"], responses=ANSWERS)


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
    async with ledger.database.read(key.book) as tx:
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
        listing = await message_views(view, shown)
    more = encode_cursor(view.book_key, listed, [shown[-1].number]) if len(page) > limit else None
    return MessagesOut(messages=listing, next_cursor=more)


@router.get("/{message_id}", responses=refusals(404))
async def get_message(message_id: MessagePath, ledger: LedgerDep, key: Reader) -> MessageBodyOut:
    """One message with its body."""
    async with ledger.database.read(key.book) as tx:
        found = await message(tx, key.book, message_id_of(message_id))
        if found is None:
            raise UnknownMessage
        view = await reading(ledger, tx, key.book)
        (shown,) = await message_body_views(view, [found])
    return shown
