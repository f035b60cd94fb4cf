"""What callers get when something was refused."""

from pydantic import BaseModel, ConfigDict


class FaultOut(BaseModel):
    """One thing that is wrong: a JSON pointer into what was sent, a stable code, what would be accepted."""

    pointer: str
    code: str
    detail: str


class ProblemOut(BaseModel):
    """RFC 9457 problem details; some codes add fields of their own. `request_id` is null for an item of a batch."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[FaultOut]
    request_id: str | None = None
