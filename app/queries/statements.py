"""A page of an account's statement."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.instant import Instant
from app.queries.ledger_lines import Line
from app.records import entry_of_record
from app.sql import Sql, columns_of, rows_of, uuid_of
from app.tables import entries

_EVER = 2**62  # no instant is so far off


def _balance_before(instant: str) -> str:
    return (
        "(SELECT before.balance_after FROM entries before WHERE before.book = :book"  # noqa: S608 - our own words
        f" AND before.account_id = :account_id AND before.booked_at < :{instant} ORDER BY before.sequence DESC LIMIT 1)"
    )


# From the book, so that a period without an entry has its balances too.
_PAGE = Sql(
    f"SELECT {_balance_before('start')}, {_balance_before('end')}, page.*"  # noqa: S608 - of our own columns
    f" FROM books b LEFT JOIN (SELECT (SELECT r.entry_id FROM entries r"
    f" WHERE r.book = :book AND r.reverses = e.entry_id) AS reversed_by, {columns_of(entries, 'e')} FROM entries e"
    " WHERE e.book = :book AND e.account_id = :account_id AND e.sequence > :after"
    " AND e.booked_at >= :start AND e.booked_at < :end ORDER BY e.sequence LIMIT :limit"
    ") page ON page.book = b.book WHERE b.book = :book ORDER BY page.sequence"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementPage:
    """An account's lines in order, and the balances before the first and after the last line of the whole period."""

    opening: int
    closing: int
    lines: list[Line]


async def statement_page(
    tx: AsyncConnection,
    book: str,
    account_id: UUID,
    *,
    after: int,
    start: Instant | None,
    end: Instant | None,
    limit: int,
) -> StatementPage:
    """Up to `limit` lines after a sequence, booked in [start, end), in one statement. Requires an existing book."""
    first, last = -_EVER if start is None else start, _EVER if end is None else end
    rows = await rows_of(
        tx, _PAGE, book=book, account_id=account_id, after=after, start=first, end=max(first, last), limit=limit
    )
    return StatementPage(
        opening=rows[0][0] or 0,
        closing=rows[0][1] or 0,
        lines=[Line(entry=entry_of_record(row[3:]), reversed_by=uuid_of(row[2])) for row in rows if row[3] is not None],
    )
