"""The feed: every entry of the book, gapless, in order, for ever."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic_core import to_json

from app.api.body import StrictRoute
from app.api.json_answer import JsonAnswer
from app.api.openapi import ANSWERS
from app.api.state import LedgerDep, Reader
from app.api.views import entry_views
from app.api.wire_fields import PageSize, Position
from app.api.wire_pages import EntriesOut
from app.operations.read_customer import reading
from app.queries.ledger_lines import feed

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["entries"])


@router.get("/entries", response_model=EntriesOut, responses=ANSWERS)
async def get_entries(
    ledger: LedgerDep,
    key: Reader,
    after: Annotated[Position, Query(description="the position to read on from")] = 0,
    limit: Annotated[PageSize, Query()] = 500,
) -> Response:
    """The entries after a position. A position is seen once it is committed, and never out of order."""
    async with ledger.database.read(key.book) as tx:
        view = await reading(ledger, tx, key.book)
        lines = await feed(tx, key.book, after=after, limit=limit)
        entries = await entry_views(view, lines)
    return JsonAnswer(to_json({"entries": entries, "next_after": entries[-1]["position"] if entries else after}))
