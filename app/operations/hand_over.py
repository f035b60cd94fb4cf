"""Hand messages over, within the append that has cause to write them: kept, and owed to whoever asked."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import cast
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.message import Message
from app.domain.subscription import Subscription, matches
from app.operations.ledger import Ledger
from app.queries.accounts import keys_of
from app.queries.books import book_key
from app.queries.subscriptions import live_subscriptions
from app.sealing.keys import Key, message_place
from app.sql import Step, run
from app.store.outbox import CALM, FLOOD_MESSAGES, Flood, finding_floods, floods_of, writing_messages

NO_KEYS: Mapping[UUID, Key] = {}

Wanted = Callable[[Subscription, Message], bool]
"""Whether a message is owed to a subscription."""


async def hand_over(
    ledger: Ledger,
    tx: AsyncConnection,
    book: str,
    messages: Sequence[Message],
    *,
    keys: Mapping[UUID, Key] = NO_KEYS,
    wanted: Wanted = matches,
) -> None:
    """Keep the messages, their bodies sealed here, and a delivery for each subscription that wants them.

    Requires the book's head to be locked, and numbers that go on from the head's `messages`, which the caller raises
    and saves; `keys` are the accounts' as far as they are known. Once that is committed, `announce_messages` is due.
    """
    if messages:
        live = await live_subscriptions(tx, book)
        await run(tx, *await handing_over(ledger, tx, book, messages, keys=keys, live=live, wanted=wanted))


async def handing_over(
    ledger: Ledger,
    tx: AsyncConnection,
    book: str,
    messages: Sequence[Message],
    *,
    keys: Mapping[UUID, Key],
    live: Sequence[Subscription],
    wanted: Wanted = matches,
) -> list[Step]:
    """The steps of the same, for one message at least; `live` are the book's subscriptions."""
    causes = {each.cause for each in messages if each.cause is not None and each.account_id is not None}
    floods, lately = await run(tx, *finding_floods(book, causes, messages[0].created_at)) if causes else ((), ())
    strangers = {each.account_id for each in messages if each.account_id} - keys.keys()
    keys = {**keys, **await keys_of(tx, book, strangers, ledger.master_key)}
    told, flooding = _told(messages, floods_of(floods, lately))
    own = await book_key(tx, book, ledger.master_key) if any(each.account_id is None for each in messages) else None
    sealed = [
        (keys[each.account_id] if each.account_id else cast("Key", own)).seal(
            each.body, message_place(book, each.message_id), entropy=ledger.entropy
        )
        for each in messages
    ]
    owed = [(each.subscription_id, message) for message in told for each in live if wanted(each, message)]
    if owed:
        ledger.owed[book] = owed[-1][1].number
    return writing_messages(book, zip(messages, sealed, strict=True), owed, flooding)


def _told(messages: Sequence[Message], floods: Mapping[str, Flood]) -> tuple[list[Message], list[Message]]:
    """Those that are told one by one, of one cause at most FLOOD_MESSAGES in a while; and where a flood begins."""
    by_cause: dict[str, list[Message]] = defaultdict(list)
    for message in messages:
        if message.cause is not None and message.account_id is not None:
            by_cause[message.cause].append(message)

    held_back: set[int] = set()
    flooding: list[Message] = []
    for cause, caused in by_cause.items():
        flood = floods.get(cause, CALM)
        beyond = caused if flood.is_held_back else caused[max(0, FLOOD_MESSAGES - flood.told) :]
        held_back.update(each.number for each in beyond)
        if beyond and not flood.is_held_back:
            flooding.append(beyond[0])
    return [message for message in messages if message.number not in held_back], flooding
