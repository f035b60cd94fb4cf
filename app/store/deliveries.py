"""Deliveries of one subscription: claimed, recorded, offered anew. Never under the book's head lock.

A claim sets `lease` to an id of its own and `due_at` to the lease's end, so that a delivery whose worker died comes up
again by itself. On PostgreSQL rows that another worker has locked are left to it.
"""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, delete, func, insert, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.delivery import DeliveryState, Queue
from app.domain.instant import Instant
from app.tables import attempts, deliveries, messages

_own = deliveries.c
LOOKS_MAX = 100  # in one statement; SQLite takes 500
_IS_PENDING = _own.settled_at.is_(None)  # in these very words the partial index has it


async def still_ours(tx: AsyncConnection, queue: Queue, held: Collection[tuple[int, UUID]]) -> set[tuple[int, UUID]]:
    """Those of these deliveries, each with its lease, that are still under it; locked in order."""
    numbers, leases = {number for number, _ in held}, {lease for _, lease in held}
    query = select(_own.number, _own.lease).where(_holds(queue), _own.number.in_(numbers), _own.lease.in_(leases))
    rows = await tx.execute(query.order_by(_own.number).with_for_update())
    return {(row.number, row.lease) for row in rows} & set(held)


async def save_settled(
    tx: AsyncConnection,
    queue: Queue,
    numbers: Collection[int],
    at: Instant,
    *,
    state: str,
    reason: str | None,
    tried: int,
) -> None:
    """These deliveries came to an end, after so many more tries (0 or 1)."""
    if not numbers:
        return
    query = update(deliveries).where(_holds(queue), _own.number.in_(numbers))
    await tx.execute(
        query.values(
            state=state,
            reason=reason,
            settled_at=at,
            due_at=None,
            lease=None,
            attempts=_own.attempts + tried,
            tries=_own.tries + tried,
        )
    )


async def save_failed(tx: AsyncConnection, queue: Queue, dues: Sequence[tuple[int, Instant]]) -> None:
    """Each of these was tried in vain, and is due again."""
    if not dues:
        return
    query = update(deliveries).where(_holds(queue), _own.number == bindparam("of_number"))
    query = query.values(due_at=bindparam("again_at"), lease=None, attempts=_own.attempts + 1, tries=_own.tries + 1)
    await tx.execute(query, [{"of_number": number, "again_at": due_at} for number, due_at in dues])


async def insert_attempts(tx: AsyncConnection, queue: Queue, tried: Sequence[dict[str, Any]]) -> None:
    """Remember tries."""
    if tried:
        rows = [{"book": queue.book, "subscription_id": queue.subscription_id, **row} for row in tried]
        await tx.execute(insert(attempts), rows)


async def wake_next(tx: AsyncConnection, queue: Queue, account_ids: Collection[UUID], now: Instant) -> None:
    """The first delivery of each of these customers that waits for an earlier one, and has none any more, is due."""
    if not account_ids:
        return
    firsts = await _firsts(tx, queue, account_ids)
    query = update(deliveries).where(_holds(queue), _IS_PENDING, _own.due_at.is_(None), _own.number.in_(firsts))
    await tx.execute(query.values(due_at=now))


async def wake_all(tx: AsyncConnection, queue: Queue, now: Instant) -> None:
    """None waits for an earlier one any more."""
    query = update(deliveries).where(_holds(queue), _IS_PENDING, _own.due_at.is_(None))
    await tx.execute(query.values(due_at=now))


async def lock_delivery(tx: AsyncConnection, queue: Queue, message_id: UUID) -> tuple[int, bool] | None:
    """The number of a message's delivery, locked, and whether the message is still kept; None if it is not owed."""
    own = messages.c
    query = select(_own.number, own.body.is_not(None).label("is_kept")).join(
        messages, (own.book == _own.book) & (own.number == _own.number)
    )
    query = query.where(_holds(queue), own.message_id == message_id)
    row = (await tx.execute(query.with_for_update(of=deliveries))).first()
    return None if row is None else (row.number, row.is_kept)


async def release(tx: AsyncConnection, queue: Queue, numbers: Collection[int], now: Instant) -> None:
    """These deliveries are under way no more, and due now."""
    query = update(deliveries).where(_holds(queue), _own.number.in_(numbers))
    await tx.execute(query.values(due_at=now, lease=None))


async def offer_anew(tx: AsyncConnection, queue: Queue, numbers: Collection[int], now: Instant) -> None:
    """These deliveries are due now, with all tries before them; what a try under way comes to counts no more."""
    query = update(deliveries).where(_holds(queue), _own.number.in_(numbers))
    anew = {"state": DeliveryState.PENDING, "settled_at": None, "reason": None}
    await tx.execute(query.values(due_at=now, lease=None, tries=0, **anew))


async def lock_given_up(
    tx: AsyncConnection, queue: Queue, *, since: Instant, until: Instant, after: int, limit: int
) -> list[int]:
    """Deliveries given up in [since, until) whose messages are still kept, by number; locked."""
    own = messages.c
    query = (
        select(_own.number)
        .join(messages, (own.book == _own.book) & (own.number == _own.number))
        .where(_holds(queue), _own.state == DeliveryState.GIVEN_UP, _own.number > after, own.body.is_not(None))
        .where(_own.settled_at >= since, _own.settled_at < until)
        .order_by(_own.number)
        .limit(limit)
    )
    return list((await tx.execute(query.with_for_update(of=deliveries))).scalars())


async def move_due(tx: AsyncConnection, queue: Queue, at: Instant, *, limit: int) -> int:
    """Let some that are due at other times, and not under way, be due at `at`; how many."""
    moved = 0
    for other in (_own.due_at < at, _own.due_at > at):
        query = select(_own.number).where(_holds(queue), other, _own.lease.is_(None)).limit(limit)
        numbers = list((await tx.execute(query.with_for_update())).scalars())
        await tx.execute(update(deliveries).where(_holds(queue), _own.number.in_(numbers)).values(due_at=at))
        moved += len(numbers)
    return moved


async def lock_pending(tx: AsyncConnection, queue: Queue, *, limit: int) -> list[int]:
    """Some deliveries that are pending, locked; not those that another has locked."""
    query = select(_own.number).where(_holds(queue), _IS_PENDING).limit(limit)
    return list((await tx.execute(query.with_for_update(skip_locked=True))).scalars())


async def pending_among(tx: AsyncConnection, queue: Queue, numbers: Collection[int]) -> dict[int, UUID | None]:
    """Those of these deliveries that are pending, locked in order; each with its account."""
    query = select(_own.number, _own.account_id).where(_holds(queue), _IS_PENDING, _own.number.in_(numbers))
    return {row.number: row.account_id for row in await tx.execute(query.order_by(_own.number).with_for_update())}


async def delete_attempts(tx: AsyncConnection, queue: Queue, numbers: Collection[int]) -> None:
    """Forget the tries of these deliveries."""
    own = attempts.c
    query = delete(attempts).where(
        own.book == queue.book, own.subscription_id == queue.subscription_id, own.number.in_(numbers)
    )
    await tx.execute(query)


async def claim(
    tx: AsyncConnection, queue: Queue, now: Instant, *, until: Instant, lease: UUID, limit: int, ordered: bool
) -> list[int]:
    """Claim up to `limit` deliveries that are due, those that wait longest first; their numbers."""
    due = (await tx.execute(due_query(queue, now, limit=limit))).all()
    numbers = [row.number for row in due]
    if ordered and due:
        numbers = await _in_turn(tx, queue, [(row.number, row.account_id) for row in due])
    if numbers:
        query = update(deliveries).where(_holds(queue), _own.number.in_(numbers))
        await tx.execute(query.values(due_at=until, lease=lease))
    return numbers


def due_query(queue: Queue, now: Instant, *, limit: int) -> Select[Any, Any]:
    """What is due, locked; what another worker has locked is not there."""
    query = select(_own.number, _own.account_id).where(_holds(queue), _own.due_at <= now)
    return query.order_by(_own.due_at, _own.number).limit(limit).with_for_update(skip_locked=True)


async def _in_turn(tx: AsyncConnection, queue: Queue, due: Sequence[tuple[int, UUID | None]]) -> list[int]:
    """Those of the due that no earlier delivery of their customer is before; the others wait, without a due time.

    The one they wait for is locked meanwhile, so that it cannot be settled, and them forgotten, between. Where another
    worker has it locked, they stay as they are and are looked at again.
    """
    account_ids = {account_id for _, account_id in due if account_id is not None}
    firsts = await _firsts(tx, queue, account_ids)
    query = select(_own.account_id, _own.number).where(_holds(queue), _IS_PENDING, _own.number.in_(firsts))
    rows = await tx.execute(query.with_for_update(skip_locked=True))
    first: dict[UUID | None, int] = {row.account_id: row.number for row in rows}
    waiting = [number for number, account_id in due if first.get(account_id, number) < number]
    if waiting:
        query_waiting = update(deliveries).where(_holds(queue), _own.number.in_(waiting))
        await tx.execute(query_waiting.values(due_at=None, lease=None))
    return [number for number, account_id in due if account_id is None or first.get(account_id) == number]


async def _firsts(tx: AsyncConnection, queue: Queue, account_ids: Collection[UUID]) -> list[int]:
    """The first pending delivery of each of these customers, if it has any.

    One look at the index for each: a group of all would be read whole, and without statistics planned as a loop in a
    loop, which took a minute of 100,000.
    """
    of_each = [
        select(func.min(_own.number)).where(_holds(queue), _IS_PENDING, _own.account_id == account_id)
        for account_id in account_ids
    ]
    found: list[int] = []
    for begin in range(0, len(of_each), LOOKS_MAX):
        rows = await tx.execute(union_all(*of_each[begin : begin + LOOKS_MAX]))
        found += [number for number in rows.scalars() if number is not None]
    return found


def _holds(queue: Queue) -> ColumnElement[bool]:
    return and_(_own.book == queue.book, _own.subscription_id == queue.subscription_id)
