"""A customer's statement: JSON, or CSV for a spreadsheet."""

import csv
import io
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response

from app.api.body import StrictRoute
from app.api.cursor import decode_cursor, encode_cursor
from app.api.state import LedgerDep, Reader
from app.api.wire import EntryOut
from app.api.wire_in import CustomerPath, WireTime, instant_or_none
from app.api.wire_pages import StatementOut
from app.domain.errors import NotAcceptable
from app.operations.read_customer import find_customer, reading
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
_CSV_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "The statement."}
}


@router.get("/{customer}/statement", response_model=StatementOut, responses=_CSV_ANSWER)
async def get_statement(
    customer: CustomerPath,
    ledger: LedgerDep,
    key: Reader,
    from_: Annotated[WireTime | None, Query(alias="from", description="booked at or after")] = None,
    to: Annotated[WireTime | None, Query(description="booked before")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
    accept: Annotated[str, Header()] = "application/json",
) -> Response:
    """The entries booked in a period, in booked order, with the balance before the first and after the last."""
    media_type = _chosen(accept)
    after = decode_cursor(cursor, {"sequence": int})["sequence"] if cursor else 0
    start, end = instant_or_none(from_), instant_or_none(to)
    async with ledger.database.read() as tx:
        view = await reading(ledger, tx, key.book)
        account = (await find_customer(view, customer)).account
        account_id = account.account_id
        lines = await lines_of_account(tx, key.book, account_id, after=after, start=start, end=end, limit=limit + 1)
        opening = 0 if start is None else await balance_before(tx, key.book, account_id, start)
        closing = await balance_before(tx, key.book, account_id, end)
    shown = lines[:limit]
    statement = StatementOut(
        customer=customer,
        opening_balance=opening,
        closing_balance=opening if start is not None and end is not None and end <= start else closing,
        entries=[EntryOut.of(line.entry, customer, line.reversed_by) for line in shown],
        next_cursor=encode_cursor({"sequence": shown[-1].entry.sequence}) if len(lines) > limit else None,
    )
    if media_type == "text/csv":
        return Response(_csv(statement), media_type="text/csv; charset=utf-8", headers=_next_page(statement))
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


def _chosen(accept: str) -> str:
    """JSON unless CSV is asked for; NotAcceptable if neither is accepted."""
    wanted = [part.split(";")[0].strip().lower() for part in accept.split(",")]
    if any(each in ("application/json", "application/*", "*/*", "") for each in wanted):
        return "text/csv" if wanted[0] == "text/csv" else "application/json"
    if any(each in ("text/csv", "text/*") for each in wanted):
        return "text/csv"
    raise NotAcceptable("This address gives application/json or text/csv.")
