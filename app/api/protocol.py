"""Below the application: what is no HTTP request at all is answered with a problem document, too."""

from collections.abc import Callable
from typing import cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from app.api.metrics import count_request
from app.api.problems import problem_response
from app.domain.errors import MalformedRequest

_STATUS = 400


def protocol_with_problems(new_request_id: Callable[[], str]) -> type[HttpToolsProtocol]:
    """Uvicorn's protocol, with problem documents; `new_request_id` is chance, handed in by the root."""

    class Protocol(_Protocol):
        def named(self) -> str:
            return new_request_id()

    return Protocol


class _Protocol(HttpToolsProtocol):
    def named(self) -> str:
        raise NotImplementedError

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the parser's words are not ours
        """Answer what the parser refuses, unless that could be taken for the answer to another request."""
        if self._may_answer():
            count_request(route=None, method="other", status=_STATUS, seconds=0.0)
            self.transport.write(self._answer())
        self.transport.close()

    def _may_answer(self) -> bool:
        """Whether nothing else is owed or begun; a request cut off in its body is told that nobody listens."""
        cycle = cast("RequestResponseCycle | None", self.cycle)  # none before the first request
        is_in_its_body = cycle is not None and cycle.scope is self.scope and cycle.more_body
        if cycle is None or (cycle.response_complete and not is_in_its_body):
            return True
        if not is_in_its_body or cycle.response_started or self.pipeline:
            return False
        cycle.disconnected = True
        cycle.message_event.set()
        return True

    def _answer(self) -> bytes:
        request_id = self.named()
        headers = {
            "X-Request-Id": request_id,
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
            "Connection": "close",
        }
        response = problem_response(MalformedRequest(), request_id, headers)
        lines = [*self.server_state.default_headers, *response.raw_headers]
        head = b"".join(name + b": " + value + b"\r\n" for name, value in lines)
        return STATUS_LINE[_STATUS] + head + b"\r\n" + bytes(response.body)
