"""Traces by OpenTelemetry, sent by OTLP over HTTP; the standard variables `OTEL_…` say where to and how many.

Nothing else imports the SDK, and this only within a function: a process that does not trace holds none of it.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from itertools import islice
from threading import Thread
from typing import TYPE_CHECKING

from opentelemetry import context, trace
from opentelemetry.trace import Link, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from app import __version__
from app.domain.instant import Instant
from app.traces import Facts, Headers, Origin

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

LINKS_MAX = 100  # of an append to those that it is done for; beyond them it says no more
STOP_SECONDS = 3.0  # for what is not sent yet when the process ends
_PARENTS = (b"traceparent", b"tracestate")  # no baggage: what callers put into it is not ours to pass on
_NANOSECONDS = 1_000


class OtlpTraces:
    """The traces of one process. Close it, so that the last of them are sent."""

    def __init__(self, provider: "TracerProvider", *, now: Callable[[], Instant]) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("goodwill", __version__)
        self._now = now

    def here(self) -> Origin | None:
        """The current context."""
        return context.get_current()

    @contextmanager
    def request(self, headers: Headers) -> Generator["OtlpSpan"]:
        """A server's span; it goes on with the caller's trace."""
        carrier = {name.decode(): value.decode("latin-1") for name, value in headers if name in _PARENTS}
        parent = TraceContextTextMapPropagator().extract(carrier, context.Context())
        with self._begun("request", SpanKind.SERVER, parent, ()) as span:
            yield span

    @contextmanager
    def span(self, name: str, facts: Facts, *, of: Iterable[Origin | None] = ()) -> Generator["OtlpSpan"]:
        """A span of the first of those places, with links to the others; without any of the current context."""
        origins = _places(of)
        links = [Link(each) for each in _spans_at(origins[1:])]
        kind = SpanKind.CLIENT if name == "deliver" else SpanKind.INTERNAL
        with self._begun(name, kind, origins[0] if origins else None, links) as span:
            span.note(facts)
            yield span

    def close(self) -> None:
        """Send what is left, and wait for that no longer than `STOP_SECONDS`."""
        sending = Thread(target=self._provider.shutdown, daemon=True)  # it would try for half a minute
        sending.start()
        sending.join(STOP_SECONDS)

    @contextmanager
    def _begun(
        self, name: str, kind: SpanKind, parent: context.Context | None, links: Sequence[Link]
    ) -> Generator["OtlpSpan"]:
        """Of what fails the span says its kind, and not its words: they may hold what was sent."""
        with self._tracer.start_as_current_span(
            name, parent, kind, links=links, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield OtlpSpan(self._tracer, span, self._now, links_left=LINKS_MAX - len(links))
            except BaseException as error:
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise


class OtlpSpan:
    """A span that is under way."""

    def __init__(self, tracer: trace.Tracer, span: trace.Span, now: Callable[[], Instant], *, links_left: int) -> None:
        self._tracer = tracer
        self._span = span
        self._now = now
        self._links_left = links_left
        self.trace_id = trace.format_trace_id(span.get_span_context().trace_id)

    def note(self, facts: Facts, *, name: str | None = None, failed: bool = False) -> None:
        """Add facts, and perhaps give it another name."""
        self._span.set_attributes({key: value for key, value in facts.items() if value is not None})
        if name is not None:
            self._span.update_name(name)
        if failed:
            self._span.set_status(StatusCode.ERROR)

    def also(self, of: Iterable[Origin | None]) -> None:
        """Links to those places, as far as there may be more: the SDK would drop the first ones for them."""
        more = _spans_at(_places(of))[: self._links_left]
        self._links_left -= len(more)
        for each in more:
            self._span.add_link(each)

    def waited(self, name: str, seconds: float) -> None:
        """A span within this one that ends now."""
        ended_at = self._now() * _NANOSECONDS
        self._tracer.start_span(name, start_time=ended_at - int(seconds * 1e9)).end(ended_at)


def _places(of: Iterable[Origin | None]) -> list[context.Context]:
    return [each for each in islice(of, LINKS_MAX) if isinstance(each, context.Context)]


def _spans_at(places: Iterable[context.Context]) -> list[trace.SpanContext]:
    """The spans that were under way there."""
    contexts = [trace.get_current_span(each).get_span_context() for each in places]
    return [each for each in contexts if each.is_valid]


def otlp_traces(*, now: Callable[[], Instant]) -> OtlpTraces:
    """Traces that are sent to where `OTEL_EXPORTER_OTLP_ENDPOINT` says."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": "goodwill", "service.version": __version__})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return OtlpTraces(provider, now=now)
