"""A customer's statement: JSON, or CSV for a spreadsheet."""

import csv
import io
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response

from app.api.accept import CSV_TYPE, chosen_type
from app.api.body import StrictRoute
from app.api.cursor import CURSOR_CHARACTERS_MAX, decode_cursor, encode_cursor
from app.api.openapi import ANSWERS, Responses, header, refusals
from app.api.state import LedgerDep, Reader
from app.api.wire import EntryOut
from app.api.wire_fields import CustomerPath, PageSize, WireTime, instant_or_none
from app.api.wire_pages import StatementOut
from app.operations.read_customer import find_customer
from app.queries.ledger_lines import balance_before, lines_of_account

router = APIRouter(prefix="/v1/customers", route_class=StrictRoute, tags=["customers"])

CSV_COLUMNS = (
    "position",
    "sequence",
    "booked_at",
    "value_at",
    "kind",
    "direction",
    "magnitude",
    "points",
    "balance_after",
    "source",
    "interaction",
    "id",
    "reverses",
    "reversed_by",
)
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_ANSWERS: Responses = {
    200: {
        "description": "The statement. CSV carries the balances and the next cursor in headers.",
        "content": {CSV_TYPE: {"schema": {"type": "string"}}},
        "headers": {
            name: {**header(f"with {CSV_TYPE} only", {"type": kind}), "required": False}
            for name, kind in {
                "X-Opening-Balance": "integer",
                "X-Closing-Balance": "integer",
                "X-Next-Cursor": "string",
            }.items()
        },
    },
    **ANSWERS,
    **refusals(404, 406),
}


@router.get("/{customer}/statement", response_model=StatementOut, responses=_ANSWERS)
async def get_statement(
    customer: CustomerPath,
    ledger: LedgerDep,
    key: Reader,
    from_: Annotated[WireTime | None, Query(alias="from", description="booked at or after")] = None,
    to: Annotated[WireTime | None, Query(description="booked before")] = None,
    limit: Annotated[PageSize, Query()] = 50,
    cursor: Annotated[str | None, Query(max_length=CURSOR_CHARACTERS_MAX)] = None,
    accept: Annotated[str, Header(include_in_schema=False)] = "*/*",
) -> Response:
    """The entries booked in a period, in booked order, with the balance before the first and after the last."""
    media_type = chosen_type(accept)
    start, end = instant_or_none(from_), instant_or_none(to)
    async with ledger.database.read() as tx:
        view, found = await find_customer(ledger, tx, key.book, customer)
        account_id = found.account.account_id
        listed = ("statement", account_id, start, end)
        (after,) = decode_cursor(view.book_key, listed, cursor) if cursor is not None else (0,)
        lines = await lines_of_account(tx, key.book, account_id, after=after, start=start, end=end, limit=limit + 1)
        opening = 0 if start is None else await balance_before(tx, key.book, account_id, start)
        closing = await balance_before(tx, key.book, account_id, end)
    shown = lines[:limit]
    statement = StatementOut(
        customer=customer,
        opening_balance=opening,
        closing_balance=opening if start is not None and end is not None and end <= start else closing,
        entries=[EntryOut.of(line.entry, customer, line.reversed_by) for line in shown],
        next_cursor=encode_cursor(view.book_key, listed, [shown[-1].entry.sequence]) if len(lines) > limit else None,
    )
    if media_type == CSV_TYPE:
        return Response(_csv(statement), media_type=f"{CSV_TYPE}; charset=utf-8", headers=_next_page(statement))
    return Response(statement.model_dump_json(), media_type=media_type)


def _csv(statement: StatementOut) -> str:
    """The entries as RFC 4180 lines; text that a spreadsheet would take for a formula is quoted as text."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(CSV_COLUMNS)
    for entry in statement.entries:
        row = {**entry.model_dump(mode="json"), "source": entry.interaction.source, "interaction": entry.interaction.id}
        writer.writerow([_cell(row[name]) for name in CSV_COLUMNS])
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return "'" + value
    return "" if value is None else value


def _next_page(statement: StatementOut) -> dict[str, str]:
    """CSV has no room for the balances and the cursor: they travel as headers."""
    headers = {
        "X-Opening-Balance": str(statement.opening_balance),
        "X-Closing-Balance": str(statement.closing_balance),
    }
    return {**headers, "X-Next-Cursor": statement.next_cursor} if statement.next_cursor else headers
