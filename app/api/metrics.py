"""What /metrics tells beyond the process: requests by route, and what became of interactions.

Every label has few values: a route's template and never its path, a known method, a status.
"""

from collections import Counter as Counts
from collections.abc import Iterable
from functools import lru_cache

from prometheus_client import Counter, Histogram

from app.api.wire_batch import OUTCOMES, came_to
from app.operations.outcome import Outcome

NO_ROUTE = "none"  # no address of ours, or refused before it was looked for
GONE_STATUS = 499  # nobody was there any more to be answered

_METHODS = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
_LABELS = ("route", "method", "status")
_REQUESTS = Counter("goodwill_http_requests", "HTTP requests answered", _LABELS)
_SECONDS = Histogram("goodwill_http_request_duration_seconds", "Seconds from a request to its whole answer", _LABELS)
_INTERACTIONS = Counter("goodwill_interactions", "Interactions and reversals by what became of them", ("outcome",))
for _outcome in OUTCOMES:
    _INTERACTIONS.labels(_outcome)  # so that each is there, as 0, before it first happens


_REFUSALS = Counter("goodwill_refusals", "Problems by their code, of requests and of items of batches", ("code",))


def known_method(method: str) -> str:
    """The method, if it is one of those that there are: it may be any word."""
    return method if method in _METHODS else "other"


def count_refusal(code: str) -> None:
    """Count a problem that is told."""
    _REFUSALS.labels(code).inc()


def count_request(*, route: str | None, method: str, status: int | None, seconds: float) -> None:
    """Count a request that is over; `route` is its template, if it has one."""
    requests, durations = _counters(route, method, status)
    requests.inc()
    durations.observe(seconds)


@lru_cache(maxsize=1_000)  # a method may be any word
def _counters(route: str | None, method: str, status: int | None) -> tuple[Counter, Histogram]:
    labels = (route or NO_ROUTE, known_method(method), str(status or GONE_STATUS))
    return _REQUESTS.labels(*labels), _SECONDS.labels(*labels)


def count_outcomes(outcomes: Iterable[Outcome]) -> None:
    """Count what the ledger made of a batch."""
    for word, number in Counts(map(came_to, outcomes)).items():
        _INTERACTIONS.labels(word).inc(number)
