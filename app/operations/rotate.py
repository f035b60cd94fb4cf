"""Give a subscription another secret, beside which the one before may sign for a while."""

from collections.abc import Sequence
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
SIGNING_MAX = 5  # at once: whoever asks again and again is left the newest ones


@uninterrupted
async def rotate(
    ledger: Ledger, book: str, subscription_id: UUID, *, secret: str | None, old_until: Instant | None
) -> str:
    """The new secret, given or made. The one before signs beside it until `old_until`, or no more from now on; those
    that were to end already end as they were to, or now where there is no `old_until`. The same again
    changes nothing, so an answer that was lost costs the receiver nothing.

    Raises UnknownSubscription, or InvalidSubscription for no secret or an instant that is past or too far ahead.
    """
    new = checked_secret(secret) or new_secret(ledger.entropy)
    now = ledger.now()
    if old_until is not None and not now < old_until <= now + OVERLAP_MAX:
        detail = "send an instant that lies ahead, by at most 30 days"
        fault = Fault(pointer="/old_expires_at", code="time_out_of_range", detail=detail)
        raise InvalidSubscription(detail, faults=(fault,))
    async with ledger.database.write(book) as tx:
        await lock_head(tx, book)
        found = await lock_subscription(tx, book, subscription_id)
        if found is None:
            raise UnknownSubscription
        key = await book_key(tx, book, ledger.master_key)
        kept = _kept(address_of(book, key, found).secrets, new, now, old_until)
        sealed = sealed_secrets(ledger, book, key, subscription_id, (Secret(secret=new), *kept))
        await save_subscription(tx, book, replace(found, sealed_secrets=sealed))
    return new


def _kept(secrets: Sequence[Secret], new: str, now: Instant, old_until: Instant | None) -> tuple[Secret, ...]:
    """Which secrets go on signing beside the new one, newest first."""
    if old_until is None:
        return ()
    signing = [each for each in secrets if each.secret != new and (each.until is None or now < each.until)]
    return tuple(replace(each, until=each.until or old_until) for each in signing[: SIGNING_MAX - 1])
