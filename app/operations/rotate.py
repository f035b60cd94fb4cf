"""Give a subscription another secret, beside which the one before may sign for a while."""

from dataclasses import replace
from uuid import UUID

from app.database import uninterrupted
from app.domain.instant import DAY, Instant
from app.domain.refusal import Fault
from app.domain.webhook_errors import InvalidSubscription, UnknownSubscription
from app.operations.address import Secret, address_of, sealed_secrets
from app.operations.ledger import Ledger
from app.operations.subscribe import checked_secret
from app.queries.books import book_key
from app.store.books import lock_head
from app.store.subscriptions import lock_subscription, save_subscription
from app.webhooks.sign import new_secret

OVERLAP_MAX: Instant = 30 * DAY


@uninterrupted
async def rotate(
    ledger: Ledger, book: str, subscription_id: UUID, *, secret: str | None, old_until: Instant | None
) -> str:
    """The new secret, given or made. The one before signs beside it until `old_until`, or no more from now on; one
    before that, not any more: at most two sign.

    Raises UnknownSubscription, or InvalidSubscription for no secret or an instant that is past or too far ahead.
    """
    new = checked_secret(secret) or new_secret(ledger.entropy)
    now = ledger.now()
    if old_until is not None and not now < old_until <= now + OVERLAP_MAX:
        detail = "send an instant that lies ahead, by at most 30 days"
        fault = Fault(pointer="/old_expires_at", code="time_out_of_range", detail=detail)
        raise InvalidSubscription(detail, faults=(fault,))
    async with ledger.database.write() as tx:
        await lock_head(tx, book)
        found = await lock_subscription(tx, book, subscription_id)
        if found is None:
            raise UnknownSubscription
        key = await book_key(tx, book, ledger.master_key)
        old = address_of(book, key, found).secrets[0]
        kept = () if old_until is None or old.secret == new else (Secret(secret=old.secret, until=old_until),)
        sealed = sealed_secrets(ledger, book, key, subscription_id, (Secret(secret=new), *kept))
        await save_subscription(tx, book, replace(found, sealed_secrets=sealed))
    return new
