"""Merge a customer into another, as CRMs do every day, and undo it."""

from fastapi import APIRouter, Response
from pydantic import Field
from pydantic_core import to_json

from app.api.body import StrictRoute
from app.api.json_answer import JsonAnswer
from app.api.openapi import ANSWERS, BODY_ANSWERS, refusals
from app.api.state import LedgerDep, Writer
from app.api.views import account_view, customers_of
from app.api.wire import AccountOut, EntryOut, WireOut
from app.api.wire_fields import Customer, CustomerPath
from app.api.wire_in import WireIn
from app.domain.shown import entry_shown
from app.operations.ledger import Ledger
from app.operations.merge_customers import Done, merge_customers, unmerge_customer
from app.operations.read_customer import find_customer

router = APIRouter(prefix="/v1/customers", route_class=StrictRoute, tags=["customers"], responses=ANSWERS)


class MergeIn(WireIn):
    """Whom a customer is merged into."""

    into: Customer


class MergedOut(WireOut):
    """What a merge or its undoing put on the ledger, and the account to which the customer's name leads now."""

    entries: list[EntryOut] = Field(description="both lines, in order")
    account: AccountOut
    replayed: bool


@router.post(
    "/{customer}/merge",
    status_code=201,
    response_model=MergedOut,
    responses={200: {"model": MergedOut, "description": "It was merged before."}, **BODY_ANSWERS, **refusals(404, 409)},
)
async def merge_customer(customer: CustomerPath, body: MergeIn, ledger: LedgerDep, key: Writer) -> Response:
    """Carry all that the customer's account holds to another's, and let both names lead there from now on.

    Two entries in one append: `account.merged_into` empties the one, `account.merged_from` brings it to the other. What
    is said of either from then on, entries from before included, is said of the survivor.
    """
    done = await merge_customers(ledger, key.book, customer, body.into, api_key_id=key.key_id)
    return await _answer(ledger, key.book, customer, done)


@router.post(
    "/{customer}/unmerge", status_code=201, response_model=MergedOut, responses={**BODY_ANSWERS, **refusals(404, 409)}
)
async def unmerge(customer: CustomerPath, ledger: LedgerDep, key: Writer) -> Response:
    """Undo that the customer was merged: the account holds again what it carried, faded since.

    What was posted in the meantime stays with the survivor; what was reversed of the customer's own stays reversed.
    """
    done = await unmerge_customer(ledger, key.book, customer, api_key_id=key.key_id)
    return await _answer(ledger, key.book, customer, done)


async def _answer(ledger: Ledger, book: str, customer: str, done: Done) -> Response:
    async with ledger.database.read(book) as tx:
        view, found = await find_customer(ledger, tx, book, customer)
        names = await customers_of(view, {entry.account_id for entry in done.entries})
        told = {
            "entries": [entry_shown(each, names.get(each.account_id, customer), None) for each in done.entries],
            "account": await account_view(view, found.account, customer),
            "replayed": done.replayed,
        }
    return JsonAnswer(to_json(told), status_code=200 if done.replayed else 201)
