"""Promises: made, moved, kept, withdrawn, and listed. A missed one is posted by the clock."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import BeforeValidator

from app.api.body import StrictRoute
from app.api.cursor import CURSOR_CHARACTERS_MAX, decode_cursor, encode_cursor
from app.api.openapi import ANSWERS, BODY_ANSWERS, Responses, refusals
from app.api.state import LedgerDep, Reader, Writer
from app.api.views import account_view, promise_views
from app.api.wire import AccountOut, EntryOut, WireOut
from app.api.wire_fields import Identifier, Listed, PageSize, WireTime, instant_or_none, unquoted
from app.api.wire_promise import PromiseOut
from app.api.wire_promise_in import MovedIn, PromiseIn, SettledIn
from app.domain.api_key import ApiKey
from app.domain.promise import State
from app.domain.promise_request import PromiseRequest
from app.operations.ledger import Ledger
from app.operations.outcome import Refused
from app.operations.read_customer import Reading, reading
from app.operations.record import record
from app.queries.accounts import accounts_by_alias
from app.queries.entries import reversals_of
from app.queries.promises import PromiseFilter, PromiseRank, listed_promises

router = APIRouter(prefix="/v1/promises", route_class=StrictRoute, tags=["promises"])

PromisePath = Annotated[
    Identifier, BeforeValidator(unquoted), Path(description="the reporter's id of the promise, percent-encoded")
]


class PromisePostedOut(WireOut):
    """A promise as a request left it, the entry that the request became, and the account just after it."""

    promise: PromiseOut
    entry: EntryOut
    account: AccountOut
    replayed: bool


class PromisesOut(WireOut):
    """A page of promises, by due time."""

    promises: list[PromiseOut]
    next_cursor: str | None


def _answers(done: str, *statuses: int) -> Responses:
    again = {"model": PromisePostedOut, "description": "It was told before."}
    return {201: {"description": done}, 200: again, **ANSWERS, **BODY_ANSWERS, **refusals(409, 410, *statuses)}


@router.post("", status_code=201, responses=_answers("The promise is made."))
async def make_promise(body: PromiseIn, response: Response, ledger: LedgerDep, key: Writer) -> PromisePostedOut:
    """Make a promise. What a miss and a keeping are worth is fixed now; the same promise again answers 200."""
    return await _post(ledger, key, body.to_domain(source=key.source), response)


@router.post("/{id}/kept", status_code=201, responses=_answers("The promise is kept.", 404))
async def keep_promise(
    id: PromisePath,  # noqa: A002 - the path says {id}
    body: SettledIn,
    response: Response,
    ledger: LedgerDep,
    key: Writer,
) -> PromisePostedOut:
    """Say that it was kept, and when: in time, and what was posted is reversed and a credit posted; late, and what
    its lateness costs in all remains."""
    return await _post(ledger, key, body.to_domain(id, State.KEPT, source=key.source), response)


@router.post("/{id}/moved", status_code=201, responses=_answers("The promise is moved.", 404))
async def move_promise(
    id: PromisePath,  # noqa: A002 - the path says {id}
    body: MovedIn,
    response: Response,
    ledger: LedgerDep,
    key: Writer,
) -> PromisePostedOut:
    """Move it to another due time, before the one it has, at the tariff's small price."""
    return await _post(ledger, key, body.to_domain(id, source=key.source), response)


@router.post("/{id}/withdrawn", status_code=201, responses=_answers("The promise is withdrawn.", 404))
async def withdraw_promise(
    id: PromisePath,  # noqa: A002 - the path says {id}
    body: SettledIn,
    response: Response,
    ledger: LedgerDep,
    key: Writer,
) -> PromisePostedOut:
    """Say that it no longer counts, and since when: what its lateness cost until then remains."""
    return await _post(ledger, key, body.to_domain(id, State.WITHDRAWN, source=key.source), response)


@router.get("", responses=ANSWERS)
async def get_promises(
    ledger: LedgerDep,
    key: Reader,
    customer: Annotated[Identifier | None, Query(description="whose; a customer without an account has none")] = None,
    state: Annotated[
        Listed[State] | None, Query(description="one value, several times, or a comma-separated list")
    ] = None,
    due_before: WireTime | None = None,
    limit: Annotated[PageSize, Query()] = 50,
    cursor: Annotated[str | None, Query(max_length=CURSOR_CHARACTERS_MAX)] = None,
) -> PromisesOut:
    """Promises by due time. An open one whose due time has passed is `overdue` until the clock has posted."""
    async with ledger.database.read(key.book) as tx:
        view = await reading(ledger, tx, key.book)
        wanted = PromiseFilter(at=view.now, states=tuple(state or ()), due_before=instant_or_none(due_before))
        if customer is None:
            return await _page(view, wanted, limit, cursor)
        hashed = view.book_key.digest(customer.encode())
        account_id = (await accounts_by_alias(tx, key.book, [hashed])).get(hashed)
        if account_id is None:
            return PromisesOut(promises=[], next_cursor=None)
        return await _page(view, replace(wanted, account_id=account_id), limit, cursor)


async def _page(view: Reading, wanted: PromiseFilter, limit: int, cursor: str | None) -> PromisesOut:
    """What is overdue is decided at one instant over all pages."""
    listed = ("promises", wanted.account_id, wanted.states, wanted.due_before)
    after: PromiseRank | None = None
    if cursor is not None:
        at, *place = decode_cursor(view.book_key, listed, cursor)
        wanted, after = replace(wanted, at=at), (place[0], place[1], place[2])
    page = await listed_promises(view.tx, view.book, wanted, after=after, limit=limit + 1)
    shown = page[:limit]
    return PromisesOut(
        promises=await promise_views(replace(view, now=wanted.at), shown),
        next_cursor=encode_cursor(view.book_key, listed, [wanted.at, shown[-1].due_at, *shown[-1].name])
        if len(page) > limit
        else None,
    )


async def _post(ledger: Ledger, key: ApiKey, request: PromiseRequest, response: Response) -> PromisePostedOut:
    (outcome,) = await record(ledger, key.book, [request], api_key_id=key.key_id)
    if isinstance(outcome, Refused):
        raise outcome.refusal
    assert outcome.promise is not None
    if outcome.replayed:
        response.status_code = 200
    async with ledger.database.read(key.book) as tx:
        view = await reading(ledger, tx, key.book, at=None if outcome.replayed else outcome.entry.booked_at)
        (promise,) = await promise_views(view, [outcome.promise])
        reversed_by = await reversals_of(tx, key.book, [outcome.entry.entry_id] if outcome.replayed else [])
        return PromisePostedOut(
            promise=promise,
            entry=EntryOut.of(outcome.entry, outcome.customer, reversed_by.get(outcome.entry.entry_id)),
            account=AccountOut.model_validate(
                await account_view(view, view.advanced(outcome.account).account, outcome.customer)
            ),
            replayed=outcome.replayed,
        )
