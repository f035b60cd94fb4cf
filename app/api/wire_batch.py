"""What callers get for a batch: an answer for each interaction, in order."""

from typing import Literal

from app.api.wire import EntryOut, WireOut
from app.api.wire_problem import ProblemOut
from app.domain.errors import InteractionConflict
from app.operations.outcome import Outcome, Posted


class PostedResultOut(WireOut):
    """One interaction of a batch that is on the ledger."""

    outcome: Literal["created", "replayed"]
    entry: EntryOut


class RefusedResultOut(WireOut):
    """One interaction of a batch that left no trace but this."""

    outcome: Literal["conflict", "refused"]
    problem: ProblemOut


class SummaryOut(WireOut):
    """How many interactions of a batch came to what."""

    created: int
    replayed: int
    conflict: int
    refused: int


class BatchOut(WireOut):
    """The results of a batch, in the order of its interactions."""

    results: list[PostedResultOut | RefusedResultOut]
    summary: SummaryOut


class AllRefusedOut(ProblemOut):
    """The problem of a batch of which nothing was posted."""

    results: list[RefusedResultOut]
    summary: SummaryOut


OUTCOMES = ("created", "replayed", "conflict", "refused")


def came_to(outcome: Outcome) -> str:
    """The word for what became of an item: one of OUTCOMES."""
    if isinstance(outcome, Posted):
        return "replayed" if outcome.replayed else "created"
    return "conflict" if isinstance(outcome.refusal, InteractionConflict) else "refused"
