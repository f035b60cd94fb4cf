"""What a worklist's statements are made of: which accounts are settled at its moment, and where to find the others."""

from collections.abc import Callable, Mapping
from typing import Any

from app.domain.standing import Standing
from app.domain.worklist import Filter, Moment
from app.queries.accounts import its_account
from app.sql import Sql, columns_of
from app.tables import accounts


def of_head(value: str) -> str:
    """A value of the book's head, within another statement."""
    return f"(SELECT {value} FROM books b WHERE b.book = :book)"  # noqa: S608 - our own words


COLUMNS = columns_of(accounts, "a")
_GENERATION = of_head("b.generation")
CURRENT = f"a.book = :book AND a.generation = {_GENERATION}"

Words = Mapping[str, str]
"""A moment in SQL, and what was touched `later`."""

GIVEN: Words = {
    "at": ":at",
    "position": ":position",
    "booked_at": ":booked_at",
    "later": "a.touched_at >= :booked_at",  # while history is replayed, more may be booked at the same instant
}
"""The moment of a list that goes on; see `values_of`."""

PRESENT: Words = {
    "at": of_head("CASE WHEN b.booked_at > :now + b.clock_ahead THEN b.booked_at ELSE :now + b.clock_ahead END"),
    "position": of_head("b.position"),
    "booked_at": of_head("b.booked_at"),
    "later": f"a.touched_at > {of_head('b.booked_at')}",
}
"""The moment of a list that begins: its book's own, `now` being that of the clock."""


def values_of(book: str, moment: Moment) -> dict[str, Any]:
    """The values of GIVEN."""
    return {"book": book, "position": moment.position, "booked_at": moment.booked_at, "at": moment.at}


def settled(moment: Words) -> str:
    """With a plus no index leads there: nearly every account is settled, and SQLite would read them all for a page."""
    return (
        f"a.position <= {moment['position']} AND +a.touched_at <= {moment['booked_at']}"
        f" AND +a.look_again_at > {moment['at']} AND (a.crossed_at IS NULL OR a.crossed_at <= {moment['at']})"
    )


def unsettled(moment: Words, within: Callable[[str], str] = str) -> Sql:
    """The statement that reads the accounts that are not settled, in chunks by id; or another, within which it stands.

    On PostgreSQL no condition from outside may lead to another index of a trace than its order.
    """
    on_sqlite = _unsettled(moment, f"accounts a ON {CURRENT} AND a.account_id = u.account_id")
    on_postgres = _unsettled(moment, its_account("u.account_id", _GENERATION), apart=" OFFSET 0")
    return Sql(within(on_sqlite), on_postgres=within(on_postgres))


def _unsettled(moment: Words, its_row: str, *, apart: str = "") -> str:
    """Whatever is unsettled now has left its trace in one of three indexes: it is due, it was touched, or it crossed.

    What was posted later was never booked before, so that no index by position is needed. Each order names the index.
    """
    traces = (
        f"accounts a WHERE {CURRENT} AND a.look_again_at <= {moment['at']} ORDER BY a.look_again_at",
        f"accounts a WHERE {CURRENT} AND {moment['later']} ORDER BY a.touched_at",
        f"crossings a WHERE a.book = :book AND a.at > {moment['at']} ORDER BY a.at",
    )
    traced = " UNION ".join(
        f"SELECT * FROM (SELECT a.account_id FROM {each}{apart}) t{n}"  # noqa: S608 - of our own names
        for n, each in enumerate(traces)
    )
    return (
        f"SELECT {COLUMNS} FROM ({traced}) u JOIN {its_row} WHERE a.opened_at <= {moment['at']}"  # noqa: S608 - of our own names
        f" AND NOT ({settled(moment)}) AND u.account_id > :last ORDER BY u.account_id LIMIT :chunk"
    )


Shape = tuple[tuple[Standing, ...], bool, bool]
"""What of a filter a statement spells out: the standings, and whether there are depths and segments."""


def shape_of(wanted: Filter) -> Shape:
    """The shape of a filter; its lists are values, see `lists_of`."""
    return wanted.standings, bool(wanted.depths), bool(wanted.segments)


def lists_of(wanted: Filter) -> dict[str, Any]:
    """The values of what `filtered` names."""
    return {"depths": [*wanted.depths], "segments": [*wanted.segments]}


def filtered(shape: Shape) -> str:
    """What a filter adds to a condition."""
    standings, has_depths, has_segments = shape
    listed = ", ".join(f"'{standing.value}'" for standing in standings)
    return (
        (f" AND a.standing IN ({listed})" if listed else "")
        + (" AND a.depth IN :depths" if has_depths else "")
        + (" AND a.segment IN :segments" if has_segments else "")
    )
