"""The sandbox: its clock moved ahead, and the sandbox emptied. With a live key both are refused."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from app.api.body import StrictRoute
from app.api.message_views import MessageBodyOut, message_body_views
from app.api.openapi import ANSWERS, BODY_ANSWERS
from app.api.state import LedgerDep, SandboxAdmin, SandboxWriter
from app.api.views import customers_of, entry_views
from app.api.wire import CrossingOut, LineOut, WireOut
from app.api.wire_in import WireIn
from app.domain.instant import moment_of
from app.domain.sandbox import ADVANCE_DAYS_MAX, parse_advance
from app.operations.read_customer import Reading, reading
from app.operations.sandbox import Passage, advance_clock, empty_sandbox
from app.queries.crossings import Recorded, crossings_of_book
from app.queries.ledger_lines import feed
from app.queries.messages import messages_between

router = APIRouter(prefix="/v1/sandbox", route_class=StrictRoute, tags=["sandbox"])

_Duration = Annotated[str, Field(min_length=3, max_length=50)]
LISTED_MAX = 5_000  # of each kind; what is left out stands in the feed, and with its customer
MESSAGES_LISTED_MAX = 1_000  # for they are long


def _span(value: object) -> int:
    span = parse_advance(value) if isinstance(value, str) else None
    if span is None:
        raise PydanticCustomError(
            "duration_invalid",
            "send an ISO 8601 duration such as P90D or PT12H, above 0, at most {days} days",
            {"days": ADVANCE_DAYS_MAX},
        )
    return span


class ClockIn(WireIn):
    """How far to move the sandbox's clock."""

    advance: Annotated[int, BeforeValidator(_span, json_schema_input_type=_Duration)] = Field(
        description="an ISO 8601 duration of weeks, days, hours, minutes and seconds, such as P90D"
    )


class PassedCrossingOut(CrossingOut):
    """A crossing, and whose it is."""

    customer: str


class LeftOffOut(WireOut):
    """How many more there are than are listed: of the entries, the feed goes on after the last one listed."""

    crossings: int
    entries: int
    messages: int


class PassedOut(WireOut):
    """What happened in the sandbox while its clock went from one instant to the other, in order."""

    from_: datetime = Field(alias="from")
    to: datetime
    crossings: list[PassedCrossingOut]
    entries: list[LineOut]
    messages: list[MessageBodyOut] = Field(description="what was told, whether or not anybody subscribes")
    left_off: LeftOffOut


@router.post("/clock", responses={**ANSWERS, **BODY_ANSWERS})
async def post_clock(body: ClockIn, ledger: LedgerDep, key: SandboxWriter) -> PassedOut:
    """Move a sandbox's clock ahead as if it had run all along; answers what happened meanwhile, in order."""
    passage = await advance_clock(ledger, key.book, by=body.advance)
    async with ledger.database.read(key.book) as tx:
        return await _passed(await reading(ledger, tx, key.book), passage)


@router.delete("", status_code=204, responses=ANSWERS)
async def delete_sandbox(ledger: LedgerDep, key: SandboxAdmin) -> None:
    """Empty a sandbox: only API keys, webhooks, tariff and policy in force stay. Its clock is back at the present."""
    await empty_sandbox(ledger, key.book)


async def _passed(view: Reading, passage: Passage) -> PassedOut:
    crossed, crossings_total = await crossings_of_book(
        view.tx, view.book, after=passage.begun_at, until=passage.ended_at, limit=LISTED_MAX
    )
    lines = await feed(view.tx, view.book, after=passage.after, limit=min(LISTED_MAX, passage.entries))
    told = await messages_between(
        view.tx, view.book, after=passage.told, until=passage.told_until, limit=MESSAGES_LISTED_MAX
    )
    names = await customers_of(view, {account_id for account_id, _ in crossed})
    left_off = LeftOffOut(
        crossings=crossings_total - len(crossed),
        entries=passage.entries - len(lines),
        messages=passage.messages - len(told),
    )
    return PassedOut.model_validate(
        {
            "from": moment_of(passage.begun_at),
            "to": moment_of(passage.ended_at),
            "crossings": [_crossing(each, names[own]) for own, each in crossed if own in names],
            "entries": await entry_views(view, lines),
            "messages": await message_body_views(view, told),
            "left_off": left_off,
        }
    )


def _crossing(recorded: Recorded, customer: str) -> dict[str, object]:
    out = CrossingOut.of(recorded.ordinal, recorded.crossing, announced=recorded.announced)
    return {**out.model_dump(by_alias=True), "customer": customer}
