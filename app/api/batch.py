"""Post up to 5,000 interactions at once; each is answered by itself."""

import asyncio
import re
from itertools import islice
from typing import Any, cast
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from app.api.body import (
    BATCH_BYTES_MAX,
    FAULTS_MAX,
    JSON_TYPE,
    NDJSON_TYPES,
    StrictRoute,
    media_type_of,
    read_limited,
)
from app.api.metrics import count_outcomes
from app.api.openapi import ANSWERS, BODY_ANSWERS, REF
from app.api.pointer import pointer_to
from app.api.problems import PROBLEM_JSON, faults_of, problem_of
from app.api.state import LedgerDep, Writer
from app.api.strict_json import strict_json
from app.api.wire import EntryOut
from app.api.wire_batch import (
    AllRefusedOut,
    BatchOut,
    PostedResultOut,
    RefusedResultOut,
    SummaryOut,
    posted_as,
    refused_as,
)
from app.api.wire_in import InteractionIn
from app.api.wire_problem import ProblemOut
from app.domain.errors import AllRefused, Fault, InvalidInteraction, InvalidRequest, Refusal
from app.domain.interaction import Interaction
from app.operations.ledger import Ledger
from app.operations.outcome import Outcome, Posted, Refused
from app.operations.record import record
from app.queries.entries import reversals_of

BATCH_MAX = 5_000
_LINE = re.compile(rb"[^\s][^\n]*")

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
                            "items": {
                                "anyOf": [
                                    {"$ref": REF + "InteractionIn"},
                                    {"description": "whatever else is refused alone"},
                                ]
                            },
                        }
                    },
                }
            },
            **{
                kind: {"schema": {"type": "string", "description": "one InteractionIn a line"}} for kind in NDJSON_TYPES
            },
        },
    }
}


_OUTCOMES: dict[int | str, dict[str, Any]] = {
    200: {"description": "Every interaction is on the ledger, now or since before."},
    207: {"model": BatchOut, "description": "Some are, some are not."},
    422: {
        "description": "None is; or the batch as a whole cannot be read.",
        "content": {
            PROBLEM_JSON: {
                "schema": {
                    "anyOf": [
                        AllRefusedOut.model_json_schema(ref_template=REF + "{model}"),
                        {"$ref": REF + "ProblemOut"},
                    ]
                }
            }
        },
    },
}


@router.post(
    "/interactions/batch",
    response_model=BatchOut,
    responses={**ANSWERS, **BODY_ANSWERS, **_OUTCOMES},
    openapi_extra=_BATCH_BODY,
)
async def post_batch(request: Request, response: Response, ledger: LedgerDep, key: Writer) -> BatchOut:
    """Post up to 5,000 interactions, as JSON or NDJSON; each is answered by itself, in order."""
    media_type = media_type_of(request, (JSON_TYPE, *NDJSON_TYPES))
    body = await read_limited(request, BATCH_BYTES_MAX, request.state.held.take)
    # Up to 8 MiB of text: the event loop has better things to do meanwhile.
    parsed = await asyncio.to_thread(_parsed_batch, body, media_type, key.source)
    posting = [item for item in parsed if isinstance(item, Interaction)]
    recorded = await record(ledger, key.book, posting, api_key_id=key.key_id)
    count_outcomes(recorded)
    coming = iter(recorded)
    outcomes = [next(coming) if isinstance(item, Interaction) else Refused(refusal=item) for item in parsed]

    reversed_by = await _reversed_by(ledger, key.book, outcomes)
    out = await asyncio.to_thread(_batch_out, outcomes, reversed_by)
    if out.summary.refused == len(outcomes):
        raise AllRefused(extra=out.model_dump(mode="json"))
    response.status_code = 207 if out.summary.conflict or out.summary.refused else 200
    return out


async def _reversed_by(ledger: Ledger, book: str, outcomes: list[Outcome]) -> dict[UUID, UUID]:
    """Which replayed entries were reversed since; a new entry is not."""
    replayed = [o.entry.entry_id for o in outcomes if isinstance(o, Posted) and o.replayed]
    if not replayed:
        return {}
    async with ledger.database.read() as tx:
        return await reversals_of(tx, book, replayed)


def _parsed_batch(body: bytes, media_type: str, source: str | None) -> list[Interaction | Refusal]:
    """Each interaction of a batch, or why it is none; InvalidRequest for the batch as a whole."""
    items: list[Any] = _enveloped(strict_json(body)) if media_type == JSON_TYPE else _lines(body)
    if len(items) > BATCH_MAX:
        detail = f"send at most {BATCH_MAX} interactions at once"
        raise InvalidRequest(faults=(_fault("/interactions", "too_long", detail),))
    if not items:
        raise InvalidRequest(faults=(_fault("/interactions", "too_short", "send at least one interaction"),))
    return [_parsed(item, source) for item in items]


def _enveloped(value: Any) -> list[Any]:
    envelope = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    if not isinstance(envelope.get("interactions"), list):
        raise InvalidRequest(faults=(_fault("/interactions", "missing", 'send {"interactions": […]}'),))
    unknown = sorted(envelope.keys() - {"interactions"})
    if unknown:
        detail = "this field is not known here"
        raise InvalidRequest(
            faults=tuple(_fault(pointer_to(name), "unknown_field", detail) for name in unknown[:FAULTS_MAX])
        )
    return list(envelope["interactions"])


def _lines(body: bytes) -> list[Any]:
    """The values of the lines that hold something; one more than a batch may hold is enough to know."""
    found = islice(_LINE.finditer(body), BATCH_MAX + 1)
    return [_line(match[0]) for match in found]


def _line(line: bytes) -> Any:
    try:
        return strict_json(line)
    except Refusal as refusal:
        return refusal


def _parsed(item: Any, source: str | None) -> Interaction | Refusal:
    if isinstance(item, Refusal):
        return item
    try:
        return InteractionIn.model_validate(item).to_domain(source=source)
    except ValidationError as error:
        return InvalidInteraction(faults=faults_of(error.errors(include_input=False, include_url=False)))
    except Refusal as refusal:
        return refusal


def _result(outcome: Outcome, reversed_by: dict[UUID, UUID]) -> PostedResultOut | RefusedResultOut:
    if isinstance(outcome, Posted):
        entry = EntryOut.of(outcome.entry, outcome.customer, reversed_by.get(outcome.entry.entry_id))
        return PostedResultOut(outcome=posted_as(outcome), entry=entry)
    problem = ProblemOut.model_validate(problem_of(outcome.refusal, None))
    return RefusedResultOut(outcome=refused_as(outcome), problem=problem)


def _batch_out(outcomes: list[Outcome], reversed_by: dict[UUID, UUID]) -> BatchOut:
    results = [_result(outcome, reversed_by) for outcome in outcomes]
    came_to = [result.outcome for result in results]
    summary = SummaryOut(
        created=came_to.count("created"),
        replayed=came_to.count("replayed"),
        conflict=came_to.count("conflict"),
        refused=came_to.count("refused"),
    )
    return BatchOut(results=results, summary=summary)


def _fault(pointer: str, code: str, detail: str) -> Fault:
    return Fault(pointer=pointer, code=code, detail=detail)
