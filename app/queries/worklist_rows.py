"""The rows of a worklist: those that are settled at its moment in their order, by index, and the few that are not.

One statement reads a page: its book, the settled accounts, the first of the others, and the names of them all.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
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
from app.queries.accounts import its_account
from app.records import account_of_record, head_of_record, wrapped_key_of_record
from app.sql import Record, Sql, columns_of, rows_of, uuid_of
from app.tables import accounts, books

CHUNK_ROWS = 1_000  # accounts held at once while all are looked at


def _of_head(value: str) -> str:
    return f"(SELECT {value} FROM books b WHERE b.book = :book)"  # noqa: S608 - our own words


_COLUMNS = columns_of(accounts, "a")
_GENERATION = _of_head("b.generation")
_CURRENT = f"a.book = :book AND a.generation = {_GENERATION}"
_FIRST = UUID(int=0)  # no account has it
_ALL = Sql(
    f"SELECT {_COLUMNS} FROM accounts a WHERE {_CURRENT} AND a.opened_at <= :at"  # noqa: S608 - of our own names
    " AND a.account_id > :last ORDER BY a.account_id LIMIT :chunk"
)

_Words = Mapping[str, str]
# A moment in SQL: that of a list that goes on, and the present one of the book, in which a list begins.
_GIVEN: _Words = {"at": ":at", "position": ":position", "booked_at": ":booked_at"}
_PRESENT: _Words = {
    "at": _of_head("CASE WHEN b.booked_at > :now + b.clock_ahead THEN b.booked_at ELSE :now + b.clock_ahead END"),
    "position": _of_head("b.position"),
    "booked_at": _of_head("b.booked_at"),
}


def _settled(moment: _Words) -> str:
    """With a plus no index leads there: nearly every account is settled, and SQLite would read them all for a page."""
    return (
        f"a.position <= {moment['position']} AND +a.touched_at <= {moment['booked_at']}"
        f" AND +a.look_again_at > {moment['at']} AND (a.crossed_at IS NULL OR a.crossed_at <= {moment['at']})"
    )


def _unsettled(moment: _Words, its_row: str) -> str:
    """Whatever is unsettled now has left its trace in one of three indexes: it is due, it was touched, or it crossed.

    What was posted later was never booked before, so that no index by position is needed: while history is replayed it
    may be booked at the same instant. Each order names the index.
    """
    traces = (
        f"accounts a WHERE {_CURRENT} AND a.look_again_at <= {moment['at']} ORDER BY a.look_again_at",
        f"accounts a WHERE {_CURRENT} AND a.touched_at >= {moment['booked_at']} ORDER BY a.touched_at",
        f"crossings a WHERE a.book = :book AND a.at > {moment['at']} ORDER BY a.at",
    )
    traced = " UNION ".join(f"SELECT * FROM (SELECT a.account_id FROM {each}) t{n}" for n, each in enumerate(traces))  # noqa: S608 - of our own names
    return (
        f"SELECT {_COLUMNS} FROM ({traced}) u JOIN {its_row} WHERE a.opened_at <= {moment['at']}"  # noqa: S608 - of our own names
        f" AND NOT ({_settled(moment)}) AND u.account_id > :last ORDER BY u.account_id LIMIT :chunk"
    )


_ON_SQLITE = f"accounts a ON {_CURRENT} AND a.account_id = u.account_id"
_ON_POSTGRES = its_account("u.account_id", _GENERATION)
_UNSETTLED = Sql(_unsettled(_GIVEN, _ON_SQLITE), on_postgres=_unsettled(_GIVEN, _ON_POSTGRES))

# What an index gives in order, and what of it comes after a place.
_ORDERS = {
    Order.STANDING_SINCE: ("a.standing_since, a.account_id", "(a.standing_since, a.account_id) > (:key, :after)"),
    Order.BALANCE: ("a.balance, a.account_id", "(a.balance, a.account_id) > (:key, :after)"),
    Order.LAST_ENTRY_AT: (
        "a.last_entry_at DESC, a.account_id DESC",
        "(a.last_entry_at, a.account_id) < (:key, :after)",
    ),
}
_HEAD_COLUMNS, _ACCOUNT_COLUMNS = len(books.columns), len(accounts.columns)
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
    """The rows of a page, in no particular order, in one statement; `now` is that of the clock. Requires the book."""
    wanted, values = asked.wanted, {"book": book, "now": now, "limit": asked.limit, "last": _FIRST, "chunk": CHUNK_ROWS}
    if asked.goes_on is not None:
        moment, rank = asked.goes_on
        values |= _values(book, moment)
        if asked.order in INDEXED:
            values["key"], values["after"] = indexed_place(rank, asked.order)
    statement = page_statement(asked.order, wanted, goes_on=asked.goes_on is not None)
    rows = await rows_of(tx, statement, **values, depths=[*wanted.depths], segments=[*wanted.segments])
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
        after=max(uuid_of(account_id) for account_id in found[0]) if len(found[0]) == CHUNK_ROWS else None,
        names=names,
    )


async def settled_accounts(
    tx: AsyncConnection, book: str, *, moment: Moment, wanted: Filter
) -> AsyncGenerator[Account]:
    """All settled accounts that the filter lets through, in no particular order."""
    values = _values(book, moment) | {"depths": [*wanted.depths], "segments": [*wanted.segments]}
    async for account in _by_id(tx, matching_statement(wanted), values):
        yield account


async def unsettled_accounts(tx: AsyncConnection, book: str, *, moment: Moment, after: UUID) -> AsyncGenerator[Account]:
    """Every account after an id that is not settled, as it is stored."""
    async for account in _by_id(tx, _UNSETTLED, _values(book, moment), after):
        yield account


async def opened_accounts(tx: AsyncConnection, book: str, *, at: Instant) -> AsyncGenerator[Account]:
    """Every account that was open at an instant, as it is stored."""
    async for account in _by_id(tx, _ALL, {"book": book, "at": at}):
        yield account


def page_statement(order: Order, wanted: Filter, *, goes_on: bool) -> Sql:
    """The statement that reads a page, going on after a place or from the start."""
    return _page(order, wanted.standings, bool(wanted.depths), bool(wanted.segments), goes_on)


def matching_statement(wanted: Filter) -> Sql:
    """The statement that reads all settled accounts that match, in chunks."""
    return _matching(wanted.standings, bool(wanted.depths), bool(wanted.segments))


@lru_cache(maxsize=512)
def _page(order: Order, standings: tuple[Standing, ...], has_depths: bool, has_segments: bool, goes_on: bool) -> Sql:
    moment = _GIVEN if goes_on else _PRESENT
    settled = ""
    if order in INDEXED:
        in_order = _in_order(order, standings, _filters(has_depths, has_segments), moment, goes_on=goes_on)
        settled = f"SELECT 1 AS settled, p.* FROM ({in_order}) p UNION ALL "  # noqa: S608 - of our own names
    return Sql(
        _with_book_and_names(f"{settled}SELECT 0 AS settled, q.* FROM ({_unsettled(moment, _ON_SQLITE)}) q"),  # noqa: S608 - of our own names
        on_postgres=_with_book_and_names(
            f"{settled}SELECT 0 AS settled, q.* FROM ({_unsettled(moment, _ON_POSTGRES)}) q"  # noqa: S608 - of our own names
        ),
    )


def _with_book_and_names(rows: str) -> str:
    return (
        f"SELECT {columns_of(books, 'b')}, u.settled, {columns_of(accounts, 'u')}, n.sealed_name, k.wrapped_key"  # noqa: S608 - of our own names
        f" FROM books b LEFT JOIN ({rows}) u ON TRUE"
        " LEFT JOIN aliases n ON n.book = b.book AND n.account_id = u.account_id"
        " LEFT JOIN account_keys k ON k.book = b.book || '' AND k.account_id = u.account_id WHERE b.book = :book"
    )


def _in_order(
    order: Order, standings: tuple[Standing, ...], filters: Sequence[str], moment: _Words, *, goes_on: bool
) -> str:
    """Of each standing by itself where the index begins with it: no index has several of them in one order."""
    by, after = _ORDERS[order]
    kept = " AND ".join([_CURRENT, _settled(moment), *([after] if goes_on else []), *filters])
    apart = [(each,) for each in dict.fromkeys(standings or Standing)] if order is Order.STANDING_SINCE else [standings]
    arms = [
        f"SELECT {_COLUMNS} FROM accounts a WHERE {kept}{_of(some)} ORDER BY {by} LIMIT :limit"  # noqa: S608 - of our own names
        for some in apart
    ]
    union = " UNION ALL ".join(f"SELECT * FROM ({arm}) s{number}" for number, arm in enumerate(arms))  # noqa: S608 - of our own names
    return f"SELECT * FROM ({union}) a ORDER BY {by} LIMIT :limit" if len(arms) > 1 else union  # noqa: S608 - of our own names


@lru_cache(maxsize=64)
def _matching(standings: tuple[Standing, ...], has_depths: bool, has_segments: bool) -> Sql:
    kept = " AND ".join([_CURRENT, _settled(_GIVEN), *_filters(has_depths, has_segments)])
    return Sql(
        f"SELECT {_COLUMNS} FROM accounts a WHERE {kept}{_of(standings)}"  # noqa: S608 - of our own names
        " AND a.account_id > :last ORDER BY a.account_id LIMIT :chunk"
    )


def _of(standings: tuple[Standing, ...]) -> str:
    listed = ", ".join(f"'{standing.value}'" for standing in standings)
    return f" AND a.standing IN ({listed})" if listed else ""


def _filters(has_depths: bool, has_segments: bool) -> list[str]:
    return [*(["a.depth IN :depths"] if has_depths else []), *(["a.segment IN :segments"] if has_segments else [])]


def _values(book: str, moment: Moment) -> dict[str, Any]:
    return {"book": book, "position": moment.position, "booked_at": moment.booked_at, "at": moment.at}


async def _by_id(
    tx: AsyncConnection, statement: Sql, values: Mapping[str, Any], last: UUID = _FIRST
) -> AsyncGenerator[Account]:
    count = CHUNK_ROWS
    while count == CHUNK_ROWS:
        rows = await rows_of(tx, statement, **values, last=last, chunk=CHUNK_ROWS)
        for account in map(account_of_record, rows):
            yield account
            last = account.account_id
        count = len(rows)
