"""The receipt of one customer's entries: that they are on the ledger, for whoever has the book's public key."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BeforeValidator, Field
from pydantic_core import to_json

from app.api.body import StrictRoute
from app.api.json_answer import JsonAnswer
from app.api.openapi import ANSWERS, refusals
from app.api.state import LedgerDep, Reader
from app.api.wire_checkpoint import ReceiptOut
from app.api.wire_fields import CustomerPath, Position, decimal
from app.domain.receipt import receipt_shown
from app.operations.read_customer import find_customer
from app.operations.read_receipt import read_receipt

router = APIRouter(prefix="/v1/customers", route_class=StrictRoute, tags=["customers"], responses=ANSWERS)

ENTRIES_MAX = 200  # of a page: for each some 256 hashes are read
ReceiptSize = Annotated[int, Field(ge=1, le=ENTRIES_MAX), BeforeValidator(decimal)]


@router.get("/{customer}/receipt", response_model=ReceiptOut, responses=refusals(404))
async def get_receipt(
    customer: CustomerPath,
    ledger: LedgerDep,
    key: Reader,
    after: Annotated[Position, Query(description="the position to read on from")] = 0,
    limit: Annotated[ReceiptSize, Query()] = 50,
) -> Response:
    """The customer's entries after a position, each with what proves that a signed checkpoint covers it.

    They are in order, those of accounts that are merged into the customer's among them. It names no customer and
    tells nothing of others. What no checkpoint covers yet is listed by its id.
    """
    async with ledger.database.read(key.book) as tx:
        view, found = await find_customer(ledger, tx, key.book, customer)
        receipt = await read_receipt(view.tx, key.book, found.account.account_id, after=after, limit=limit)
    return JsonAnswer(to_json(receipt_shown(receipt)))
