"""What became of a subscription's deliveries; and how to have them sent again."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from app.api.body import StrictRoute
from app.api.cursor import CURSOR_CHARACTERS_MAX, decode_cursor, encode_cursor
from app.api.message_path import MessagePath, message_id_of
from app.api.openapi import ANSWERS, BODY_ANSWERS, refusals
from app.api.state import LedgerDep, WebhookManager
from app.api.wire_fields import Listed, PageSize
from app.api.wire_webhook import DeliveriesOut, DeliveryOut, DeliveryTriesOut, RecoveredOut
from app.api.wire_webhook_in import RecoverIn
from app.domain.delivery import DeliveryState, stored_states
from app.domain.instant import instant_of
from app.domain.webhook_errors import UnknownDelivery, UnknownSubscription
from app.operations.ledger import Ledger
from app.operations.redeliver import recover, redeliver
from app.queries.books import book_key
from app.queries.deliveries import attempts_of, delivery, listed_deliveries
from app.queries.subscriptions import subscription

router = APIRouter(prefix="/v1/webhooks/{id}", route_class=StrictRoute, tags=["webhooks"], responses=ANSWERS)


@router.get("/deliveries", responses=refusals(404))
async def get_deliveries(
    id: UUID,  # noqa: A002 - the path says {id}
    ledger: LedgerDep,
    key: WebhookManager,
    state: Annotated[
        Listed[DeliveryState] | None, Query(description="one value, several times, or a comma-separated list")
    ] = None,
    limit: Annotated[PageSize, Query()] = 50,
    cursor: Annotated[str | None, Query(max_length=CURSOR_CHARACTERS_MAX)] = None,
) -> DeliveriesOut:
    """What a subscription is or was owed, newest first; also of one that is deleted."""
    listed = ("deliveries", id, tuple(state or ()))
    async with ledger.database.read(key.book) as tx:
        found = await subscription(tx, key.book, id)
        if found is None:
            raise UnknownSubscription
        own = await book_key(tx, key.book, ledger.master_key)
        before = None if cursor is None else int(decode_cursor(own, listed, cursor)[0])
        states = stored_states(state or tuple(DeliveryState), found.state)
        page = await listed_deliveries(tx, key.book, id, states, before=before, limit=limit + 1)
    shown = page[:limit]
    return DeliveriesOut(
        deliveries=[DeliveryOut.of(each, found) for each in shown],
        next_cursor=encode_cursor(own, listed, [shown[-1].number]) if len(page) > limit else None,
    )


@router.get("/deliveries/{message_id}", responses=refusals(404))
async def get_delivery(
    id: UUID,  # noqa: A002 - the path says {id}
    message_id: MessagePath,
    ledger: LedgerDep,
    key: WebhookManager,
) -> DeliveryTriesOut:
    """One delivery with its tries: when, how long, what was answered, and in words why it failed."""
    return await _shown(ledger, key.book, id, message_id)


@router.post("/deliveries/{message_id}/redeliver", responses=refusals(404, 409))
async def redeliver_message(
    id: UUID,  # noqa: A002 - the path says {id}
    message_id: MessagePath,
    ledger: LedgerDep,
    key: WebhookManager,
) -> DeliveryTriesOut:
    """Send it again, whatever became of it, with all its tries before it: now, or once the subscription is resumed."""
    await redeliver(ledger, key.book, id, message_id_of(message_id))
    return await _shown(ledger, key.book, id, message_id)


@router.post("/recover", responses={**BODY_ANSWERS, **refusals(404)})
async def recover_deliveries(
    id: UUID,  # noqa: A002 - the path says {id}
    body: RecoverIn,
    ledger: LedgerDep,
    key: WebhookManager,
) -> RecoveredOut:
    """Send again all that was given up since an instant: up to 10,000 in a call; with `next_cursor` there are more.

    A call that is lost has done what it did: the same call again goes on.
    """
    since = instant_of(body.since)
    listed = ("recover", id, since)
    async with ledger.database.read(key.book) as tx:
        own = await book_key(tx, key.book, ledger.master_key)
    until, after = (ledger.now(), 0) if body.cursor is None else decode_cursor(own, listed, body.cursor)
    done = await recover(ledger, key.book, id, since=since, until=until, after=after)
    more = None if done.after is None else encode_cursor(own, listed, [until, done.after])
    return RecoveredOut(recovered=done.recovered, next_cursor=more)


async def _shown(ledger: Ledger, book: str, subscription_id: UUID, message_id: str) -> DeliveryTriesOut:
    async with ledger.database.read(book) as tx:
        found = await subscription(tx, book, subscription_id)
        if found is None:
            raise UnknownSubscription
        owed = await delivery(tx, book, subscription_id, message_id_of(message_id))
        if owed is None:
            raise UnknownDelivery
        keys = ledger.master_key, await book_key(tx, book, ledger.master_key)
        tries = await attempts_of(tx, book, subscription_id, owed.number, keys)
    return DeliveryTriesOut.with_tries(owed, found, tries)
