"""A page of an account's statement."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.immutable import immutable
from app.domain.instant import Instant
from app.queries.accounts import ITS_ACCOUNT_ID
from app.queries.ledger_lines import Line
from app.records import entry_of_record
from app.sql import Sql, columns_of, rows_of, uuid_of
from app.tables import entries

_EVER = 2**62  # no instant is so far off


def _balance_before(instant: str) -> str:
    return (
        "(SELECT before.balance_after FROM entries before WHERE before.book = :book"  # noqa: S608 - our own words
        f" AND before.account_id = {ITS_ACCOUNT_ID} AND before.booked_at < :{instant}"
        " ORDER BY before.sequence DESC LIMIT 1)"
    )


# From the book, so that a period without an entry has its balances too.
_PAGE = Sql(
    f"SELECT b.wrapped_key, {ITS_ACCOUNT_ID}, {_balance_before('start')}, {_balance_before('end')}, page.*"  # noqa: S608 - of our own columns
    f" FROM books b LEFT JOIN (SELECT (SELECT r.entry_id FROM entries r"
    f" WHERE r.book = :book AND r.reverses = e.entry_id) AS reversed_by, {columns_of(entries, 'e')} FROM entries e"
    f" WHERE e.book = :book AND e.account_id = {ITS_ACCOUNT_ID} AND e.sequence > :after"
    " AND e.booked_at >= :start AND e.booked_at < :end ORDER BY e.sequence LIMIT :limit"
    ") page ON page.book = b.book WHERE b.book = :book ORDER BY page.sequence"
)


@immutable
class StatementPage:
    """An account's lines in order, and the balances before the first and after the last line of the whole period.

    `account_id` is None if nobody has this name. `wrapped_key` is the book's own key.
    """

    wrapped_key: bytes
    account_id: UUID | None
    opening: int
    closing: int
    lines: list[Line]


async def statement_page(
    tx: AsyncConnection,
    book: str,
    alias_hash: bytes,
    *,
    after: int,
    start: Instant | None,
    end: Instant | None,
    limit: int,
) -> StatementPage:
    """Up to `limit` lines after a sequence, booked in [start, end), in one statement. Requires an existing book."""
    first, last = -_EVER if start is None else start, _EVER if end is None else end
    rows = await rows_of(
        tx, _PAGE, book=book, alias_hash=alias_hash, after=after, start=first, end=max(first, last), limit=limit
    )
    wrapped_key, account_id, opening, closing = rows[0][:4]
    return StatementPage(
        wrapped_key=wrapped_key,
        account_id=uuid_of(account_id),
        opening=opening or 0,
        closing=closing or 0,
        lines=[Line(entry=entry_of_record(row[5:]), reversed_by=uuid_of(row[4])) for row in rows if row[5] is not None],
    )
