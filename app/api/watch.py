"""Watches requests: each becomes a line of the access log and a span of a trace, where the operator wants them."""

from collections.abc import Generator
from contextlib import contextmanager
from http import HTTPStatus
from time import perf_counter
from typing import Any, Protocol

from starlette.types import Scope

from app.api.access_log import AccessLog
from app.api.metrics import known_method
from app.passing import PASSING, Passing
from app.traces import NO_TRACES, Span, Traces


class Answering(Protocol):
    """How far the answer is."""

    status: int | None


class Watch:
    """What a process writes down of the requests that it serves."""

    def __init__(self, access: AccessLog | None, traces: Traces = NO_TRACES) -> None:
        self._access = access
        self._traces = traces

    @contextmanager
    def following(self, passed: Scope, method: str, answering: Answering) -> Generator[None]:
        """Watch a request as long as the block runs; `passed` is then what the application made of its scope."""
        passing, begun = Passing(), perf_counter()
        token = PASSING.set(passing)
        with self._traces.request(passed["headers"]) as span:
            try:
                yield
            finally:
                PASSING.reset(token)
                facts = {**about(passed), "position": passing.position}
                if span.trace_id is not None:
                    _note(span, known_method(method), answering.status, facts)
                self.tell(method, answering.status, perf_counter() - begun, {**facts, "trace_id": span.trace_id})

    def tell(self, method: str, status: int | None, seconds: float, facts: dict[str, Any]) -> None:
        """Write a request into the access log, if there is one."""
        if self._access is not None:
            self._access.tell(method=known_method(method), status=status, seconds=round(seconds, 6), **facts)


def about(passed: Scope) -> dict[str, Any]:
    """What a line in the log says of a request: its name, its route's template, and the key that it came with."""
    state, key = passed["state"], passed["state"].get("api_key")
    own = {"request_id": state["request_id"], "route": getattr(passed.get("route"), "path", None)}
    return own if key is None else {**own, "book": key.book, "key_id": key.key_id}


def _note(span: Span, method: str, status: int | None, facts: dict[str, Any]) -> None:
    """The names of OpenTelemetry's conventions where they have one."""
    known = {"http.request.method": method, "http.route": facts["route"], "http.response.status_code": status}
    own = {f"goodwill.{name}": value for name, value in facts.items() if name != "route"}
    failed = status is not None and status >= HTTPStatus.INTERNAL_SERVER_ERROR
    span.note({**known, **own}, name=f"{method} {facts['route']}" if facts["route"] else method, failed=failed)
