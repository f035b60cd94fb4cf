"""The refusals of promises; all others stand in `errors.py`, which is full."""

from app.domain.errors import Refusal


class InvalidPromise(Refusal):
    """What is asked of the promise is refused."""

    code = "invalid_promise"


class UnknownPromise(Refusal):
    """The book has no such promise."""

    code = "unknown_promise"


class PromiseOverdue(Refusal):
    """The promise's due time has passed: a promise is moved before it, or not at all."""

    code = "promise_overdue"


class PromiseSettled(Refusal):
    """The promise is kept or withdrawn already."""

    code = "promise_settled"
