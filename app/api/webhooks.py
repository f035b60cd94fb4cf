"""Webhooks: subscriptions are made, changed, paused, resumed, given another secret, tried and deleted."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from app.api.body import StrictRoute
from app.api.cursor import CURSOR_CHARACTERS_MAX, decode_cursor, encode_cursor
from app.api.openapi import ANSWERS, BODY_ANSWERS, refusals
from app.api.state import LedgerDep, WebhookManager
from app.api.wire_fields import PageSize, instant_or_none
from app.api.wire_webhook import (
    AttemptOut,
    SecretOut,
    SubscribedOut,
    SubscriptionOut,
    SubscriptionsOut,
    TestedOut,
)
from app.api.wire_webhook_in import SecretIn, SubscriptionChangeIn, SubscriptionIn
from app.domain.delivery import Queue
from app.domain.subscription import Subscription, SubscriptionState
from app.domain.webhook_errors import UnknownSubscription
from app.operations.address import address_of
from app.operations.book_message import wire_id
from app.operations.hold import pause, resume
from app.operations.ledger import Ledger
from app.operations.rotate import rotate
from app.operations.send_test import send_test
from app.operations.subscribe import change, subscribe, unsubscribe
from app.queries.books import book_key
from app.queries.subscriptions import listed_subscriptions, subscription

router = APIRouter(prefix="/v1/webhooks", route_class=StrictRoute, tags=["webhooks"], responses=ANSWERS)

_LISTED = ("webhooks",)


@router.post("", status_code=201, responses={**BODY_ANSWERS, **refusals(409)})
async def post_webhook(body: SubscriptionIn, ledger: LedgerDep, key: WebhookManager) -> SubscribedOut:
    """Subscribe: what is told from now on is sent there, signed with the secret that only this answer shows."""
    made, secret = await subscribe(ledger, key.book, body.to_domain())
    return SubscribedOut(**(await _shown(ledger, key.book, made)).model_dump(), secret=secret)


@router.get("")
async def get_webhooks(
    ledger: LedgerDep,
    key: WebhookManager,
    limit: Annotated[PageSize, Query()] = 50,
    cursor: Annotated[str | None, Query(max_length=CURSOR_CHARACTERS_MAX)] = None,
) -> SubscriptionsOut:
    """The subscriptions, in the order in which they were made."""
    async with ledger.database.read(key.book) as tx:
        own = await book_key(tx, key.book, ledger.master_key)
        after = None
        if cursor is not None:
            created_at, subscription_id = decode_cursor(own, _LISTED, cursor)
            after = (created_at, UUID(subscription_id))
        page = await listed_subscriptions(tx, key.book, after=after, limit=limit + 1)
    shown, now = page[:limit], ledger.now()
    last = [shown[-1].created_at, str(shown[-1].subscription_id)] if len(page) > limit else None
    return SubscriptionsOut(
        webhooks=[SubscriptionOut.of(each, address_of(key.book, own, each), now) for each in shown],
        next_cursor=None if last is None else encode_cursor(own, _LISTED, last),
    )


@router.get("/{id}", responses=refusals(404))
async def get_webhook(id: UUID, ledger: LedgerDep, key: WebhookManager) -> SubscriptionOut:  # noqa: A002 - the path says {id}
    """One subscription."""
    async with ledger.database.read(key.book) as tx:
        found = await subscription(tx, key.book, id)
    if found is None or found.state is SubscriptionState.DELETED:
        raise UnknownSubscription
    return await _shown(ledger, key.book, found)


@router.patch("/{id}", responses={**BODY_ANSWERS, **refusals(404)})
async def patch_webhook(
    id: UUID,  # noqa: A002 - the path says {id}
    body: SubscriptionChangeIn,
    ledger: LedgerDep,
    key: WebhookManager,
) -> SubscriptionOut:
    """Change it. What is owed already is sent too, as it is from now on."""
    return await _shown(ledger, key.book, await change(ledger, key.book, id, body.to_domain()))


@router.delete("/{id}", status_code=204, responses=refusals(404))
async def delete_webhook(id: UUID, ledger: LedgerDep, key: WebhookManager) -> None:  # noqa: A002 - the path says {id}
    """Delete it: URL and secrets are forgotten, what is pending is given up; its deliveries can still be read."""
    await unsubscribe(ledger, key.book, id)


@router.post("/{id}/pause", responses=refusals(404))
async def pause_webhook(id: UUID, ledger: LedgerDep, key: WebhookManager) -> SubscriptionOut:  # noqa: A002 - as above
    """Send nothing more: deliveries are held until it is resumed."""
    return await _shown(ledger, key.book, await pause(ledger, key.book, id))


@router.post("/{id}/resume", responses=refusals(404))
async def resume_webhook(id: UUID, ledger: LedgerDep, key: WebhookManager) -> SubscriptionOut:  # noqa: A002 - as above
    """Send again, whether it was paused or disabled: what was held is offered at once, in order."""
    return await _shown(ledger, key.book, await resume(ledger, key.book, id))


@router.post("/{id}/secret", responses={**BODY_ANSWERS, **refusals(404)})
async def rotate_secret(
    id: UUID,  # noqa: A002 - the path says {id}
    body: SecretIn,
    ledger: LedgerDep,
    key: WebhookManager,
) -> SecretOut:
    """Give it another secret. Until `old_expires_at` the one before signs too; the same again changes nothing."""
    old_until = instant_or_none(body.old_expires_at)
    secret = await rotate(ledger, key.book, id, secret=body.secret, old_until=old_until)
    return SecretOut(secret=secret, old_expires_at=body.old_expires_at)


@router.post("/{id}/test", responses=refusals(404))
async def test_webhook(id: UUID, ledger: LedgerDep, key: WebhookManager) -> TestedOut:  # noqa: A002 - as above
    """Send a signed message of the type `test` now, and say what became of it. The answer is 200 whatever that was."""
    tried = await send_test(ledger, Queue(key.book, id))
    return TestedOut(message_id=wire_id(tried.parcel.message_id), attempt=AttemptOut.just_made(tried))


async def _shown(ledger: Ledger, book: str, found: Subscription) -> SubscriptionOut:
    async with ledger.database.read(book) as tx:
        own = await book_key(tx, book, ledger.master_key)
    return SubscriptionOut.of(found, address_of(book, own, found), ledger.now())
