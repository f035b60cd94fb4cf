"""The policy: read it, see what another would change, adopt it, and follow or cancel that."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from app.api.body import LargeRoute, StrictRoute
from app.api.entity_tag import IfMatch, expected_version, listed_tags, tag_of
from app.api.openapi import ANSWERS, BODY_ANSWERS, ETAG, REF, refusals
from app.api.state import LedgerDep, Reader, RuleManager
from app.api.wire_policy import AdoptionOut, PolicyVersionOut, PreviewIn, PreviewOut
from app.domain.errors import InvalidPolicy, NoAdoption, UnknownPolicyVersion
from app.domain.policy_document import parse_policy
from app.operations.adopt_policy import adopt_policy, cancel_adoption
from app.operations.carry_adoption import carry_for
from app.operations.preview_policy import preview_policy
from app.operations.read_customer import reading
from app.queries.adoptions import adoption_of
from app.queries.books import policy_document

router = APIRouter(prefix="/v1/policy", route_class=StrictRoute, tags=["policy"], responses=ANSWERS)
documents = APIRouter(prefix="/v1/policy", route_class=LargeRoute, tags=["policy"], responses=ANSWERS)

ADOPTED_WITHIN_SECONDS = 2.0  # an answer that waits longer is one that a proxy or a caller gives up
_POLICY: dict[str, Any] = {"application/json": {"schema": {"$ref": REF + "Policy"}}}


@router.get("", responses={200: {"description": "The policy.", "content": _POLICY, "headers": ETAG}})
async def get_policy(response: Response, ledger: LedgerDep, key: Reader) -> dict[str, Any]:
    """The policy in force, as it was adopted; the ETag is its version."""
    async with ledger.database.read(key.book) as tx:
        version = (await reading(ledger, tx, key.book)).head.policy_version
        response.headers["ETag"] = tag_of(version)
        document: dict[str, Any] | None = await policy_document(tx, key.book, version)
    assert document is not None
    return document


@documents.put(
    "",
    responses={
        200: {"description": "It is in force.", "headers": ETAG},
        202: {"description": "It is on its way: follow it at /v1/policy/adoption.", "model": AdoptionOut},
        **BODY_ANSWERS,
        **refusals(409, 412, 428),
    },
    openapi_extra={"requestBody": {"required": True, "content": _POLICY}},
)
async def put_policy(
    body: dict[str, Any],
    response: Response,
    ledger: LedgerDep,
    key: RuleManager,
    if_match: IfMatch = None,
) -> PolicyVersionOut | AdoptionOut:
    """Adopt a policy, whole: 200 once it is in force; 202 if its accounts take longer to prepare, which the clock then
    does; meanwhile all goes on under the one before.
    """
    tags = listed_tags(if_match)
    async with ledger.database.read(key.book) as tx:
        expected = expected_version(tags, (await reading(ledger, tx, key.book)).head.policy_version)
    adoption = await adopt_policy(ledger, key.book, body, expected_version=expected, api_key_id=key.key_id)
    await carry_for(ledger, key.book, ADOPTED_WITHIN_SECONDS)

    async with ledger.database.read(key.book) as tx:
        version = (await reading(ledger, tx, key.book)).head.policy_version
        under_way = await adoption_of(tx, key.book)
    if version < adoption.version:
        response.status_code = HTTPStatus.ACCEPTED
        return AdoptionOut.of(under_way or adoption)
    response.headers["ETag"] = tag_of(adoption.version)
    return PolicyVersionOut(version=adoption.version)


@router.get("/adoption", responses=refusals(404))
async def get_adoption(ledger: LedgerDep, key: Reader) -> AdoptionOut:
    """How far the adoption of a policy is; 404 when none is under way (any more)."""
    async with ledger.database.read(key.book) as tx:
        adoption = await adoption_of(tx, key.book)
    if adoption is None:
        raise NoAdoption
    return AdoptionOut.of(adoption)


@router.delete("/adoption", status_code=204, responses=refusals(404))
async def delete_adoption(ledger: LedgerDep, key: RuleManager) -> None:
    """Cancel the adoption that is under way; the policy in force stays, and nothing of the other is left."""
    await cancel_adoption(ledger, key.book)


@router.get("/versions/{version}", responses={200: {"description": "The policy.", "content": _POLICY}, **refusals(404)})
async def get_policy_version(
    version: Annotated[int, Path(ge=1, le=2**31 - 1)], ledger: LedgerDep, key: Reader
) -> dict[str, Any]:
    """One version of the policy, as it was adopted."""
    async with ledger.database.read(key.book) as tx:
        document: dict[str, Any] | None = await policy_document(tx, key.book, version)
    if document is None:
        raise UnknownPolicyVersion
    return document


@documents.post("/preview", responses=BODY_ANSWERS)
async def post_preview(body: PreviewIn, ledger: LedgerDep, key: RuleManager) -> PreviewOut:
    """How many standings would change if the policy were adopted now, from what to what; nothing is changed."""
    try:
        policy = parse_policy(body.policy, 0)
    except InvalidPolicy as refusal:
        raise refusal.under("/policy") from None
    async with ledger.database.read(key.book) as tx:
        view = await reading(ledger, tx, key.book)
        return PreviewOut.of(await preview_policy(view, policy, seed=body.seed))
