"""Whether the process lives, whether it can serve, and what it counted."""

import asyncio
from typing import TYPE_CHECKING, cast

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text

from app.api.body import StrictRoute
from app.api.openapi import HEALTH_ANSWERS
from app.api.wire import WireOut
from app.domain.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from app.api.state import Service

ANSWER_SECONDS = 3.0  # a database that is silent, rather than gone, is not ready either: whoever asks is told in time

router = APIRouter(tags=["health"], route_class=StrictRoute, responses=HEALTH_ANSWERS)


class HealthOut(WireOut):
    """All is well."""

    status: str = "ok"


@router.get("/healthz")
async def get_health() -> HealthOut:
    """The process answers."""
    return HealthOut()


@router.get("/readyz")
async def get_readiness(request: Request) -> HealthOut:
    """The database answers and the master key opens it; otherwise a problem that says what is missing."""
    service = cast("Service", request.state.service)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            ledger = await service.ledger()
            async with ledger.database.read() as tx:
                await tx.execute(text("SELECT 1"))
    except TimeoutError:
        raise DatabaseUnavailable(f"The database does not answer within {ANSWER_SECONDS:g} seconds.") from None
    return HealthOut()


@router.get(
    "/metrics", response_class=Response, responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}
)
async def get_metrics() -> Response:
    """Counters and durations in Prometheus' text format.

    `goodwill_http_requests_total` and `goodwill_http_request_duration_seconds` by route, method and status (499: the
    caller went away; route `none`: no address, or no key), `goodwill_interactions_total` by outcome.
    """
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
