"""Disable a subscription, and tell the others."""

from uuid import UUID

from app.database import uninterrupted
from app.domain.instant import wire_time
from app.domain.message import MessageType
from app.domain.subscription import matches
from app.operations.book_message import tell_of_book
from app.operations.ledger import Ledger, announce_messages
from app.queries.subscriptions import subscription
from app.store.books import lock_head, save_head
from app.store.subscriptions import save_disabled


@uninterrupted
async def disable(ledger: Ledger, book: str, subscription_id: UUID, reason: str, *, sealed_url: bytes) -> bool:
    """Send it nothing more until it is resumed; its deliveries are held. Whether it was active or paused before, at
    this URL."""
    async with ledger.database.write(book) as tx:
        head = await lock_head(tx, book)
        now = ledger.now()
        if not await save_disabled(tx, book, subscription_id, reason, now, sealed_url=sealed_url):
            return False
        disabled = await subscription(tx, book, subscription_id)
        assert disabled is not None
        data = {
            "subscription": str(subscription_id),
            "description": disabled.description,
            "reason": reason,
            "failing_since": None if disabled.failing_since is None else wire_time(disabled.failing_since),
        }
        told = await tell_of_book(
            ledger,
            tx,
            head,
            MessageType.SUBSCRIPTION_DISABLED,
            data,
            at=now,
            wanted=lambda each, told: each.subscription_id != subscription_id and matches(each, told),
        )
        await save_head(tx, told)
    announce_messages(ledger, head, told)
    return True
