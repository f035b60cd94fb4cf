"""The worklist: who is overdrawn, who is ready to be delighted, exact at one instant over all its pages."""

from dataclasses import astuple
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic_core import to_json

from app.api.body import StrictRoute
from app.api.cursor import CURSOR_CHARACTERS_MAX, decode_cursor, encode_cursor
from app.api.json_answer import JsonAnswer
from app.api.openapi import ANSWERS
from app.api.state import LedgerDep, Reader
from app.api.views import account_views, hindsight_views
from app.api.wire_fields import Listed, PageSize, Segment, WireTime
from app.api.wire_pages import WorklistOut
from app.domain.errors import Fault, InvalidRequest
from app.domain.instant import Instant, instant_of, wire_time
from app.domain.shown import Shown
from app.domain.standing import Depth, Standing
from app.domain.worklist import Asked, Filter, Moment, Order, Rank
from app.operations.ledger import Ledger
from app.operations.list_customers import list_customers
from app.operations.look_back import worklist_as_of
from app.operations.read_customer import Reading, reading
from app.sealing.keys import Key

router = APIRouter(prefix="/v1/customers", route_class=StrictRoute, tags=["customers"])

Many = Query(description="one value, several times, or a comma-separated list")


@router.get("", response_model=WorklistOut, responses=ANSWERS)
async def get_worklist(
    ledger: LedgerDep,
    key: Reader,
    standing: Annotated[Listed[Standing] | None, Many] = None,
    depth: Annotated[Listed[Depth] | None, Many] = None,
    segment: Annotated[Listed[Segment] | None, Many] = None,
    order: Annotated[Order | None, Query(description="what comes first; felt with as_of, else standing_since")] = None,
    as_of: Annotated[WireTime | None, Query(description="value time: the worklist in hindsight")] = None,
    limit: Annotated[PageSize, Query()] = 50,
    cursor: Annotated[str | None, Query(max_length=CURSOR_CHARACTERS_MAX)] = None,
) -> Response:
    """Accounts by standing, depth and segment, in one of five orders."""
    wanted = Filter(standings=tuple(standing or ()), depths=tuple(depth or ()), segments=tuple(segment or ()))
    if as_of is None:
        page = await _now(ledger, key.book, wanted, order or Order.STANDING_SINCE, limit, cursor)
    else:
        page = await _in_hindsight(ledger, key.book, wanted, order or Order.FELT, instant_of(as_of), limit, cursor)
    return JsonAnswer(to_json(page))


async def _now(ledger: Ledger, book: str, wanted: Filter, order: Order, limit: int, cursor: str | None) -> Shown:
    listed = ("worklist", wanted, order)

    def asked_under(own: Key) -> Asked:
        return Asked(wanted=wanted, order=order, limit=limit + 1, goes_on=_goes_on(own, listed, cursor))

    async with ledger.database.read(book, by_index=True) as tx:
        found = await list_customers(ledger, tx, book, asked_under)
        shown = found.page[:limit]
        customers = [(account, found.names[account.account_id]) for _, account in shown]
        return {
            "at": wire_time(found.moment.at),
            "customers": await account_views(found.view, customers),
            "next_cursor": (
                _cursor(found.view, listed, found.moment, shown[-1][0]) if len(found.page) > limit else None
            ),
        }


async def _in_hindsight(
    ledger: Ledger, book: str, wanted: Filter, order: Order, as_of: Instant, limit: int, cursor: str | None
) -> Shown:
    if order is Order.STANDING_SINCE:
        detail = "hindsight knows no standing_since: order by felt, stake, balance or last_entry_at"
        raise InvalidRequest(faults=(Fault(pointer="/query/order", code="order_unknown", detail=detail),))
    listed = ("worklist in hindsight", wanted, order, as_of)
    async with ledger.database.read(book) as tx:
        view = await reading(ledger, tx, book)
        moment, after = _goes_on(view.book_key, listed, cursor) or (Moment.begun(view.head, as_of), None)
        page = await worklist_as_of(view, moment=moment, wanted=wanted, order=order, after=after, limit=limit + 1)
        shown = page[:limit]
        return {
            "at": wire_time(as_of),
            "customers": await hindsight_views(view, [seen for _, seen in shown]),
            "next_cursor": _cursor(view, listed, moment, shown[-1][0]) if len(page) > limit else None,
        }


def _cursor(view: Reading, listed: tuple[object, ...], moment: Moment, last: Rank) -> str:
    return encode_cursor(view.book_key, listed, [*astuple(moment), *last])


def _goes_on(own: Key, listed: tuple[object, ...], cursor: str | None) -> tuple[Moment, Rank] | None:
    """The moment of the list that the cursor goes on with, and where it is; None if it begins."""
    if cursor is None:
        return None
    at, position, booked_at, policy_version, *after = decode_cursor(own, listed, cursor)
    moment = Moment(at=at, position=position, booked_at=booked_at, policy_version=policy_version)
    return moment, (after[0], after[1])
