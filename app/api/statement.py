"""A customer's statement: JSON, or CSV for a spreadsheet."""

import csv
import io
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from pydantic_core import to_json

from app.api.accept import CSV_TYPE, chosen_type
from app.api.body import StrictRoute
from app.api.cursor import CURSOR_CHARACTERS_MAX, decode_cursor, encode_cursor, invalid_cursor
from app.api.json_answer import JsonAnswer
from app.api.openapi import ANSWERS, Responses, header, refusals
from app.api.state import LedgerDep, Reader
from app.api.wire_fields import CustomerPath, PageSize, WireTime, instant_or_none
from app.api.wire_pages import StatementOut
from app.domain.errors import UnknownCustomer
from app.domain.shown import Shown, entry_shown
from app.operations.ledger import Ledger
from app.operations.read_customer import under_its_key
from app.queries.ledger_lines import Line
from app.queries.statements import StatementPage, statement_page
from app.sealing.keys import Key

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
    listed = ("statement", start, end)
    own, page = await _read(ledger, key.book, customer, listed, cursor, start=start, end=end, limit=limit + 1)
    lines = page.lines[:limit]
    statement: Shown = {
        "customer": customer,
        "opening_balance": page.opening,
        "closing_balance": page.closing,
        "entries": [entry_shown(line.entry, customer, line.reversed_by) for line in lines],
        "next_cursor": _cursor(own, listed, lines[-1]) if len(page.lines) > limit else None,
    }
    if media_type == CSV_TYPE:
        return Response(_csv(statement), media_type=f"{CSV_TYPE}; charset=utf-8", headers=_next_page(statement))
    return JsonAnswer(to_json(statement))


async def _read(
    ledger: Ledger, book: str, customer: str, listed: tuple[object, ...], cursor: str | None, **period: Any
) -> tuple[Key, StatementPage]:
    """The page, and the key that signs the cursor of the next. UnknownCustomer if nobody has this name."""

    async def read(own: Key) -> StatementPage:
        was_of, after = decode_cursor(own, listed, cursor) if cursor is not None else (None, 0)
        page = await statement_page(tx, book, own.digest(customer.encode()), after=after, **period)
        if was_of and page.account_id and was_of != page.account_id.hex:  # merged, or taken apart, in between
            raise invalid_cursor()
        return page

    async with ledger.database.glance(book) as tx:
        own, page = await under_its_key(ledger, tx, book, read)
    if page.account_id is None:
        raise UnknownCustomer
    return own, page


def _cursor(own: Key, listed: tuple[object, ...], last: Line) -> str:
    return encode_cursor(own, listed, [last.entry.account_id.hex, last.entry.sequence])


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
