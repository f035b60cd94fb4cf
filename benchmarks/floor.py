"""The floors, frozen: what the same work costs without a ledger. Nothing of `app` is used here.

    python -m benchmarks.floor PORT

A FastAPI application with the server flags of `goodwill serve` and two routes: one validates the body of a posting
and does nothing, one answers a constant balance. Below are the floors of the database, through asyncpg.
"""

import sys
from enum import StrEnum
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

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
        timeout_keep_alive=75,
        timeout_graceful_shutdown=20,
    )


if __name__ == "__main__":
    main()
