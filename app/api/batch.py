"""Post up to 5,000 interactions at once; each is answered by itself."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from app.api.body import (
    BATCH_BYTES_MAX,
    JSON_TYPE,
    NDJSON_TYPES,
    StrictRoute,
    media_type_of,
    read_limited,
    strict_json,
)
from app.api.problems import faults_of, problem_of
from app.api.state import LedgerDep, Writer
from app.api.wire import BatchOut, EntryOut, PostedResultOut, ProblemOut, RefusedResultOut, SummaryOut
from app.api.wire_in import InteractionIn
from app.domain.api_key import ApiKey
from app.domain.errors import BodyTooLarge, Fault, InteractionConflict, InvalidInteraction, InvalidRequest, Refusal
from app.domain.interaction import Interaction
from app.operations.ledger import Ledger
from app.operations.outcome import Outcome, Posted, Refused
from app.operations.record import record
from app.queries.entries import reversals_of

BATCH_MAX = 5_000

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["interactions"])

_BATCH_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["interactions"],
                    "properties": {
                        "interactions": {
                            "type": "array",
                            "minItems": 1,
                            "maxItems": BATCH_MAX,
                            "items": {},
                            "description": "each an InteractionIn; whatever else it is, is refused alone",
                        }
                    },
                }
            },
            "application/x-ndjson": {"schema": {"type": "string", "description": "one InteractionIn a line"}},
        },
    }
}


@router.post(
    "/interactions/batch",
    response_model=BatchOut,
    responses={207: {"model": BatchOut, "description": "Some were not posted."}},
    openapi_extra=_BATCH_BODY,
)
async def post_batch(request: Request, response: Response, ledger: LedgerDep, key: Writer) -> BatchOut:
    """Post up to 5,000 interactions, as JSON or NDJSON; each is answered by itself, in order."""
    parsed = [_parsed(item, key) for item in await _batch_items(request)]
    posting = [item for item in parsed if isinstance(item, Interaction)]
    recorded = iter(await record(ledger, key.book, posting, api_key_id=key.key_id))
    outcomes = [next(recorded) if isinstance(item, Interaction) else Refused(refusal=item) for item in parsed]

    reversed_by = await _reversed_by(ledger, key.book, outcomes)
    out = _batch_out([_result(outcome, reversed_by) for outcome in outcomes])
    response.status_code = _status_of(out.summary)
    return out


async def _reversed_by(ledger: Ledger, book: str, outcomes: list[Outcome]) -> dict[UUID, UUID]:
    """Which replayed entries were reversed since; a new entry is not."""
    replayed = [o.entry.entry_id for o in outcomes if isinstance(o, Posted) and o.replayed]
    if not replayed:
        return {}
    async with ledger.database.read() as tx:
        return await reversals_of(tx, book, replayed)


async def _batch_items(request: Request) -> list[Any]:
    media_type = media_type_of(request, (JSON_TYPE, *NDJSON_TYPES))
    body = await read_limited(request, BATCH_BYTES_MAX)
    if media_type == JSON_TYPE:
        items = _enveloped(strict_json(body))
    else:
        items = [_line(line) for line in body.split(b"\n") if line.strip()]
    if len(items) > BATCH_MAX:
        raise BodyTooLarge(f"A batch holds at most {BATCH_MAX} interactions.")
    if not items:
        raise InvalidRequest(faults=(_fault("/interactions", "too_short", "send at least one interaction"),))
    return items


def _enveloped(value: Any) -> list[Any]:
    if not isinstance(value, dict) or not isinstance(value.get("interactions"), list):
        raise InvalidRequest(faults=(_fault("/interactions", "missing", 'send {"interactions": […]}'),))
    unknown = sorted(value.keys() - {"interactions"})
    if unknown:
        raise InvalidRequest(faults=tuple(_fault(f"/{name}", "unknown_field", "not known here") for name in unknown))
    return list(value["interactions"])


def _line(line: bytes) -> Any:
    try:
        return strict_json(line)
    except Refusal as refusal:
        return refusal


def _parsed(item: Any, key: ApiKey) -> Interaction | Refusal:
    if isinstance(item, Refusal):
        return item
    try:
        return InteractionIn.model_validate(item).to_domain(source=key.source)
    except ValidationError as error:
        return InvalidInteraction(faults=faults_of(error.errors(include_input=False, include_url=False)))
    except Refusal as refusal:
        return refusal


def _result(outcome: Outcome, reversed_by: dict[UUID, UUID]) -> PostedResultOut | RefusedResultOut:
    if isinstance(outcome, Posted):
        entry = EntryOut.of(outcome.entry, outcome.customer, reversed_by.get(outcome.entry.entry_id))
        return PostedResultOut(outcome="replayed" if outcome.replayed else "created", entry=entry)
    problem = ProblemOut.model_validate(problem_of(outcome.refusal, None))
    is_conflict = isinstance(outcome.refusal, InteractionConflict)
    return RefusedResultOut(outcome="conflict" if is_conflict else "refused", problem=problem)


def _batch_out(results: list[PostedResultOut | RefusedResultOut]) -> BatchOut:
    came_to = [result.outcome for result in results]
    summary = SummaryOut(
        created=came_to.count("created"),
        replayed=came_to.count("replayed"),
        conflict=came_to.count("conflict"),
        refused=came_to.count("refused"),
    )
    return BatchOut(results=results, summary=summary)


def _status_of(summary: SummaryOut) -> int:
    """200 all well, 422 all refused, 207 mixed."""
    if summary.conflict == summary.refused == 0:
        return 200
    return 422 if summary.created == summary.replayed == summary.conflict == 0 else 207


def _fault(pointer: str, code: str, detail: str) -> Fault:
    return Fault(pointer=pointer, code=code, detail=detail)
