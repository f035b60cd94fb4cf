"""Post interactions and reversals, one at a time."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic_core import to_json

from app.api.body import JSON_TYPE, StrictRoute, read_model, strict_body
from app.api.idempotency_key import IDEMPOTENCY_KEY, IdempotencyKeys, the_one_key
from app.api.json_answer import JsonAnswer
from app.api.metrics import count_outcomes
from app.api.openapi import ANSWERS, BODY_ANSWERS, REF, Responses, refusals
from app.api.state import WRITES, Writer, intake_of
from app.api.views import account_view
from app.api.wire import PostedOut
from app.api.wire_in import EntryReversalIn, InteractionIn, ReversalIn
from app.domain.api_key import ApiKey
from app.domain.errors import UnknownEntry
from app.domain.interaction import ReversalRequest
from app.domain.share import because
from app.domain.shown import Shown, account_shown, entry_shown, share_shown
from app.operations.append import Item
from app.operations.intake import Answer
from app.operations.ledger import Ledger
from app.operations.outcome import Posted, Refused
from app.operations.read_customer import reading, weighing_most
from app.queries.entries import reversals_of

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["interactions"])
_ANSWERS: Responses = {
    201: {"description": "It is on the ledger."},
    200: {"model": PostedOut, "description": "It was posted before."},
    **ANSWERS,
    **BODY_ANSWERS,
    **refusals(409, 410),
}


_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {JSON_TYPE: {"schema": {"$ref": REF + "InteractionIn"}}}}
}


@router.post(
    "/interactions",
    status_code=201,
    response_model=PostedOut,
    responses=_ANSWERS,
    openapi_extra=_BODY,
    dependencies=[Depends(WRITES)],
)
async def post_interaction(request: Request, _documented: IdempotencyKeys) -> Response:
    """Post one interaction. The same interaction again answers 200 with the first entry; for ever."""
    return await answer_interaction(request)


async def answer_interaction(request: Request) -> Response:
    """What `post_interaction` does; the door comes here directly, since FastAPI would take as long as all the rest."""
    key = WRITES.check(request)
    body = read_model(InteractionIn, await strict_body(request))
    idempotency_key = None if body.id else the_one_key(request.headers.getlist(IDEMPOTENCY_KEY))
    interaction = body.to_domain(source=key.source, idempotency_key=idempotency_key)
    return await _post_one(request, key, interaction)


@router.post(
    "/interactions/reversal", status_code=201, response_model=PostedOut, responses={**_ANSWERS, **refusals(404)}
)
async def reverse_interaction(body: ReversalIn, request: Request, key: Writer) -> Response:
    """Reverse the entry of an interaction, and post its replacement, if any, in the same append."""
    return await _post_one(request, key, body.to_domain(source=key.source, interaction=body.named(key.source)))


@router.post(
    "/entries/{id}/reversal", status_code=201, response_model=PostedOut, responses={**_ANSWERS, **refusals(404)}
)
async def reverse_entry(
    id: Annotated[str, Path(description="the entry's id")],  # noqa: A002 - the path says {id}
    body: EntryReversalIn,
    request: Request,
    key: Writer,
) -> Response:
    """Reverse an entry, and post its replacement, if any, in the same append."""
    return await _post_one(request, key, body.to_domain(source=key.source, entry_id=_entry_id(id)))


async def _post_one(request: Request, key: ApiKey, item: Item) -> Response:
    intake = await intake_of(request)
    answer = await intake.post(key.book, [item], api_key_id=key.key_id)
    (outcome,) = answer.outcomes
    count_outcomes(answer.outcomes)
    if isinstance(outcome, Refused):
        raise outcome.refusal
    posted = await (_posted_before if outcome.replayed else _posted_now)(intake.ledger, key.book, answer, outcome)
    names = _customers(outcome, item)
    entries = [outcome.entry, outcome.replacement] if outcome.replacement else [outcome.entry]
    first, *rest = [
        entry_shown(entry, name, posted.reversed_by.get(entry.entry_id))
        for entry, name in zip(entries, names, strict=False)
    ]
    told = {
        "entry": first,
        "account": posted.account,
        "replayed": outcome.replayed,
        "replacement": rest[0] if rest else None,
    }
    return JsonAnswer(to_json(told), status_code=200 if outcome.replayed else 201)


@dataclass(frozen=True, slots=True)
class _Shown:
    account: Shown
    reversed_by: Mapping[UUID, UUID]


async def _posted_now(ledger: Ledger, book: str, answer: Answer, outcome: Posted) -> _Shown:
    """The account just after the entry: nearly always all that is to be said of it was known in the append."""
    account, policy, at = outcome.account, answer.recorded.policy, outcome.entry.booked_at
    if account.heaviest is None:
        async with ledger.database.read(book) as tx:
            shares = await weighing_most(await reading(ledger, tx, book, at=at), account)
    else:
        shares = because(account.heaviest, policy.half_lives, at)
    rules = answer.recorded.tariff.kinds
    rests_on = [share_shown(share, rules.get(share.entry.kind)) for share in shares]
    merged_into = answer.recorded.merged.get(outcome.customer)
    return _Shown(account_shown(account, outcome.customer, policy, at, rests_on, merged_into=merged_into), {})


async def _posted_before(ledger: Ledger, book: str, answer: Answer, outcome: Posted) -> _Shown:
    """The account as it is now, and which of the entries was reversed since."""
    known = [outcome.entry, outcome.replacement] if outcome.replacement else [outcome.entry]
    async with ledger.database.read(book) as tx:
        view = replace(await reading(ledger, tx, book), merged=answer.recorded.merged)
        reversed_by = await reversals_of(tx, book, [entry.entry_id for entry in known])
        account = await account_view(view, view.advanced(outcome.account).account, outcome.customer)
    return _Shown(account, reversed_by)


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
