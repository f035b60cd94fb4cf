"""The floors, frozen: what the same work costs without a ledger. Nothing of `app` is used here.

    python -m benchmarks.floor PORT

A FastAPI application with the server flags of `goodwill serve` and two routes: one validates the body of a posting
and does nothing, one answers a constant balance. And the floors of the database, through asyncpg: COPY of entries, and
reading them.
"""

import sys
from collections.abc import Sequence
from enum import StrEnum
from time import perf_counter
from typing import Annotated, Any

import asyncpg
import uvicorn
from fastapi import FastAPI
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

KEEP_ALIVE_SECONDS = 75
DRAIN_SECONDS = 20
COPY_ROWS = 1_000
READ_ROWS = 5_000

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
KindName = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]
Note = Annotated[str, StringConstraints(max_length=4_096, pattern=r"^[^\x00]*$")]
Number = Annotated[float, Field(ge=-1e12, le=1e12, allow_inf_nan=False, strict=True)]


class Motive(StrEnum):
    """Why the customer was in touch."""

    PROBLEM = "problem"
    INFORMATION = "information"


class DeclaredBy(StrEnum):
    """Who says that it happened."""

    CUSTOMER = "customer"
    SYSTEM = "system"
    EMPLOYEE = "employee"


class InteractionIn(BaseModel):
    """The fields of a posting."""

    model_config = ConfigDict(extra="forbid")

    id: Identifier | None = None
    source: Identifier | None = None
    customer: Identifier
    kind: KindName
    value_at: AwareDatetime | None = None
    attributes: dict[str, Any] | None = None
    note: Note | None = None
    points: int | None = None
    channel: Identifier | None = None
    touchpoint: Identifier | None = None
    journey: Identifier | None = None
    case: Identifier | None = None
    motive: Motive | None = None
    actor: Identifier | None = None
    declared_by: DeclaredBy | None = None
    cause: Identifier | None = None
    settles: Identifier | None = None
    promise: Identifier | None = None
    cost: Number | None = None


app = FastAPI()


@app.post("/v1/interactions", status_code=201)
async def post_interaction(body: InteractionIn) -> dict[str, bool]:  # noqa: ARG001  validating it is all the work
    """Validate, and do nothing."""
    return {"replayed": False}


@app.get("/v1/customers/{customer}/balance")
async def get_balance() -> dict[str, int | float | str | None]:
    """A constant of a balance's shape."""
    return {"balance": 19, "felt": 21.3, "standing": "delighted", "depth": None}


@app.get("/readyz")
async def get_readiness() -> dict[str, str]:
    """It answers."""
    return {"status": "ok"}


async def read_entries(url: str, book: str) -> tuple[int, float]:
    """All columns of a book's entries, account by account, fetched and let go; how many, and the seconds it took."""
    connection = await asyncpg.connect(url)
    query, count, begun = "SELECT * FROM entries WHERE book = $1 ORDER BY account_id, sequence", 0, perf_counter()
    async with connection.transaction(readonly=True):
        cursor = await connection.cursor(query, book)
        while rows := await cursor.fetch(READ_ROWS):
            count += len(rows)
    seconds = perf_counter() - begun
    await connection.close()
    return count, seconds


async def copy_entries(
    url: str, rows: Sequence[tuple[Any, ...]], *, book: str, seconds: float, least: int = 0
) -> tuple[int, float]:
    """COPY these entries into the table, COPY_ROWS a transaction, over and over, each time as those of another book.

    At least so many, and until the seconds are over.
    Returns how many were written, and the seconds it took.
    """
    connection = await asyncpg.connect(url)
    written, begun = 0, perf_counter()
    while (took := perf_counter() - begun) < seconds or written < least:
        turn, start = divmod(written, len(rows))
        own = f"{book}-{turn}"
        records = [(own, *row[1:]) for row in rows[start : start + COPY_ROWS]]
        await connection.copy_records_to_table("entries", records=records)
        written += len(records)
    await connection.close()
    return written, took


def main() -> None:
    """Serve on the port that is named."""
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        log_level="warning",
        loop="uvloop",
        http="httptools",
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )


if __name__ == "__main__":
    main()
