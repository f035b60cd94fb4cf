"""Post interactions and reversals, one at a time."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response

from app.api.body import StrictRoute
from app.api.idempotency_key import IdempotencyKeys, the_one_key
from app.api.metrics import count_outcomes
from app.api.openapi import ANSWERS, BODY_ANSWERS, Responses, refusals
from app.api.state import LedgerDep, Writer
from app.api.views import account_view
from app.api.wire import EntryOut, PostedOut
from app.api.wire_in import EntryReversalIn, InteractionIn, ReversalIn
from app.domain.api_key import ApiKey
from app.domain.errors import UnknownEntry
from app.domain.interaction import ReversalRequest
from app.operations.append import Item
from app.operations.ledger import Ledger
from app.operations.outcome import Posted, Refused
from app.operations.read_customer import reading
from app.operations.record import record
from app.queries.entries import reversals_of

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["interactions"])
_ANSWERS: Responses = {
    201: {"description": "It is on the ledger."},
    200: {"model": PostedOut, "description": "It was posted before."},
    **ANSWERS,
    **BODY_ANSWERS,
    **refusals(409),
}


@router.post("/interactions", status_code=201, response_model=PostedOut, responses=_ANSWERS)
async def post_interaction(
    body: InteractionIn,
    response: Response,
    ledger: LedgerDep,
    key: Writer,
    idempotency_keys: IdempotencyKeys,
) -> PostedOut:
    """Post one interaction. The same interaction again answers 200 with the first entry; for ever."""
    idempotency_key = None if body.id else the_one_key(idempotency_keys)
    interaction = body.to_domain(source=key.source, idempotency_key=idempotency_key)
    return await _post_one(ledger, key, interaction, response)


@router.post(
    "/interactions/reversal", status_code=201, response_model=PostedOut, responses={**_ANSWERS, **refusals(404)}
)
async def reverse_interaction(body: ReversalIn, response: Response, ledger: LedgerDep, key: Writer) -> PostedOut:
    """Reverse the entry of an interaction, and post its replacement, if any, in the same append."""
    request = body.to_domain(source=key.source, interaction=body.named(key.source))
    return await _post_one(ledger, key, request, response)


@router.post(
    "/entries/{id}/reversal", status_code=201, response_model=PostedOut, responses={**_ANSWERS, **refusals(404)}
)
async def reverse_entry(
    id: Annotated[str, Path(description="the entry's id")],  # noqa: A002 - the path says {id}
    body: EntryReversalIn,
    response: Response,
    ledger: LedgerDep,
    key: Writer,
) -> PostedOut:
    """Reverse an entry, and post its replacement, if any, in the same append."""
    request = body.to_domain(source=key.source, entry_id=_entry_id(id))
    return await _post_one(ledger, key, request, response)


async def _post_one(ledger: Ledger, key: ApiKey, item: Item, response: Response) -> PostedOut:
    (outcome,) = outcomes = await record(ledger, key.book, [item], api_key_id=key.key_id)
    count_outcomes(outcomes)
    if isinstance(outcome, Refused):
        raise outcome.refusal
    if outcome.replayed:
        response.status_code = 200
    async with ledger.database.read() as tx:
        view = await reading(ledger, tx, key.book, at=None if outcome.replayed else outcome.entry.booked_at)
        known = [outcome.entry, outcome.replacement] if outcome.replacement else [outcome.entry]
        reversed_by = await reversals_of(tx, key.book, [entry.entry_id for entry in known if outcome.replayed])
        first, *rest = [
            EntryOut.of(entry, name, reversed_by.get(entry.entry_id))
            for entry, name in zip(known, _customers(outcome, item), strict=False)
        ]
        return PostedOut(
            entry=first,
            account=await account_view(view, view.advanced(outcome.account).account, outcome.customer),
            replayed=outcome.replayed,
            replacement=rest[0] if rest else None,
        )


def _customers(outcome: Posted, item: Item) -> list[str]:
    """Whose entries an outcome holds: a replacement may be another customer's."""
    if isinstance(item, ReversalRequest) and item.replacement:
        return [outcome.customer, item.replacement.customer]
    return [outcome.customer]


def _entry_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise UnknownEntry from None
