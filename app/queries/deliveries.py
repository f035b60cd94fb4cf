"""What is owed to subscriptions, and what became of it."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.delivery import Delivery, DeliveryState
from app.domain.instant import Instant
from app.domain.message import MessageType
from app.domain.subscription import SubscriptionState
from app.sealing.keys import Key, MasterKey, account_place, attempt_place, message_place
from app.tables import account_keys, attempts, deliveries, messages, subscriptions

_own = deliveries.c
_IS_KEY = and_(account_keys.c.book == messages.c.book, account_keys.c.account_id == messages.c.account_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What is to be sent: a message's body, null if it is kept no longer, and how often it was tried.

    `key` is the account's, or the book's for a message about none: it seals what is answered, too.
    """

    number: int
    lease: UUID
    account_id: UUID | None
    message_id: UUID
    type: MessageType
    body: bytes | None
    attempts: int
    tries: int
    is_erased: bool  # whom it was about is forgotten
    key: Key = field(repr=False)

    @property
    def held(self) -> tuple[int, UUID]:
        """Which delivery, and by which claim."""
        return self.number, self.lease


@dataclass(frozen=True, slots=True, kw_only=True)
class PastAttempt:
    """One try, as it is kept; `duration` in microseconds."""

    ordinal: int
    begun_at: Instant
    duration: Instant
    status: int | None
    error: str | None
    excerpt: str | None


async def due_by_subscription(tx: AsyncConnection) -> dict[tuple[str, UUID], Instant]:
    """When the next delivery of each active subscription, of any book, is due; one look at the index for each."""
    due_at = (
        select(func.min(_own.due_at))
        .where(
            _own.book == subscriptions.c.book,
            _own.subscription_id == subscriptions.c.subscription_id,
            _own.due_at.is_not(None),
        )
        .scalar_subquery()
    )
    query = select(subscriptions.c.book, subscriptions.c.subscription_id, due_at.label("due_at")).where(
        subscriptions.c.state == SubscriptionState.ACTIVE
    )
    found = await tx.execute(query)
    return {(row.book, row.subscription_id): row.due_at for row in found if row.due_at is not None}


async def parcels(
    tx: AsyncConnection, book: str, subscription_id: UUID, numbers: Collection[int], keys: tuple[MasterKey, Key]
) -> list[Parcel]:
    """What these deliveries carry, in order, opened with the book's key or the account's."""
    query = (
        select(messages, _own.lease, _own.attempts, _own.tries, account_keys.c.wrapped_key)
        .join(deliveries, (_own.book == messages.c.book) & (_own.number == messages.c.number))
        .outerjoin(account_keys, _IS_KEY)
        .where(_own.book == book, _own.subscription_id == subscription_id, _own.number.in_(numbers))
        .order_by(_own.number)
    )
    return [_parcel(row, book, keys) for row in await tx.execute(query)]


async def delivery(tx: AsyncConnection, book: str, subscription_id: UUID, message_id: UUID) -> Delivery | None:
    """The delivery of a message to a subscription, None if it is not owed."""
    query = _listed(book, subscription_id).where(messages.c.message_id == message_id)
    row = (await tx.execute(query)).first()
    return None if row is None else _delivery(row)


async def listed_deliveries(
    tx: AsyncConnection,
    book: str,
    subscription_id: UUID,
    states: Collection[DeliveryState],
    *,
    before: int | None,
    limit: int,
) -> list[Delivery]:
    """A page of a subscription's deliveries, newest first; of these stored states."""
    query = _listed(book, subscription_id).where(_own.state.in_(states)).order_by(_own.number.desc()).limit(limit)
    if before is not None:
        query = query.where(_own.number < before)
    return [_delivery(row) for row in await tx.execute(query)]


async def attempts_of(
    tx: AsyncConnection, book: str, subscription_id: UUID, number: int, keys: tuple[MasterKey, Key]
) -> list[PastAttempt]:
    """The tries of a delivery, in order; what was answered is opened, unless the account's key is destroyed."""
    own = attempts.c
    query = (
        select(attempts, messages.c.message_id, messages.c.account_id, account_keys.c.wrapped_key)
        .join(messages, (own.book == messages.c.book) & (own.number == messages.c.number))
        .outerjoin(account_keys, _IS_KEY)
        .where(own.book == book, own.subscription_id == subscription_id, own.number == number)
    )
    return [_past(row, book, keys) for row in await tx.execute(query.order_by(own.ordinal))]


def _listed(book: str, subscription_id: UUID) -> Select[Any]:
    return (
        select(deliveries, messages.c.message_id, messages.c.type, messages.c.body.is_not(None).label("has_body"))
        .join(messages, (_own.book == messages.c.book) & (_own.number == messages.c.number))
        .where(_own.book == book, _own.subscription_id == subscription_id)
    )


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        number=row.number,
        message_id=row.message_id,
        type=MessageType(row.type),
        account_id=row.account_id,
        state=DeliveryState(row.state),
        created_at=row.created_at,
        due_at=row.due_at,
        is_under_way=row.lease is not None,
        attempts=row.attempts,
        settled_at=row.settled_at,
        reason=row.reason,
        has_body=row.has_body,
    )


def _parcel(row: Row[Any], book: str, keys: tuple[MasterKey, Key]) -> Parcel:
    key = _key(row, book, keys)
    return Parcel(
        number=row.number,
        lease=row.lease,
        account_id=row.account_id,
        message_id=row.message_id,
        type=MessageType(row.type),
        body=key.open(row.body, message_place(book, row.message_id)) if key and row.body is not None else None,
        attempts=row.attempts,
        tries=row.tries,
        is_erased=key is None,
        key=key or keys[1],
    )


def _past(row: Row[Any], book: str, keys: tuple[MasterKey, Key]) -> PastAttempt:
    key, excerpt = _key(row, book, keys), None
    if key is not None and row.sealed_excerpt is not None:
        place = attempt_place(book, row.subscription_id, row.message_id, row.ordinal)
        excerpt = key.open(row.sealed_excerpt, place).decode()
    return PastAttempt(
        ordinal=row.ordinal,
        begun_at=row.begun_at,
        duration=row.duration,
        status=row.status,
        error=row.error,
        excerpt=excerpt,
    )


def _key(row: Row[Any], book: str, keys: tuple[MasterKey, Key]) -> Key | None:
    """What opens all that belongs to a message; None if the account's key is destroyed."""
    master_key, own = keys
    if row.account_id is None:
        return own
    if row.wrapped_key is None:
        return None
    return master_key.unwrap(row.wrapped_key, account_place(book, row.account_id))
