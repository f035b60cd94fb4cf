"""One customer: the account, the balance, and what changed its standing."""

import hashlib
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response

from app.api.body import StrictRoute
from app.api.cursor import decode_cursor, encode_cursor
from app.api.state import LedgerDep, Reader, Writer
from app.api.views import account_view
from app.api.wire import AccountOut, BalanceOut, CrossingOut, shown
from app.api.wire_in import CustomerPatch, CustomerPath, LookupIn, WireTime, instant_or_none
from app.api.wire_pages import CrossingsOut, LookupOut, UnknownOut
from app.domain.account import Account
from app.domain.errors import Fault, InvalidRequest
from app.domain.worklist import felt_balance
from app.operations.describe_customer import describe_customer
from app.operations.look_back import look_back
from app.operations.read_customer import Reading, find_customer, find_customers, reading
from app.queries.crossings import Recorded, recorded_crossings

INCLUDES = ("recent",)

router = APIRouter(prefix="/v1/customers", route_class=StrictRoute, tags=["customers"])

Include = Annotated[str | None, Query(description="a comma-separated list of: recent")]


@router.post("/lookup")
async def look_up(body: LookupIn, ledger: LedgerDep, key: Reader) -> LookupOut:
    """Up to 500 customers at once, in the order asked for; an unknown one is `found: false`."""
    async with ledger.database.read() as tx:
        view = await reading(ledger, tx, key.book)
        found = await find_customers(view, body.customers)
        return LookupOut(
            customers=[
                await account_view(view, found[name].account, name) if name in found else UnknownOut(customer=name)
                for name in body.customers
            ]
        )


@router.get("/{customer}")
async def get_customer(customer: CustomerPath, ledger: LedgerDep, key: Reader, include: Include = None) -> AccountOut:
    """The customer's account as it stands now; `because` names the three entries that weigh most."""
    wanted = _included(include)
    async with ledger.database.read() as tx:
        view = await reading(ledger, tx, key.book)
        found = await find_customer(view, customer)
        return await account_view(view, found.account, customer, with_recent="recent" in wanted)


@router.patch("/{customer}")
async def patch_customer(customer: CustomerPath, body: CustomerPatch, ledger: LedgerDep, key: Writer) -> AccountOut:
    """Set the segment, whose thresholds may differ, and the value that ranks the worklist."""
    async with ledger.database.read() as tx:
        account = (await find_customer(await reading(ledger, tx, key.book), customer)).account
    described = await describe_customer(
        ledger, key.book, account.account_id, body.model_dump(include=body.model_fields_set)
    )
    async with ledger.database.read() as tx:
        view = await reading(ledger, tx, key.book)
        return await account_view(view, view.advanced(described).account, customer)


@router.get("/{customer}/balance", response_model=BalanceOut, responses={304: {"description": "Not modified."}})
async def get_balance(
    customer: CustomerPath,
    ledger: LedgerDep,
    key: Reader,
    as_of: Annotated[WireTime | None, Query(description="value time")] = None,
    known_at: Annotated[WireTime | None, Query(description="booked time")] = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """The balance now; or as it was at `as_of`, as far as it was known at `known_at`."""
    async with ledger.database.read() as tx:
        view = await reading(ledger, tx, key.book)
        account = (await find_customer(view, customer)).account
        if as_of is None and known_at is None:
            out = _balance_of(view, account)
        else:
            seen = await look_back(view, account, as_of=instant_or_none(as_of), known_at=instant_or_none(known_at))
            out = BalanceOut(
                balance=seen.balance,
                felt=shown(seen.felt.balance),
                standing=seen.place.standing,
                depth=seen.place.depth,
            )
    return _tagged(out.model_dump_json().encode(), if_none_match)


@router.get("/{customer}/crossings")
async def get_crossings(
    customer: CustomerPath,
    ledger: LedgerDep,
    key: Reader,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> CrossingsOut:
    """Every change of standing or depth, the earliest first, up to this instant."""
    after = decode_cursor(cursor, {"ordinal": int})["ordinal"] if cursor else 0
    async with ledger.database.read() as tx:
        view = await reading(ledger, tx, key.book)
        found = await find_customer(view, customer)
        kept = await recorded_crossings(tx, key.book, found.account.account_id, after=after, limit=limit + 1)
    first_unrecorded = found.account.crossings - len(found.unrecorded) + 1
    coming = [
        Recorded(ordinal=ordinal, crossing=crossing, announced=False)
        for ordinal, crossing in enumerate(found.unrecorded, start=first_unrecorded)
        if ordinal > after
    ]
    page = [*kept, *coming]
    shown_page = page[:limit]
    return CrossingsOut(
        crossings=[CrossingOut.of(each.ordinal, each.crossing, announced=each.announced) for each in shown_page],
        next_cursor=encode_cursor({"ordinal": shown_page[-1].ordinal}) if len(page) > limit else None,
    )


def _balance_of(view: Reading, account: Account) -> BalanceOut:
    return BalanceOut(
        balance=account.balance,
        felt=shown(felt_balance(account, view.policy, view.now)),
        standing=account.place.standing,
        depth=account.place.depth,
    )


def _tagged(body: bytes, if_none_match: str | None) -> Response:
    """The bytes under the ETag that is their hash; 304 if the caller has them."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    known = {each.strip().removeprefix("W/") for each in (if_none_match or "").split(",")}
    if tag in known or "*" in known:
        return Response(status_code=304, headers={"ETag": tag})
    return Response(body, media_type="application/json", headers={"ETag": tag})


def _included(include: str | None) -> set[str]:
    wanted = {part for part in (include or "").split(",") if part}
    if not wanted <= set(INCLUDES):
        fault = Fault(pointer="/query/include", code="include_unknown", detail=f"known here: {', '.join(INCLUDES)}")
        raise InvalidRequest(faults=(fault,))
    return wanted
