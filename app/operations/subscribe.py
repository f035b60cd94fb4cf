"""Subscribe: make a subscription, change it, end it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from app.database import uninterrupted
from app.domain.delivery import Queue
from app.domain.message import MessageType
from app.domain.refusal import Fault
from app.domain.subscription import WILDCARDS, BodyForm, Subscription, SubscriptionState, is_known_pattern
from app.domain.webhook_errors import InvalidSubscription, TooManySubscriptions, UnknownSubscription
from app.operations.address import Secret, sealed_secrets, sealed_url, url_of
from app.operations.give_up_deleted import give_up_deleted
from app.operations.ledger import Ledger
from app.queries.books import book_key
from app.queries.subscriptions import count_live
from app.store.books import lock_head
from app.store.deliveries import wake_all
from app.store.subscriptions import insert_subscription, lock_subscription, save_subscription
from app.webhooks.guard import UrlRefused, checked_url, vetted
from app.webhooks.sign import InvalidSecret, new_secret, parse_secret

SUBSCRIPTIONS_MAX = 100  # of a book: each posting that has something to tell looks at all of them
RESOLVE_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a caller asks for. `secret` is made where it is left out."""

    url: str = field(repr=False)
    message_types: tuple[str, ...]
    description: str = ""
    segments: tuple[str, ...] | None = None
    least_magnitude: int | None = None
    ordered: bool = False
    body: BodyForm = BodyForm.STANDARD
    max_in_flight: int
    secret: str | None = field(default=None, repr=False)


async def subscribe(ledger: Ledger, book: str, wish: Wish) -> tuple[Subscription, str]:
    """A new subscription and, this once, its secret.

    Raises InvalidSubscription for a URL, a type or a secret that cannot be, TooManySubscriptions.
    """
    _check_types(wish.message_types)
    secret = checked_secret(wish.secret) or new_secret(ledger.entropy)
    await check_url(ledger, wish.url)
    return await _subscribe(ledger, book, wish, secret), secret


@uninterrupted
async def _subscribe(ledger: Ledger, book: str, wish: Wish, secret: str) -> Subscription:
    async with ledger.database.write(book) as tx:
        await lock_head(tx, book)
        if await count_live(tx, book) >= SUBSCRIPTIONS_MAX:
            raise TooManySubscriptions(f"A book has at most {SUBSCRIPTIONS_MAX} subscriptions: delete one first.")
        key, now, subscription_id = await book_key(tx, book, ledger.master_key), ledger.now(), ledger.new_id()
        made = Subscription(
            subscription_id=subscription_id,
            created_at=now,
            description=wish.description,
            sealed_url=sealed_url(ledger, book, key, subscription_id, wish.url),
            message_types=wish.message_types,
            segments=wish.segments,
            least_magnitude=wish.least_magnitude,
            ordered=wish.ordered,
            body=wish.body,
            state=SubscriptionState.ACTIVE,
            state_reason=None,
            state_at=now,
            sealed_secrets=sealed_secrets(ledger, book, key, subscription_id, (Secret(secret=secret),)),
            failing_since=None,
            max_in_flight=wish.max_in_flight,
        )
        await insert_subscription(tx, book, made)
    return made


async def change(ledger: Ledger, book: str, subscription_id: UUID, changes: Mapping[str, Any]) -> Subscription:
    """Change fields of a Wish but for the secret; what is owed already stays owed. Another URL has not failed yet.

    Raises InvalidSubscription or UnknownSubscription.
    """
    if "message_types" in changes:
        _check_types(changes["message_types"])
    if "url" in changes:
        await check_url(ledger, changes["url"])
    return await _change(ledger, book, subscription_id, changes)


@uninterrupted
async def _change(ledger: Ledger, book: str, subscription_id: UUID, changes: Mapping[str, Any]) -> Subscription:
    async with ledger.database.write(book) as tx:
        await lock_head(tx, book)
        before = await lock_subscription(tx, book, subscription_id)
        if before is None:
            raise UnknownSubscription
        fields = dict(changes)
        url = fields.pop("url", None)
        key = await book_key(tx, book, ledger.master_key)
        if url is not None and url != url_of(book, key, before):
            fields |= {"sealed_url": sealed_url(ledger, book, key, subscription_id, url), "failing_since": None}
        after = replace(before, **fields)
        await save_subscription(tx, book, after)
        if before.ordered and not after.ordered:
            await wake_all(tx, Queue(book, subscription_id), ledger.now())
    ledger.soon_deliver.set()
    return after


async def unsubscribe(ledger: Ledger, book: str, subscription_id: UUID) -> None:
    """Delete it: its URL and secrets are forgotten at once, and what it is owed is given up.

    Raises UnknownSubscription.
    """
    await _delete(ledger, book, subscription_id)
    await give_up_deleted(ledger, book, subscription_id)


@uninterrupted
async def _delete(ledger: Ledger, book: str, subscription_id: UUID) -> None:
    async with ledger.database.write(book) as tx:
        await lock_head(tx, book)
        found = await lock_subscription(tx, book, subscription_id)
        if found is None:
            raise UnknownSubscription
        deleted = replace(
            found,
            state=SubscriptionState.DELETED,
            state_reason=None,
            state_at=ledger.now(),
            sealed_url=b"",
            sealed_secrets=b"",
        )
        await save_subscription(tx, book, deleted)


async def check_url(ledger: Ledger, url: str) -> None:
    """InvalidSubscription unless something may be sent to the URL, and its name resolves."""
    try:
        target = checked_url(url, allow_loopback=ledger.allow_loopback)
        async with asyncio.timeout(RESOLVE_SECONDS):
            await vetted(target, ledger.resolve)
    except UrlRefused as refused:
        raise _invalid("/url", "url_refused", f"nothing can be sent there: {refused.reason}") from None
    except TimeoutError:
        raise _invalid("/url", "url_refused", "nothing can be sent there: the name does not resolve") from None


def checked_secret(secret: str | None) -> str | None:
    """The secret that a caller brings, if any; InvalidSubscription unless it is one."""
    if secret is not None:
        try:
            parse_secret(secret)
        except InvalidSecret as error:
            raise _invalid("/secret", "secret_invalid", str(error)) from None
    return secret


def _check_types(patterns: tuple[str, ...]) -> None:
    known = ", ".join([*MessageType, *WILDCARDS])
    faults = tuple(
        Fault(pointer=f"/message_types/{place}", code="unknown_message_type", detail=f"there are {known}")
        for place, pattern in enumerate(patterns)
        if not is_known_pattern(pattern)
    )
    if faults:
        raise InvalidSubscription(f"There is no such type of message. There are {known}.", faults=faults)


def _invalid(pointer: str, code: str, detail: str) -> InvalidSubscription:
    return InvalidSubscription(detail, faults=(Fault(pointer=pointer, code=code, detail=detail),))
