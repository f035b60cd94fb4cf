"""Send a signed message of the type `test` at once: to see whether a receiver is there, and verifies."""

from app.domain.delivery import Queue
from app.domain.message import MessageType
from app.domain.message_body import message_bytes
from app.domain.subscription import SubscriptionState
from app.domain.webhook_errors import UnknownSubscription
from app.operations.address import address_of
from app.operations.deliver import Tried, try_once
from app.operations.ledger import Ledger
from app.queries.books import book_key
from app.queries.deliveries import Parcel
from app.queries.subscriptions import subscription
from app.webhooks.send import Sender


async def send_test(ledger: Ledger, queue: Queue) -> Tried:
    """Send it, whatever the subscription's state; nothing of it is kept. Of many at once some wait for others.

    Raises UnknownSubscription.
    """
    async with ledger.testing:
        return await _send_test(ledger, queue)


async def _send_test(ledger: Ledger, queue: Queue) -> Tried:
    async with ledger.database.read(queue.book) as tx:
        found = await subscription(tx, queue.book, queue.subscription_id)
        if found is None or found.state is SubscriptionState.DELETED:
            raise UnknownSubscription
        own = await book_key(tx, queue.book, ledger.master_key)
        address = address_of(queue.book, own, found)
    now = ledger.now()
    parcel = Parcel(
        number=0,
        lease=ledger.new_id(),
        account_id=None,
        message_id=ledger.new_id(),
        type=MessageType.TEST,
        body=message_bytes([MessageType.TEST], now, {"subscription": str(queue.subscription_id)}),
        attempts=0,
        tries=0,
        is_erased=False,
        key=own,
    )
    async with Sender(resolve=ledger.resolve, allow_loopback=ledger.allow_loopback) as sender:
        return await try_once(sender, address, found.body, parcel, now=now)
