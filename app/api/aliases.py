"""The names of a customer: those that other systems gave."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BeforeValidator, StringConstraints

from app.api.body import StrictRoute
from app.api.openapi import ANSWERS, refusals
from app.api.state import LedgerDep, Reader, Writer
from app.api.wire import WireOut
from app.api.wire_fields import NAMESPACED_ID_MAX, WITHOUT_NUL, CustomerPath, Namespace, unquoted
from app.domain.alias import alias_name
from app.operations.name_customer import name_customer
from app.operations.read_customer import find_customer
from app.queries.accounts import all_names_of, keys_of
from app.queries.merges import members_of

router = APIRouter(prefix="/v1/customers", route_class=StrictRoute, tags=["customers"], responses=ANSWERS)

IdPath = Annotated[
    str,
    StringConstraints(min_length=1, max_length=NAMESPACED_ID_MAX, pattern=WITHOUT_NUL),
    BeforeValidator(unquoted),
    Path(description="the id in that namespace, percent-encoded"),
]


class AliasOut(WireOut):
    """One more name that leads to a customer's account."""

    customer: str
    alias: str


class NamesOut(WireOut):
    """All names that lead to one account, sorted."""

    names: list[str]


@router.put(
    "/{customer}/aliases/{namespace}/{id}",
    status_code=201,
    responses={200: {"model": AliasOut, "description": "It is a name of the customer already."}, **refusals(404, 409)},
)
async def put_alias(
    customer: CustomerPath,
    namespace: Annotated[Namespace, Path(description="the system that gave the id")],
    id: IdPath,  # noqa: A002 - the path's own word
    ledger: LedgerDep,
    key: Writer,
    response: Response,
) -> AliasOut:
    """Let an id of another system lead to the customer: `zendesk` and `88` are the name `zendesk:88` everywhere.

    409 `customers_differ` if that is another customer's name already: `POST /v1/customers/{customer}/merge` makes
    the two one.
    """
    alias = alias_name(namespace, id)
    if not await name_customer(ledger, key.book, customer, alias):
        response.status_code = 200
    return AliasOut(customer=customer, alias=alias)


@router.get("/{customer}/aliases", responses=refusals(404))
async def get_aliases(customer: CustomerPath, ledger: LedgerDep, key: Reader) -> NamesOut:
    """All names that lead to the customer's account, those of merged customers included."""
    async with ledger.database.read(key.book) as tx:
        _, found = await find_customer(ledger, tx, key.book, customer)
        account_id = found.account.account_id
        own = [account_id, *(each.account_id for each in await members_of(tx, key.book, [account_id]))]
        return NamesOut(names=await all_names_of(tx, key.book, await keys_of(tx, key.book, own, ledger.master_key)))
