"""Hand messages over, within the append that has cause to write them: kept, and owed to whoever asked."""

from collections import defaultdict
from collections.abc import Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.message import Message
from app.domain.subscription import Subscription, matches
from app.operations.ledger import Ledger
from app.queries.accounts import keys_of
from app.queries.books import book_key
from app.queries.subscriptions import live_subscriptions
from app.sealing.keys import message_place
from app.store.outbox import (
    FLOOD_MESSAGES,
    flood_of,
    insert_deliveries,
    insert_messages,
    insert_summary,
)

Wanted = Callable[[Subscription, Message], bool]
"""Whether a message is owed to a subscription."""


async def hand_over(
    ledger: Ledger,
    tx: AsyncConnection,
    book: str,
    messages: Sequence[Message],
    *,
    wanted: Wanted = matches,
) -> None:
    """Keep the messages, their bodies sealed here, and a delivery for each subscription that wants them.

    Requires the book's head to be locked, the accounts' keys to be stored, and numbers that go on from the head's
    `messages`, which the caller raises and saves. Once that is committed, the caller sets `ledger.soon_deliver`.
    """
    if not messages:
        return
    keys = await keys_of(tx, book, {each.account_id for each in messages if each.account_id}, ledger.master_key)
    own = await book_key(tx, book, ledger.master_key)
    told = await _not_held_back(tx, book, messages)

    await insert_messages(
        tx,
        book,
        [
            (
                each,
                (keys[each.account_id] if each.account_id else own).seal(
                    each.body, message_place(book, each.message_id), entropy=ledger.entropy
                ),
            )
            for each in messages
        ],
    )
    subscriptions = await live_subscriptions(tx, book)
    owed = [(each.subscription_id, message) for message in told for each in subscriptions if wanted(each, message)]
    await insert_deliveries(tx, book, owed)


async def _not_held_back(tx: AsyncConnection, book: str, messages: Sequence[Message]) -> list[Message]:
    """Those that are told one by one: of one cause at most FLOOD_MESSAGES in a while."""
    by_cause: dict[str, list[Message]] = defaultdict(list)
    for message in messages:
        if message.cause is not None and message.account_id is not None:
            by_cause[message.cause].append(message)

    held_back: set[int] = set()
    for cause, caused in by_cause.items():
        flood = await flood_of(tx, book, cause, caused[0].created_at)
        beyond = caused if flood.is_held_back else caused[max(0, FLOOD_MESSAGES - flood.told) :]
        held_back.update(each.number for each in beyond)
        if beyond and not flood.is_held_back:
            await insert_summary(tx, book, beyond[0])
    return [message for message in messages if message.number not in held_back]
