"""The worklist: who is overdrawn, who is ready to be delighted, exact at one instant over all its pages."""

import hashlib
from typing import Annotated

from fastapi import APIRouter, Query

from app.api.body import StrictRoute
from app.api.cursor import decode_cursor, encode_cursor, invalid_cursor
from app.api.state import LedgerDep, Reader
from app.api.views import account_view, hindsight_view
from app.api.wire_in import Identifier, WireTime
from app.api.wire_pages import WorklistOut
from app.domain.errors import Fault, InvalidRequest
from app.domain.instant import Instant, instant_of, moment_of
from app.domain.standing import Depth, Standing
from app.domain.worklist import Filter, Moment, Order, Rank
from app.operations.look_back import worklist_as_of
from app.operations.read_customer import Reading, reading
from app.queries.accounts import keys_of, names_of
from app.queries.worklist import worklist

router = APIRouter(prefix="/v1/customers", route_class=StrictRoute, tags=["customers"])

Many = Query(description="one value, several times, or a comma-separated list")


@router.get("")
async def get_worklist(
    ledger: LedgerDep,
    key: Reader,
    standing: Annotated[list[str] | None, Many] = None,
    depth: Annotated[list[str] | None, Many] = None,
    segment: Annotated[list[Identifier] | None, Many] = None,
    order: Annotated[Order | None, Query(description="what comes first; felt with as_of, else standing_since")] = None,
    as_of: Annotated[WireTime | None, Query(description="value time: the worklist in hindsight")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> WorklistOut:
    """Accounts by standing, depth and segment, in one of five orders."""
    wanted = Filter(
        standings=tuple(Standing(name) for name in _named("standing", standing, list(Standing))),
        depths=tuple(Depth(name) for name in _named("depth", depth, list(Depth))),
        segments=tuple(_split(segment)),
    )
    async with ledger.database.read() as tx:
        view = await reading(ledger, tx, key.book)
        if as_of is not None:
            return await _in_hindsight(view, wanted, order or Order.FELT, instant_of(as_of), limit, cursor)
        return await _now(view, wanted, order or Order.STANDING_SINCE, limit, cursor)


async def _now(view: Reading, wanted: Filter, order: Order, limit: int, cursor: str | None) -> WorklistOut:
    moment, after = Moment(at=view.now, position=view.head.position), None
    if cursor is not None:
        moment, after = _place(cursor, _query_hash(wanted, order), view)
    page = await worklist(
        view.tx, view.book, view.policy, moment=moment, wanted=wanted, order=order, after=after, limit=limit + 1
    )
    then = view.at(moment.at)
    keys = await keys_of(view.tx, view.book, [account.account_id for _, account in page], view.ledger.master_key)
    names = await names_of(view.tx, view.book, keys)
    shown = page[:limit]
    return WorklistOut(
        at=moment_of(moment.at),
        customers=[await account_view(then, account, names[account.account_id]) for _, account in shown],
        next_cursor=_cursor(moment, shown[-1][0], wanted, order) if len(page) > limit else None,
    )


async def _in_hindsight(
    view: Reading, wanted: Filter, order: Order, as_of: Instant, limit: int, cursor: str | None
) -> WorklistOut:
    if order is Order.STANDING_SINCE:
        detail = "hindsight knows no standing_since: order by felt, stake, balance or last_entry_at"
        raise InvalidRequest(faults=(Fault(pointer="/query/order", code="order_unknown", detail=detail),))
    moment, after = Moment(at=as_of, position=view.head.position), None
    if cursor is not None:
        moment, after = _place(cursor, _query_hash(wanted, order, as_of), view)
    page = await worklist_as_of(view, moment=moment, wanted=wanted, order=order, after=after, limit=limit + 1)
    shown = page[:limit]
    return WorklistOut(
        at=moment_of(as_of),
        customers=[await hindsight_view(view, seen) for _, seen in shown],
        next_cursor=_cursor(moment, shown[-1][0], wanted, order, as_of) if len(page) > limit else None,
    )


def _cursor(moment: Moment, rank: Rank, wanted: Filter, order: Order, as_of: Instant | None = None) -> str:
    place = {"at": moment.at, "position": moment.position, "key": rank[0], "id": rank[1]}
    return encode_cursor({**place, "query": _query_hash(wanted, order, as_of)})


def _place(cursor: str, query_hash: str, view: Reading) -> tuple[Moment, Rank]:
    shape = {"at": int, "position": int, "key": (int, float), "id": str, "query": str}
    place = decode_cursor(cursor, shape)
    is_ours = place["query"] == query_hash and 0 <= place["position"] <= view.head.position
    if not is_ours or len(place["id"]) != 32 or not set(place["id"]) <= set("0123456789abcdef"):
        raise invalid_cursor()
    return Moment(at=place["at"], position=place["position"]), (place["key"], place["id"])


def _query_hash(wanted: Filter, order: Order, as_of: Instant | None = None) -> str:
    """A cursor goes on with the list that it came from, and with no other."""
    return hashlib.sha256(repr((wanted, order, as_of)).encode()).hexdigest()[:16]


def _split(values: list[str] | None) -> list[str]:
    return [part for value in values or [] for part in value.split(",") if part]


def _named(name: str, values: list[str] | None, known: list[str]) -> list[str]:
    found = _split(values)
    if not set(found) <= set(known):
        detail = f"known here: {', '.join(known)}"
        raise InvalidRequest(faults=(Fault(pointer=f"/query/{name}", code=f"{name}_unknown", detail=detail),))
    return found
