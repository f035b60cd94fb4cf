"""Below the application: what is no HTTP request at all, too large or too slow ends with a problem document.

A connection costs memory and a descriptor. None is held for a caller that does nothing: a request has to arrive whole
in its time, and whoever does not read the answer is cut off.
"""

from asyncio import BaseTransport, TimerHandle, Transport
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from app.api.gathered import Gathered
from app.api.metrics import count_request
from app.api.problems import STATUS_OF, problem_response
from app.api.safe_headers import ALL
from app.api.watch import Watch
from app.domain.refusal import Refusal
from app.domain.request_errors import HeadTooLarge, MalformedRequest, RequestTimeout, TooManyRequests

HEAD_BYTES_MAX = 32 * 1024
CONNECTIONS_MAX = 900  # below the 1,024 descriptors that a process commonly may have


@dataclass(frozen=True, slots=True)
class Patience:
    """How many seconds a caller may take."""

    head: float = 10.0  # for the request line and the headers, from the first byte
    request: float = 60.0  # for a whole request, from its first byte: 8 MiB at 140 KB/s
    reading: float = 60.0  # to read some 50 KiB of an answer


def protocol_with_problems(
    new_request_id: Callable[[], str], patience: Patience = Patience(), watch: Watch | None = None
) -> type[HttpToolsProtocol]:
    """Uvicorn's protocol, with problem documents; `new_request_id` is chance, handed in by the root."""

    class Protocol(_Protocol):
        seconds = patience
        watched_by = watch

        def named(self) -> str:
            return new_request_id()

    return Protocol


class _Protocol(HttpToolsProtocol):
    seconds: Patience
    watched_by: Watch | None
    _is_arriving = False  # some of a request is here, and not all
    _is_in_head = False
    _head_bytes: int | None = None  # None: it begins somewhere in what was just received
    _arriving_since = 0.0
    _arrival: TimerHandle | None = None  # until a request has to be here
    _reading: TimerHandle | None = None  # until the caller has to have read
    _refusal: Refusal | None = None  # of the head that is just being parsed

    def named(self) -> str:
        raise NotImplementedError

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(cast("Transport", Gathered(cast("Transport", transport), self.loop)))
        self._wait_for_arrival()
        if len(self.connections) > CONNECTIONS_MAX:
            self._end_with(TooManyRequests(f"This server keeps {CONNECTIONS_MAX} connections."))

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._unset_keepalive_if_required()  # after a reset nobody else does, and a time that runs keeps all of this
        self._arrived()
        self._read()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._is_arriving or self.transport.is_closing():
            self._arrived()
            if self._owes_nothing():  # an empty line, or the end of what was refused before: no other time runs now
                self._wait_for_arrival()
            return
        if self._arrival is None:
            self._wait_for_arrival()
        self._head_bytes = 0 if self._head_bytes is None else self._head_bytes + len(data)
        if self._is_in_head and self._head_bytes > HEAD_BYTES_MAX:
            self._end_with(_head_too_large())

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._arrived()  # what ran before was the time to begin
        self._is_arriving = self._is_in_head = True
        self._head_bytes = None

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > HEAD_BYTES_MAX:
            self._refusal = _head_too_large()
            raise ValueError  # the parser ends here, and asks for `send_400_response`
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._is_arriving = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._wait_for_reading()

    def shutdown(self) -> None:
        super().shutdown()
        if self._is_arriving:  # what is still to come has the time of a head: a process is not stopped for longer
            self._arrived()
            self._wait_for_arrival()
            self._arriving_since -= self.seconds.request

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._wait_for_reading()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._wait_for_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self.transport.is_closing():
            self._read()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the parser's words are not ours
        """Answer what the parser refuses, unless that could be taken for the answer to another request."""
        self._end_with(self._refusal or MalformedRequest())

    def _wait_for_arrival(self) -> None:
        self._arriving_since = self.loop.time()
        self._arrival = self.loop.call_later(self.seconds.head, self._not_arrived)

    def _arrived(self) -> None:
        if self._arrival is not None:
            self._arrival.cancel()
            self._arrival = None

    def _not_arrived(self) -> None:
        left = 0.0 if self._is_in_head else self._arriving_since + self.seconds.request - self.loop.time()
        if not self._is_arriving:
            self.transport.close()
        elif left > 0 or self._waits_for_us():
            self._arrival = self.loop.call_later(max(left, self.seconds.head), self._not_arrived)
        else:
            self._end_with(RequestTimeout())

    def _waits_for_us(self) -> bool:
        """Whether we have not yet taken what is there, or owe the answer to the request before."""
        return self.flow.read_paused or (self._is_in_head and not self._owes_nothing())

    def _owes_nothing(self) -> bool:
        """Whether every request that is here is answered."""
        cycle = cast("RequestResponseCycle | None", self.cycle)  # none before the first request
        return cycle is None or cycle.response_complete

    def _wait_for_reading(self) -> None:
        if self._reading is None:
            self._reading = self.loop.call_later(self.seconds.reading, self.transport.abort)

    def _read(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _end_with(self, refusal: Refusal) -> None:
        if self._may_answer():
            count_request(route=None, method="other", status=STATUS_OF[type(refusal)], seconds=0.0)
            self.transport.write(self._answer(refusal, self.named()))
        self.transport.close()
        self._arrived()
        self._wait_for_reading()

    def _may_answer(self) -> bool:
        """Whether nothing else is owed or begun; a request cut off in its body is told that nobody listens."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        is_in_its_body = cycle is not None and cycle.scope is self.scope and cycle.more_body
        if cycle is None or (cycle.response_complete and not is_in_its_body):
            return True
        if not is_in_its_body or cycle.response_started or self.pipeline:
            return False
        cycle.disconnected = True
        cycle.message_event.set()
        return True

    def _answer(self, refusal: Refusal, request_id: str) -> bytes:
        if self.watched_by is not None:
            self.watched_by.tell("", STATUS_OF[type(refusal)], 0.0, {"request_id": request_id})
        response = problem_response(refusal, request_id, {"X-Request-Id": request_id, "Connection": "close"})
        lines = [*self.server_state.default_headers, *response.raw_headers, *ALL]
        head = b"".join(name + b": " + value + b"\r\n" for name, value in lines)
        return STATUS_LINE[response.status_code] + head + b"\r\n" + bytes(response.body)


def _head_too_large() -> HeadTooLarge:
    return HeadTooLarge(
        f"At most {HEAD_BYTES_MAX} bytes of request line and headers are accepted.",
        extra={"bytes_max": HEAD_BYTES_MAX},
    )
