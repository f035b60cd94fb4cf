"""A customer's statement: JSON, or CSV for a spreadsheet."""

import csv
import io
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from pydantic_core import to_json

from app.api.accept import CSV_TYPE, chosen_type
from app.api.body import StrictRoute
from app.api.cursor import CURSOR_CHARACTERS_MAX, decode_cursor, encode_cursor
from app.api.json_answer import JsonAnswer
from app.api.openapi import ANSWERS, Responses, header, refusals
from app.api.state import LookupsDep, Reader
from app.api.wire_fields import CustomerPath, PageSize, WireTime, instant_or_none
from app.api.wire_pages import StatementOut
from app.domain.shown import Shown, entry_shown
from app.queries.statements import statement_page

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
    lookups: LookupsDep,
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
    looked = await lookups.of(key.book, [customer])
    account_id, own = looked.find(customer).account.account_id, looked.view.book_key
    listed = ("statement", account_id, start, end)
    (after,) = decode_cursor(own, listed, cursor) if cursor is not None else (0,)
    async with lookups.ledger.database.glance(key.book) as tx:
        page = await statement_page(tx, key.book, account_id, after=after, start=start, end=end, limit=limit + 1)
    lines = page.lines[:limit]
    statement: Shown = {
        "customer": customer,
        "opening_balance": page.opening,
        "closing_balance": page.closing,
        "entries": [entry_shown(line.entry, customer, line.reversed_by) for line in lines],
        "next_cursor": encode_cursor(own, listed, [lines[-1].entry.sequence]) if len(page.lines) > limit else None,
    }
    if media_type == CSV_TYPE:
        return Response(_csv(statement), media_type=f"{CSV_TYPE}; charset=utf-8", headers=_next_page(statement))
    return JsonAnswer(to_json(statement))


def _csv(statement: Shown) -> str:
    """The entries as RFC 4180 lines; text that a spreadsheet would take for a formula is quoted as text."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(CSV_COLUMNS)
    for entry in statement["entries"]:
        row = {**entry, "source": entry["interaction"]["source"], "interaction": entry["interaction"]["id"]}
        writer.writerow([_cell(row[name]) for name in CSV_COLUMNS])
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return "'" + value
    return "" if value is None else value


def _next_page(statement: Shown) -> dict[str, str]:
    """CSV has no room for the balances and the cursor: they travel as headers."""
    headers = {
        "X-Opening-Balance": str(statement["opening_balance"]),
        "X-Closing-Balance": str(statement["closing_balance"]),
    }
    return {**headers, "X-Next-Cursor": statement["next_cursor"]} if statement["next_cursor"] else headers
