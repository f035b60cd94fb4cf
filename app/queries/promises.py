"""Promises: by name, by account, by when something is due of them, and listed."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.instant import Instant
from app.domain.promise import SETTLED, Promise, PromiseName, State
from app.rows import promise_of
from app.tables import promises

PromiseRank = tuple[Instant, str, str]
"""Where a promise stands in a list: due time, source, id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseFilter:
    """Which promises to list. `at` decides which of the open ones are overdue; no states mean all."""

    at: Instant
    account_id: UUID | None = None
    states: Collection[State] = ()
    due_before: Instant | None = None


async def promises_by_name(tx: AsyncConnection, book: str, names: Iterable[PromiseName]) -> list[Promise]:
    """The promises of these names; one that the book does not have is absent."""
    ids_by_source: defaultdict[str, set[str]] = defaultdict(set)
    for source, own_id in names:
        ids_by_source[source].add(own_id)
    found: list[Promise] = []
    for source, ids in ids_by_source.items():
        found += await _promises(tx, book, promises.c.source == source, promises.c.id.in_(ids))
    return found


async def due_promises_of(
    tx: AsyncConnection, book: str, account_ids: Collection[UUID], *, by: Instant
) -> list[Promise]:
    """The promises of these accounts of which a step is to be posted by then."""
    if not account_ids:
        return []
    return await _promises(tx, book, promises.c.account_id.in_(account_ids), promises.c.next_step_at <= by)


async def promises_of(tx: AsyncConnection, book: str, account_id: UUID) -> list[Promise]:
    """All promises of an account, the first due first."""
    query = _query(book, promises.c.account_id == account_id)
    return await _fetched(tx, query.order_by(promises.c.due_at, promises.c.source, promises.c.id))


async def open_promises_of(tx: AsyncConnection, book: str, account_id: UUID, *, limit: int) -> list[Promise]:
    """An account's promises that are neither kept nor withdrawn, the first due first."""
    unsettled = promises.c.state.not_in([state.value for state in SETTLED])
    query = _query(book, promises.c.account_id == account_id, unsettled).order_by(promises.c.due_at, promises.c.id)
    return await _fetched(tx, query.limit(limit))


async def due_promises(tx: AsyncConnection, book: str, *, by: Instant, limit: int | None = None) -> list[Promise]:
    """The promises of which a step is to be posted by then, the longest due first."""
    query = _query(book, promises.c.next_step_at <= by).order_by(
        promises.c.next_step_at, promises.c.source, promises.c.id
    )
    return await _fetched(tx, query.limit(limit))


async def next_step_at(tx: AsyncConnection, book: str) -> Instant | None:
    """When the book's next step is to be posted; None if there is none."""
    query = select(func.min(promises.c.next_step_at)).where(promises.c.book == book)
    found: Instant | None = (await tx.execute(query)).scalar()
    return found


async def listed_promises(
    tx: AsyncConnection, book: str, wanted: PromiseFilter, *, after: PromiseRank | None, limit: int
) -> list[Promise]:
    """The promises that a filter lets through, by due time, after a place in that order."""
    order = (promises.c.due_at, promises.c.source, promises.c.id)
    conditions = [
        *([] if wanted.account_id is None else [promises.c.account_id == wanted.account_id]),
        *([] if wanted.due_before is None else [promises.c.due_at < wanted.due_before]),
        *([or_(*(_in_state(state, wanted.at) for state in wanted.states))] if wanted.states else []),
        *([] if after is None else [tuple_(*order) > after]),
    ]
    return await _fetched(tx, _query(book, *conditions).order_by(*order).limit(limit))


def _in_state(state: State, at: Instant) -> ColumnElement[bool]:
    """As `shown_state` has it."""
    is_open = promises.c.state == State.OPEN.value
    if state is State.OPEN:
        return and_(is_open, promises.c.due_at >= at)
    return and_(is_open, promises.c.due_at < at) if state is State.OVERDUE else promises.c.state == state.value


async def _promises(tx: AsyncConnection, book: str, *conditions: ColumnElement[bool]) -> list[Promise]:
    return await _fetched(tx, _query(book, *conditions))


def _query(book: str, *conditions: ColumnElement[bool]) -> Select[tuple[object, ...]]:
    return select(promises).where(promises.c.book == book, *conditions)


async def _fetched(tx: AsyncConnection, query: Select[tuple[object, ...]]) -> list[Promise]:
    return [promise_of(row) for row in (await tx.execute(query)).mappings()]
