"""Traces: how many links an append has, however many it is done for."""

import pytest
from opentelemetry import context, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from app.otlp import LINKS_MAX, OtlpTraces


@pytest.mark.parametrize(("first", "joining"), [(90, 90), (100, 100), (3, 150), (2, 1)])
def test_who_joins_an_append_takes_no_link_from_who_began_it(first: int, joining: int) -> None:
    finished, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(finished))
    traces = OtlpTraces(provider, now=lambda: 1)

    def origin() -> context.Context:
        with traces.request([]):
            return traces.here()  # type: ignore[return-value]

    began, joined = [[origin() for _ in range(count)] for count in (first, joining)]
    with traces.span("append", {}, of=began) as span:
        span.also(joined)

    (append,) = [each for each in finished.get_finished_spans() if each.name == "append"]
    wanted = [trace.get_current_span(each).get_span_context() for each in [*began[1:], *joined[:LINKS_MAX]]]
    assert [link.context for link in append.links] == wanted[:LINKS_MAX]
    assert append.dropped_links == 0
