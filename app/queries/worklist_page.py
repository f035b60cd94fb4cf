"""A page of the worklist as one statement reads it: its book, the accounts, and the names of their customers."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.account import Account
from app.domain.entry import Head
from app.domain.immutable import immutable
from app.domain.instant import Instant
from app.domain.standing import Standing
from app.domain.worklist import INDEXED, Asked, Filter, Moment, Order, indexed_place
from app.queries import worklist_rows
from app.queries.worklist_words import (
    COLUMNS,
    CURRENT,
    GIVEN,
    PRESENT,
    Shape,
    Words,
    filtered,
    lists_of,
    settled,
    shape_of,
    unsettled,
    values_of,
)
from app.records import account_of_record, head_of_record, wrapped_key_of_record
from app.sql import Record, Sql, columns_of, rows_of, uuid_of
from app.tables import accounts, books

# What an index gives in order, and what of it comes after a place.
_ORDERS = {
    Order.STANDING_SINCE: ("a.standing_since, a.account_id", "(a.standing_since, a.account_id) > (:key, :after)"),
    Order.BALANCE: ("a.balance, a.account_id", "(a.balance, a.account_id) > (:key, :after)"),
    Order.LAST_ENTRY_AT: (
        "a.last_entry_at DESC, a.account_id DESC",
        "(a.last_entry_at, a.account_id) < (:key, :after)",
    ),
}
_HEAD_COLUMNS = len(books.columns)
_ACCOUNT_ID = list(accounts.columns).index(accounts.c.account_id)


@immutable
class PageRows:
    """What one statement tells of a page: the head of its book then, and the book's own key, wrapped.

    `settled` are the accounts that are settled at the list's moment, if an index has their order; `unsettled` the first
    of the others, of which there may be more `after` an id. `names` are those of them all: account, sealed name, the
    account's wrapped key.
    """

    asked: Asked
    moment: Moment
    head: Head
    wrapped_key: bytes
    settled: Sequence[Account]
    unsettled: Sequence[Account]
    after: UUID | None
    names: Sequence[Record]


async def page_rows(tx: AsyncConnection, book: str, asked: Asked, *, now: Instant) -> PageRows:
    """The rows of a page, in no particular order; `now` is that of the clock. Requires an existing book."""
    chunk = worklist_rows.CHUNK_ROWS
    statement = page_statement(asked.order, asked.wanted, goes_on=asked.goes_on is not None)
    values = _values(book, asked) | {"now": now, "limit": asked.limit, "last": worklist_rows.FIRST, "chunk": chunk}
    rows = await rows_of(tx, statement, **values)
    found: dict[int, dict[Any, Account]] = {0: {}, 1: {}}
    names: list[Record] = []
    for row in rows if rows[0][_HEAD_COLUMNS] is not None else []:
        is_settled, *record, sealed_name, its_key = row[_HEAD_COLUMNS:]
        account_id = record[_ACCOUNT_ID]
        if account_id not in found[is_settled]:  # of one name after the other
            found[is_settled][account_id] = account_of_record(record)
        names.append((account_id, sealed_name, its_key))
    first = rows[0][:_HEAD_COLUMNS]
    head = head_of_record(first)
    return PageRows(
        asked=asked,
        moment=asked.goes_on[0] if asked.goes_on else Moment.begun(head, max(now + head.clock_ahead, head.booked_at)),
        head=head,
        wrapped_key=wrapped_key_of_record(first),
        settled=[*found[1].values()],
        unsettled=[*found[0].values()],
        after=max(map(uuid_of, found[0])) if len(found[0]) == chunk else None,
        names=names,
    )


def _values(book: str, asked: Asked) -> dict[str, Any]:
    if asked.goes_on is None:
        return {"book": book, **lists_of(asked.wanted)}
    moment, rank = asked.goes_on
    values = values_of(book, moment) | lists_of(asked.wanted)
    if asked.order in INDEXED:
        values["key"], values["after"] = indexed_place(rank, asked.order)
    return values


def page_statement(order: Order, wanted: Filter, *, goes_on: bool) -> Sql:
    """The statement that reads a page, going on after a place or from the start."""
    return _page(order, shape_of(wanted), goes_on)


@lru_cache(maxsize=512)
def _page(order: Order, shape: Shape, goes_on: bool) -> Sql:
    moment = GIVEN if goes_on else PRESENT
    first = ""
    if order in INDEXED:
        first = f"SELECT 1 AS settled, p.* FROM ({_in_order(order, shape, moment, goes_on=goes_on)}) p UNION ALL "  # noqa: S608 - of our own names
    return unsettled(moment, lambda rows: _with_book_and_names(f"{first}SELECT 0 AS settled, q.* FROM ({rows}) q"))  # noqa: S608 - of our own names


def _with_book_and_names(rows: str) -> str:
    return (
        f"SELECT {columns_of(books, 'b')}, u.settled, {columns_of(accounts, 'u')}, n.sealed_name, k.wrapped_key"  # noqa: S608 - of our own names
        f" FROM books b LEFT JOIN ({rows}) u ON TRUE"
        " LEFT JOIN aliases n ON n.book = b.book AND n.account_id = u.account_id"
        " LEFT JOIN account_keys k ON k.book = b.book || '' AND k.account_id = u.account_id WHERE b.book = :book"
    )


def _in_order(order: Order, shape: Shape, moment: Words, *, goes_on: bool) -> str:
    """Of each standing by itself where the index begins with it: no index has several of them in one order."""
    by, after = _ORDERS[order]
    kept = f"{CURRENT} AND {settled(moment)}{f' AND {after}' if goes_on else ''}"
    standings, has_depths, has_segments = shape
    apart = [(each,) for each in dict.fromkeys(standings or Standing)] if order is Order.STANDING_SINCE else [standings]
    found = f"SELECT {COLUMNS} FROM accounts a WHERE {kept}"  # noqa: S608 - of our own names
    arms = [f"{found}{filtered((some, has_depths, has_segments))} ORDER BY {by} LIMIT :limit" for some in apart]
    union = " UNION ALL ".join(f"SELECT * FROM ({arm}) s{number}" for number, arm in enumerate(arms))  # noqa: S608 - of our own names
    return f"SELECT * FROM ({union}) a ORDER BY {by} LIMIT :limit" if len(arms) > 1 else union  # noqa: S608 - of our own names
