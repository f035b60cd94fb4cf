"""Post up to 5,000 interactions at once; each is answered by itself."""

import asyncio
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, cast
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError
from pydantic_core import to_json

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
from app.api.state import Writer, intake_of
from app.api.strict_json import strict_json
from app.api.wire_batch import OUTCOMES, AllRefusedOut, BatchOut, came_to
from app.api.wire_in import InteractionIn
from app.domain.errors import AllRefused, Fault, InvalidInteraction, InvalidRequest, Refusal
from app.domain.interaction import Interaction
from app.domain.shown import Shown, entry_shown
from app.operations.ledger import Ledger
from app.operations.outcome import Outcome, Posted, Refused
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
async def post_batch(request: Request, key: Writer) -> Response:
    """Post up to 5,000 interactions, as JSON or NDJSON; each is answered by itself, in order."""
    media_type = media_type_of(request, (JSON_TYPE, *NDJSON_TYPES))
    body = await read_limited(request, BATCH_BYTES_MAX, request.state.held.take)
    # Up to 8 MiB of text: the event loop has better things to do meanwhile.
    parsed = await asyncio.to_thread(_parsed_batch, body, media_type, key.source)
    intake = await intake_of(request)
    posting = [item for item in parsed if isinstance(item, Interaction)]
    recorded = (await intake.post(key.book, posting, api_key_id=key.key_id)).outcomes
    count_outcomes(recorded)
    coming = iter(recorded)
    outcomes = [next(coming) if isinstance(item, Interaction) else Refused(refusal=item) for item in parsed]

    reversed_by = await _reversed_by(intake.ledger, key.book, outcomes)
    return await asyncio.to_thread(_answer, outcomes, reversed_by)


async def _reversed_by(ledger: Ledger, book: str, outcomes: Sequence[Outcome]) -> dict[UUID, UUID]:
    """Which replayed entries were reversed since; a new entry is not."""
    replayed = [o.entry.entry_id for o in outcomes if isinstance(o, Posted) and o.replayed]
    if not replayed:
        return {}
    async with ledger.database.read(book) as tx:
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


def _answer(outcomes: Sequence[Outcome], reversed_by: Mapping[UUID, UUID]) -> Response:
    """The answer to the batch; AllRefused if nothing of it is on the ledger and nothing was ever."""
    counted = Counter(map(came_to, outcomes))
    summary = {word: counted[word] for word in OUTCOMES}
    if counted["refused"] == len(outcomes):
        raise AllRefused(extra={"results": [_result(each, reversed_by) for each in outcomes], "summary": summary})
    # One at a time: as objects all results together take five times the memory of their text.
    results = b",".join([to_json(_result(each, reversed_by)) for each in outcomes])
    is_whole = not (counted["conflict"] or counted["refused"])
    body = b'{"results":[%b],"summary":%b}' % (results, to_json(summary))
    return Response(body, status_code=200 if is_whole else 207, media_type=JSON_TYPE)


def _result(outcome: Outcome, reversed_by: Mapping[UUID, UUID]) -> Shown:
    if isinstance(outcome, Refused):
        return {"outcome": came_to(outcome), "problem": {**problem_of(outcome.refusal, None), "request_id": None}}
    entry = outcome.entry
    return {"outcome": came_to(outcome), "entry": entry_shown(entry, outcome.customer, reversed_by.get(entry.entry_id))}


def _fault(pointer: str, code: str, detail: str) -> Fault:
    return Fault(pointer=pointer, code=code, detail=detail)
