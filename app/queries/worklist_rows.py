"""The rows of a worklist: those that are settled at its moment in their order, by index, and the few that are not."""

from collections.abc import AsyncGenerator, Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.account import Account
from app.domain.standing import Standing
from app.domain.worklist import INDEXED, Filter, Moment, Order, Rank
from app.queries.accounts import its_account
from app.records import account_of_record
from app.sql import Sql, columns_of, rows_of
from app.tables import accounts

CHUNK_ROWS = 1_000  # accounts held at once while all are looked at

_COLUMNS = columns_of(accounts, "a")
_GENERATION = "(SELECT b.generation FROM books b WHERE b.book = :book)"
_CURRENT = f"a.book = :book AND a.generation = {_GENERATION}"
# With a plus no index leads there: nearly every account is settled, and SQLite would read them all to sort a page.
_SETTLED = (
    "a.position <= :position AND +a.touched_at <= :booked_at AND +a.look_again_at > :at"
    " AND (a.crossed_at IS NULL OR a.crossed_at <= :at)"
)
_BY_ID = "a.account_id > :last ORDER BY a.account_id LIMIT :limit"
_FIRST = UUID(int=0)  # no account has it

# Whatever is unsettled now has left its trace in one of three indexes: it is due, it was touched, or it crossed. What
# was posted later was never booked before, so that no index by position is needed: while history is replayed it may be
# booked at the same instant. Each order names the index.
_TRACES = (
    f"accounts a WHERE {_CURRENT} AND a.look_again_at <= :at ORDER BY a.look_again_at",
    f"accounts a WHERE {_CURRENT} AND a.touched_at >= :booked_at ORDER BY a.touched_at",
    "crossings a WHERE a.book = :book AND a.at > :at ORDER BY a.at",
)
_TRACED = " UNION ".join(f"SELECT * FROM (SELECT a.account_id FROM {each}) t{n}" for n, each in enumerate(_TRACES))  # noqa: S608 - of our own names
_FROM_TRACES = f"SELECT {_COLUMNS} FROM ({_TRACED}) u"  # noqa: S608 - of our own names
_THESE = f" WHERE a.opened_at <= :at AND NOT ({_SETTLED}) AND u.account_id > :last ORDER BY u.account_id LIMIT :limit"
_UNSETTLED = Sql(
    f"{_FROM_TRACES} JOIN accounts a ON {_CURRENT} AND a.account_id = u.account_id{_THESE}",
    on_postgres=f"{_FROM_TRACES} JOIN {its_account('u.account_id', _GENERATION)}{_THESE}",
)
_ALL = Sql(f"SELECT {_COLUMNS} FROM accounts a WHERE {_CURRENT} AND a.opened_at <= :at AND {_BY_ID}")  # noqa: S608 - of our own names

# What an index gives in order, the next after a place in it. The latest entry is first, of equals the lower id.
_ORDERS = {
    Order.STANDING_SINCE: ("a.standing_since, a.account_id", "(a.standing_since, a.account_id) > (:key, :last)"),
    Order.BALANCE: ("a.balance, a.account_id", "(a.balance, a.account_id) > (:key, :last)"),
    Order.LAST_ENTRY_AT: (
        "a.last_entry_at DESC, a.account_id",
        "a.last_entry_at <= :key AND (a.last_entry_at < :key OR a.account_id > :last)",
    ),
}


async def settled_accounts(
    tx: AsyncConnection, book: str, *, moment: Moment, wanted: Filter, order: Order, after: Rank | None, limit: int
) -> AsyncGenerator[Account]:
    """The settled accounts that the filter lets through: the next `limit` after a rank, or all in an order without one.

    All of them come in no particular order.
    """
    values = _values(book, moment) | {"depths": list(wanted.depths), "segments": list(wanted.segments)}
    if order not in INDEXED:
        async for account in _by_id(tx, matching_statement(wanted), values):
            yield account
        return
    if after is not None:
        key = int(after[0])
        values |= {"key": -key if order is Order.LAST_ENTRY_AT else key, "last": UUID(after[1])}
    statement = page_statement(order, wanted, goes_on=after is not None)
    for row in await rows_of(tx, statement, **values, limit=limit):
        yield account_of_record(row)


async def unsettled_accounts(
    tx: AsyncConnection, book: str, *, moment: Moment, is_current: bool
) -> AsyncGenerator[Account]:
    """Every account that is not settled, as it is stored; without the policy of the moment that is every account."""
    async for account in _by_id(tx, _UNSETTLED if is_current else _ALL, _values(book, moment)):
        yield account


def page_statement(order: Order, wanted: Filter, *, goes_on: bool) -> Sql:
    """The statement that reads a page in an indexed order, going on after a place or from the start."""
    return _page(order, wanted.standings, bool(wanted.depths), bool(wanted.segments), goes_on)


def matching_statement(wanted: Filter) -> Sql:
    """The statement that reads all that match, in chunks."""
    return _matching(wanted.standings, bool(wanted.depths), bool(wanted.segments))


@lru_cache(maxsize=512)
def _page(order: Order, standings: tuple[Standing, ...], has_depths: bool, has_segments: bool, goes_on: bool) -> Sql:
    """Of each standing by itself where the index begins with it: no index has several of them in one order."""
    by, after = _ORDERS[order]
    kept = " AND ".join([_CURRENT, _SETTLED, *([after] if goes_on else []), *_filters(has_depths, has_segments)])
    apart = [(each,) for each in dict.fromkeys(standings or Standing)] if order is Order.STANDING_SINCE else [standings]
    arms = [
        f"SELECT {_COLUMNS} FROM accounts a WHERE {kept}{_of(some)} ORDER BY {by} LIMIT :limit"  # noqa: S608 - of our own names
        for some in apart
    ]
    union = " UNION ALL ".join(f"SELECT * FROM ({arm}) s{number}" for number, arm in enumerate(arms))  # noqa: S608 - of our own names
    return Sql(f"SELECT * FROM ({union}) a ORDER BY {by} LIMIT :limit" if len(arms) > 1 else union)  # noqa: S608 - of our own names


@lru_cache(maxsize=64)
def _matching(standings: tuple[Standing, ...], has_depths: bool, has_segments: bool) -> Sql:
    kept = " AND ".join([_CURRENT, _SETTLED, *_filters(has_depths, has_segments)])
    return Sql(f"SELECT {_COLUMNS} FROM accounts a WHERE {kept}{_of(standings)} AND {_BY_ID}")  # noqa: S608 - of our own names


def _of(standings: tuple[Standing, ...]) -> str:
    listed = ", ".join(f"'{standing.value}'" for standing in standings)
    return f" AND a.standing IN ({listed})" if listed else ""


def _filters(has_depths: bool, has_segments: bool) -> list[str]:
    return [*(["a.depth IN :depths"] if has_depths else []), *(["a.segment IN :segments"] if has_segments else [])]


def _values(book: str, moment: Moment) -> dict[str, Any]:
    return {"book": book, "position": moment.position, "booked_at": moment.booked_at, "at": moment.at}


async def _by_id(tx: AsyncConnection, statement: Sql, values: Mapping[str, Any]) -> AsyncGenerator[Account]:
    last, count = _FIRST, CHUNK_ROWS
    while count == CHUNK_ROWS:
        rows = await rows_of(tx, statement, **values, last=last, limit=CHUNK_ROWS)
        for account in map(account_of_record, rows):
            yield account
            last = account.account_id
        count = len(rows)
