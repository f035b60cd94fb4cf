"""Deliver: in one short transaction what was tried is recorded and more is claimed; what is claimed is sent outside."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus

from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import uninterrupted
from app.domain.delivery import ERASED, EXHAUSTED, EXPIRED, DeliveryState, Queue, next_due_at
from app.domain.instant import SECOND, Instant
from app.domain.subscription import FAILING, FAILING_MAX, GONE, BodyForm, Subscription, SubscriptionState
from app.operations.address import Address, address_of
from app.operations.book_message import wire_id
from app.operations.disable import disable
from app.operations.ledger import Ledger
from app.queries.books import book_key
from app.queries.deliveries import Parcel, parcels
from app.queries.subscriptions import subscription as read_subscription
from app.sealing.keys import attempt_place
from app.store.deliveries import (
    claim,
    insert_attempts,
    release,
    save_failed,
    save_settled,
    still_ours,
    wake_next,
)
from app.store.subscriptions import save_failing
from app.webhooks.attempt import Attempt
from app.webhooks.formats import rendered
from app.webhooks.send import TOTAL_SECONDS, Sender
from app.webhooks.sign import headers

LEASE: Instant = 60 * SECOND  # a worker that died is believed dead after it

assert LEASE >= 2 * TOTAL_SECONDS * SECOND  # a try, and the wait for its record


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A parcel, and what became of one try; `sent_to` is the URL, as its subscription kept it."""

    parcel: Parcel
    sent_to: bytes
    begun_at: Instant
    attempt: Attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one transaction did: what is to be sent now, to where, and how many may be in flight; how many deliveries
    were delivered, will be tried again, and were given up."""

    claimed: Sequence[Parcel]
    address: Address | None
    form: BodyForm
    may_send: int
    delivered: int
    failed: int
    given_up: int


_OF_AN_EMPTIED_BOOK = Turn(
    claimed=(), address=None, form=BodyForm.STANDARD, may_send=1, delivered=0, failed=0, given_up=0
)


async def take_turn(ledger: Ledger, queue: Queue, tried: Sequence[Tried], *, in_flight: int, room: int) -> Turn:
    """Record what was tried, claim what may be sent: up to `room`, and no more in flight than the subscription bears.

    A receiver that is gone for good, or has failed for too long, disables its subscription; not so if the URL is
    another by now.
    """
    turn, reason, sealed_url = await _take_turn(ledger, queue, tried, in_flight=in_flight, room=room)
    if reason is not None:
        await disable(ledger, queue.book, queue.subscription_id, reason, sealed_url=sealed_url)
    return turn


async def try_once(sender: Sender, address: Address, form: BodyForm, parcel: Parcel, *, now: Instant) -> Tried:
    """Send one parcel. Never raises for what the other side does."""
    assert parcel.body is not None
    body = rendered(parcel.body, form.value)
    signed = headers(address.signing(now), wire_id(parcel.message_id), now // SECOND, body)
    attempt = await sender.send(address.url, signed, body, now=now)
    return Tried(parcel=parcel, sent_to=address.sealed_url, begun_at=now, attempt=attempt)


@uninterrupted
async def give_back(ledger: Ledger, queue: Queue, parcels: Sequence[Parcel]) -> None:
    """What was claimed and is not under way any more is due now, untried."""
    async with ledger.database.write(queue.book) as tx:
        ours = await still_ours(tx, queue, [each.held for each in parcels])
        await release(tx, queue, [number for number, _ in ours], ledger.now())


@uninterrupted
async def _take_turn(
    ledger: Ledger, queue: Queue, tried: Sequence[Tried], *, in_flight: int, room: int
) -> tuple[Turn, str | None, bytes]:
    async with ledger.database.write(queue.book) as tx:
        stored = await read_subscription(tx, queue.book, queue.subscription_id)
        if stored is None:
            return _OF_AN_EMPTIED_BOOK, None, b""
        now = ledger.now()
        here = [each for each in tried if each.sent_to == stored.sealed_url]
        fares = _fares(stored, here)
        if fares.failing_since != stored.failing_since:  # first, as whoever changes it locks it before its deliveries
            await save_failing(tx, queue.book, fares)
        delivered, failed, exhausted = await _record(ledger, tx, queue, tried, now)

        reason = _reason_to_disable(fares, here, now)
        limit = 0 if reason or fares.state is not SubscriptionState.ACTIVE else min(room, fares.may_send - in_flight)
        claimed, address = await _claim(ledger, tx, queue, fares, now=now, limit=limit)
        expired = [each for each in claimed if each.body is None]
        for reason_to_give_up, is_erased in ((EXPIRED, False), (ERASED, True)):
            lost = [each for each in expired if each.is_erased is is_erased]
            await _settle(tx, queue, lost, now, state=DeliveryState.GIVEN_UP, reason=reason_to_give_up, tried=0)
    turn = Turn(
        claimed=[each for each in claimed if each.body is not None],
        address=address,
        form=fares.body,
        may_send=fares.may_send,
        delivered=delivered,
        failed=failed,
        given_up=exhausted + len(expired),
    )
    return turn, reason, stored.sealed_url


async def _record(
    ledger: Ledger, tx: AsyncConnection, queue: Queue, tried: Sequence[Tried], now: Instant
) -> tuple[int, int, int]:
    """Record tries whose lease still holds; how many delivered, how many failed for now, how many for good.

    What was claimed anew since, because we were too slow, is for that claim to record.
    """
    if not tried:
        return 0, 0, 0
    ours = await still_ours(tx, queue, [each.parcel.held for each in tried])
    tried = [each for each in tried if each.parcel.held in ours]
    dues = {each.parcel.number: _due_at(ledger, each) for each in tried if not each.attempt.succeeded}
    taken = [each.parcel for each in tried if each.attempt.succeeded]
    lost = [each.parcel for each in tried if each.parcel.number in dues and dues[each.parcel.number] is None]
    again = [(number, due_at) for number, due_at in dues.items() if due_at is not None]

    await insert_attempts(tx, queue, [_attempt_row(ledger, queue, each) for each in tried])
    await save_failed(tx, queue, again)
    await _settle(tx, queue, taken, now, state=DeliveryState.DELIVERED, reason=None, tried=1)
    await _settle(tx, queue, lost, now, state=DeliveryState.GIVEN_UP, reason=EXHAUSTED, tried=1)
    return len(taken), len(again), len(lost)


async def _settle(
    tx: AsyncConnection,
    queue: Queue,
    settled: Sequence[Parcel],
    now: Instant,
    *,
    state: DeliveryState,
    reason: str | None,
    tried: int,
) -> None:
    """These are over; what waited for them is due."""
    if settled:
        numbers = [each.number for each in settled]
        await save_settled(tx, queue, numbers, now, state=state, reason=reason, tried=tried)
        await wake_next(tx, queue, {each.account_id for each in settled if each.account_id}, now)


async def _claim(
    ledger: Ledger, tx: AsyncConnection, queue: Queue, subscription: Subscription, *, now: Instant, limit: int
) -> tuple[list[Parcel], Address | None]:
    if limit <= 0:
        return [], None
    numbers = await claim(
        tx, queue, now, until=now + LEASE, lease=ledger.new_id(), limit=limit, ordered=subscription.ordered
    )
    if not numbers:
        return [], None
    key = await book_key(tx, queue.book, ledger.master_key)
    found = await parcels(tx, queue.book, queue.subscription_id, numbers, (ledger.master_key, key))
    return found, address_of(queue.book, key, subscription)


def _fares(subscription: Subscription, tried: Sequence[Tried]) -> Subscription:
    """The subscription after these tries, in the order in which they ended."""
    since = subscription.failing_since
    for each in tried:
        since = None if each.attempt.succeeded else since or each.begun_at
    return replace(subscription, failing_since=since)


def _reason_to_disable(subscription: Subscription, tried: Sequence[Tried], now: Instant) -> str | None:
    if any(each.attempt.status == HTTPStatus.GONE for each in tried):
        return GONE
    since = subscription.failing_since
    if tried and since is not None and now - since >= FAILING_MAX:
        return FAILING
    return None


def _due_at(ledger: Ledger, tried: Tried) -> Instant | None:
    chance = int.from_bytes(ledger.entropy(2)) / 2**16
    ended_at = tried.begun_at + tried.attempt.duration
    return next_due_at(tried.parcel.tries + 1, ended_at, chance=chance, retry_after_seconds=tried.attempt.retry_after)


def _attempt_row(ledger: Ledger, queue: Queue, tried: Tried) -> dict[str, object]:
    """What was answered may hold what was sent, and is sealed as that is."""
    attempt, parcel, sealed = tried.attempt, tried.parcel, None
    ordinal = parcel.attempts + 1
    if attempt.excerpt is not None:
        place = attempt_place(queue.book, queue.subscription_id, parcel.message_id, ordinal)
        sealed = parcel.key.seal(attempt.excerpt.encode(), place, entropy=ledger.entropy)
    return {
        "number": parcel.number,
        "ordinal": ordinal,
        "begun_at": tried.begun_at,
        "duration": attempt.duration,
        "status": attempt.status,
        "error": attempt.error,
        "sealed_excerpt": sealed,
    }
