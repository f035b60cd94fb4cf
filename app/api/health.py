"""Whether the process lives, whether it can serve, and what it counted."""

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING, Literal, cast

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text

from app.api.body import StrictRoute
from app.api.openapi import HEALTH_ANSWERS
from app.api.wire import WireOut
from app.domain.errors import DatabaseUnavailable
from app.domain.instant import SECOND
from app.operations.ledger import Ledger
from app.queries.deliveries import due_by_subscription
from app.queries.due import next_due_by_book

if TYPE_CHECKING:
    from app.api.state import Service

LAG_SECONDS = 1.0
ANSWER_SECONDS = 3.0  # a database that is silent, rather than gone, is not ready either: whoever asks is told in time

router = APIRouter(tags=["health"], route_class=StrictRoute, responses=HEALTH_ANSWERS)


class HealthOut(WireOut):
    """All is well."""

    status: str = "ok"


class DatabaseOut(WireOut):
    """Which database answered, and how quickly."""

    kind: Literal["sqlite", "postgresql"]
    seconds: float


class ReadinessOut(HealthOut):
    """It can serve. A lag is how many seconds what is due has waited, in whichever book it waits longest, and whether
    or not it is this process's to do; null if that is not found out in time."""

    database: DatabaseOut
    clock_lag_seconds: float | None
    deliverer_lag_seconds: float | None


@router.get("/healthz")
async def get_health() -> HealthOut:
    """The process answers."""
    return HealthOut()


@router.get("/readyz")
async def get_readiness(request: Request) -> ReadinessOut:
    """The database answers and the master key opens it; otherwise a problem that says what is missing.

    However late clock and deliverer are, postings are taken and every read is exact: that is no reason to send callers
    elsewhere, and told beside it.
    """
    service = cast("Service", request.state.service)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            ledger, begun = await service.ledger(), perf_counter()
            async with ledger.database.oversee() as tx:
                await tx.execute(text("SELECT 1"))
    except TimeoutError:
        raise DatabaseUnavailable(f"The database does not answer within {ANSWER_SECONDS:g} seconds.") from None
    seconds = perf_counter() - begun
    kind: Literal["sqlite", "postgresql"] = "sqlite" if ledger.database.is_sqlite else "postgresql"
    clock_lag, deliverer_lag = await _lags(ledger)
    return ReadinessOut(
        database=DatabaseOut(kind=kind, seconds=round(seconds, 6)),
        clock_lag_seconds=clock_lag,
        deliverer_lag_seconds=deliverer_lag,
    )


async def _lags(ledger: Ledger) -> tuple[float | None, float | None]:
    """How late what the clock, and what the deliverer has to do, is by now, in seconds."""
    try:
        async with asyncio.timeout(LAG_SECONDS), ledger.database.oversee() as tx:
            dues = [(await next_due_by_book(tx)).values(), (await due_by_subscription(tx)).values()]
    except (TimeoutError, DatabaseUnavailable):
        return None, None
    now = ledger.now()
    clock_lag, deliverer_lag = [max(0, now - min(each, default=now)) / SECOND for each in dues]
    return clock_lag, deliverer_lag


@router.get(
    "/metrics", response_class=Response, responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}
)
async def get_metrics() -> Response:
    """Counters and durations in Prometheus' text format.

    `goodwill_http_requests_total` and `goodwill_http_request_duration_seconds` by route, method and status (499: the
    caller went away; route `none`: no address, or no key), `goodwill_interactions_total` by outcome.
    """
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
