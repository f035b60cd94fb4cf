"""One customer: the account, the balance, and what changed its standing."""

import hashlib
from collections.abc import Collection
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic_core import to_json

from app.api.body import JSON_TYPE, LargeRoute, StrictRoute, read_customer
from app.api.cursor import CURSOR_CHARACTERS_MAX, decode_cursor, encode_cursor
from app.api.entity_tag import tagged
from app.api.explanation import Part, parts_in_words
from app.api.json_answer import JsonAnswer
from app.api.language import LANGUAGE_HEADERS, AcceptLanguage, chosen_language, language_headers
from app.api.openapi import ANSWERS, BODY_ANSWERS, ETAG, refusals
from app.api.state import READS, LedgerDep, LookupsDep, Reader, Writer, lookups_of
from app.api.views import account_view, account_views, open_promise_views, recent_views
from app.api.wire import AccountOut, BalanceOut, CrossingOut
from app.api.wire_fields import CustomerPath, Listed, PageSize, WireTime, instant_or_none
from app.api.wire_in import CustomerPatch, LookupIn
from app.api.wire_pages import CrossingsOut, LookupOut, UnknownOut
from app.domain.api_key import ApiKey
from app.domain.shown import Shown, balance_shown
from app.domain.worklist import felt_balance
from app.operations.describe_customer import describe_customer
from app.operations.ledger import Ledger
from app.operations.look_back import look_back
from app.operations.read_customer import find_customer, reading
from app.queries.crossings import Recorded, recorded_crossings

router = APIRouter(prefix="/v1/customers", route_class=StrictRoute, tags=["customers"], responses=ANSWERS)
lookups = APIRouter(prefix="/v1/customers", route_class=LargeRoute, tags=["customers"], responses=ANSWERS)


@lookups.post("/lookup", response_model=LookupOut, responses=BODY_ANSWERS)
async def look_up(body: LookupIn, lookups: LookupsDep, key: Reader) -> Response:
    """Up to 500 customers at once, in the order asked for; an unknown one is `found: false`."""
    looked = await lookups.of(key.book, body.customers)
    found = [name for name in dict.fromkeys(body.customers) if name in looked.accounts]
    views = await account_views(looked.view, [(looked.find(name).account, name) for name in found])
    known = dict(zip(found, views, strict=True))
    return JsonAnswer(to_json({"customers": [known.get(name) or UnknownOut(customer=name) for name in body.customers]}))


@router.get(
    "/{customer}",
    response_model=AccountOut,
    responses={
        200: {
            "description": "The account. The headers come with words: with include=explanation or include=gestures.",
            "headers": {name: {**each, "required": False} for name, each in LANGUAGE_HEADERS.items()},
        },
        **refusals(404),
    },
)
async def get_customer(
    customer: CustomerPath,
    lookups: LookupsDep,
    key: Reader,
    include: Annotated[Listed[Part] | None, Query(description="one, several times, or a comma-separated list")] = None,
    accept_language: AcceptLanguage = "",
) -> Response:
    """The customer's account as it stands now; `because` names the three entries that weigh most."""
    if include:
        return await _account_with(lookups.ledger, key.book, customer, include, chosen_language(accept_language))
    looked = await lookups.of(key.book, [customer])
    return JsonAnswer(to_json(await account_view(looked.view, looked.find(customer).account, customer)))


async def _account_with(ledger: Ledger, book: str, customer: str, parts: Collection[Part], language: str) -> Response:
    async with ledger.database.read(book) as tx:
        view, found = await find_customer(ledger, tx, book, customer)
        account = found.account
        shown = await account_view(view, account, customer)
        if Part.RECENT in parts:
            shown["recent"] = await recent_views(view, account, customer)
        if Part.PROMISES in parts:
            shown["promises"] = await open_promise_views(view, account)
        told = await parts_in_words(view, account, customer, parts, language)
    headers = language_headers(language) if told else {}
    return Response(to_json({**shown, **told}), media_type=JSON_TYPE, headers=headers)


@router.patch(
    "/{customer}",
    response_model=AccountOut,
    responses={**BODY_ANSWERS, **refusals(404)},
    dependencies=[Depends(READS)],
)
async def patch_customer(customer: CustomerPath, body: CustomerPatch, ledger: LedgerDep, key: Writer) -> Response:
    """Set the segment, whose thresholds may differ, and the value that ranks the worklist.

    Both count from now on: a look back goes by what was known then. Setting what is set already changes nothing.

    Needs both scopes: interactions:write, and accounts:read for the account that is the answer.
    """
    async with ledger.database.read(key.book) as tx:
        _, found = await find_customer(ledger, tx, key.book, customer)
    described = await describe_customer(
        ledger, key.book, found.account.account_id, body.model_dump(include=body.model_fields_set)
    )
    async with ledger.database.read(key.book) as tx:
        view = await reading(ledger, tx, key.book)
        return JsonAnswer(to_json(await account_view(view, view.advanced(described).account, customer)))


@router.get(
    "/{customer}/balance",
    response_model=BalanceOut,
    responses={
        200: {"description": "The balance.", "headers": ETAG},
        304: {"description": "Not modified.", "headers": ETAG},
        **refusals(404),
    },
)
async def get_balance(
    customer: CustomerPath,
    request: Request,
    key: Reader,
    as_of: Annotated[WireTime | None, Query(description="value time")] = None,
    known_at: Annotated[WireTime | None, Query(description="booked time")] = None,
    if_none_match: Annotated[
        str | None, Header(alias="If-None-Match", description="the ETag of the balance that you have")
    ] = None,
) -> Response:
    """The balance now; or as it was at `as_of`, as far as it was known at `known_at`."""
    if as_of is None and known_at is None:
        return await _balance_now(request, key, customer, if_none_match)
    ledger = (await lookups_of(request)).ledger
    async with ledger.database.read(key.book) as tx:
        view, found = await find_customer(ledger, tx, key.book, customer)
        seen = await look_back(view, found.account, as_of=instant_or_none(as_of), known_at=instant_or_none(known_at))
    return _tagged_balance(balance_shown(seen.balance, seen.felt.balance, seen.place), if_none_match)


async def answer_balance(request: Request) -> Response:
    """What `get_balance` does without parameters; the door comes here directly."""
    key = READS.check(request)
    customer = read_customer(request.path_params["customer"])
    sent = next((value for name, value in request.scope["headers"] if name == b"if-none-match"), None)
    return await _balance_now(request, key, customer, None if sent is None else sent.decode("latin-1"))


async def _balance_now(request: Request, key: ApiKey, customer: str, if_none_match: str | None) -> Response:
    looked = await (await lookups_of(request)).of(key.book, [customer])
    account, view = looked.find(customer).account, looked.view
    felt = felt_balance(account, view.policy, view.now)
    return _tagged_balance(balance_shown(account.balance, felt, account.place), if_none_match)


def _tagged_balance(balance: Shown, if_none_match: str | None) -> Response:
    body = to_json(balance)
    return tagged(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"', if_none_match)


@router.get("/{customer}/crossings", responses=refusals(404))
async def get_crossings(
    customer: CustomerPath,
    ledger: LedgerDep,
    key: Reader,
    limit: Annotated[PageSize, Query()] = 50,
    cursor: Annotated[str | None, Query(max_length=CURSOR_CHARACTERS_MAX)] = None,
) -> CrossingsOut:
    """Every change of standing or depth, the earliest first, up to this instant."""
    async with ledger.database.read(key.book) as tx:
        view, found = await find_customer(ledger, tx, key.book, customer)
        listed = ("crossings", found.account.account_id)
        (after,) = decode_cursor(view.book_key, listed, cursor) if cursor is not None else (0,)
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
        next_cursor=encode_cursor(view.book_key, listed, [shown_page[-1].ordinal]) if len(page) > limit else None,
    )
