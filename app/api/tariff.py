"""The tariff: read it, adopt another, search it, and try it without posting."""

import asyncio
import json
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Response

from app.api.body import LargeRoute, StrictRoute
from app.api.entity_tag import IfMatch, expected_version, listed_tags, tag_of, tagged
from app.api.openapi import ANSWERS, BODY_ANSWERS, ETAG, REF, refusals
from app.api.problems import problem_of
from app.api.state import LedgerDep, RuleManager, TariffReader
from app.api.wire_fields import TariffVersion
from app.api.wire_problem import ProblemOut
from app.api.wire_tariff import (
    KindOut,
    KindsOut,
    NotValuedOut,
    TariffVersionOut,
    ValuationIn,
    ValuationsIn,
    ValuationsOut,
    ValuedOut,
)
from app.domain.errors import Refusal, UnknownTariffVersion
from app.domain.kind_search import find_kinds
from app.domain.standing import direction_of
from app.domain.tariff import Tariff
from app.domain.tariff_document import parse_tariff
from app.domain.valuation import refuse_system_kind, value
from app.operations.adopt_tariff import adopt_tariff
from app.operations.ledger import tariff_in_force
from app.operations.read_customer import reading
from app.queries.books import tariff_document

router = APIRouter(prefix="/v1/tariff", route_class=StrictRoute, tags=["tariff"], responses=ANSWERS)
documents = APIRouter(prefix="/v1/tariff", route_class=LargeRoute, tags=["tariff"], responses=ANSWERS)

_TARIFF: dict[str, Any] = {"application/json": {"schema": {"$ref": REF + "Tariff"}}}


@router.get(
    "",
    response_model=dict[str, Any],
    responses={
        200: {"description": "The tariff.", "content": _TARIFF, "headers": ETAG},
        304: {"description": "Not modified.", "headers": ETAG},
    },
)
async def get_tariff(
    ledger: LedgerDep,
    key: TariffReader,
    if_none_match: Annotated[
        str | None, Header(alias="If-None-Match", description="the ETag of the tariff that you have")
    ] = None,
) -> Response:
    """The tariff in force, as it was adopted; the ETag is its version.

    Like all reads of the tariff it needs any one of accounts:read, rules:manage and interactions:write.
    """
    async with ledger.database.read(key.book) as tx:
        version = (await reading(ledger, tx, key.book)).head.tariff_version
        document: dict[str, Any] | None = await tariff_document(tx, key.book, version)
    assert document is not None
    return tagged(json.dumps(document, ensure_ascii=False).encode(), tag_of(version), if_none_match)


@documents.put(
    "",
    responses={
        200: {"description": "It is in force.", "headers": ETAG},
        **BODY_ANSWERS,
        **refusals(412, 428),
    },
    openapi_extra={"requestBody": {"required": True, "content": _TARIFF}},
)
async def put_tariff(
    body: dict[str, Any],
    response: Response,
    ledger: LedgerDep,
    key: RuleManager,
    if_match: IfMatch = None,
) -> TariffVersionOut:
    """Adopt a tariff, whole. Every expression is compiled first; a bad one is refused with kind and column."""
    tags = listed_tags(if_match)
    async with ledger.database.read(key.book) as tx:
        expected = expected_version(tags, (await reading(ledger, tx, key.book)).head.tariff_version)
    version = await adopt_tariff(ledger, key.book, body, expected_version=expected, api_key_id=key.key_id)
    response.headers["ETag"] = tag_of(version)
    return TariffVersionOut(version=version)


@router.get("/kinds")
async def get_kinds(
    ledger: LedgerDep, key: TariffReader, q: Annotated[str, Query(max_length=200, description="words to look for")] = ""
) -> KindsOut:
    """The kinds whose names or labels match, best first; all of them, by name, without `q`."""
    async with ledger.database.read(key.book) as tx:
        view = await reading(ledger, tx, key.book)
        tariff = await tariff_in_force(ledger, tx, key.book, view.head.tariff_version)
    return KindsOut(kinds=[KindOut.of(rule) for rule in find_kinds(tariff, q)])


@router.get("/versions/{version}", responses={200: {"description": "The tariff.", "content": _TARIFF}, **refusals(404)})
async def get_tariff_version(
    version: Annotated[TariffVersion, Path()], ledger: LedgerDep, key: TariffReader
) -> dict[str, Any]:
    """One version of the tariff, as it was adopted."""
    async with ledger.database.read(key.book) as tx:
        document: dict[str, Any] | None = await tariff_document(tx, key.book, version)
    if document is None:
        raise UnknownTariffVersion
    return document


@documents.post("/valuations", responses=BODY_ANSWERS)
async def post_valuations(body: ValuationsIn, ledger: LedgerDep, key: TariffReader) -> ValuationsOut:
    """What interactions would be worth, without posting them: under the tariff in force or one of your own."""
    async with ledger.database.read(key.book) as tx:
        version = (await reading(ledger, tx, key.book)).head.tariff_version
        in_force = await tariff_in_force(ledger, tx, key.book, version)
    # A tariff takes up to seconds to compile: the event loop has better things to do meanwhile.
    return await asyncio.to_thread(_valuations, body, in_force, version, key.source)


def _valuations(body: ValuationsIn, in_force: Tariff, version: int, source: str | None) -> ValuationsOut:
    tariff = in_force if body.tariff is None else parse_tariff(body.tariff)
    return ValuationsOut(
        tariff_version=version if body.tariff is None else None,
        valuations=[_valued(tariff, version, item, source) for item in body.interactions],
    )


def _valued(tariff: Tariff, version: int, item: ValuationIn, source: str | None) -> ValuedOut | NotValuedOut:
    try:
        refuse_system_kind(item.kind)
        valuation = value(
            tariff,
            version,
            kind=item.kind,
            attributes=item.attributes or {},
            channel=item.channel,
            touchpoint=item.touchpoint,
            motive=item.motive,
            source=item.source or source,
            points=item.points,
        )
    except Refusal as refusal:
        return NotValuedOut(problem=ProblemOut.model_validate(problem_of(refusal, None)))
    return ValuedOut(
        kind=item.kind,
        points=valuation.points,
        direction=direction_of(valuation.points),
        magnitude=abs(valuation.points),
        memory=valuation.memory,
    )
