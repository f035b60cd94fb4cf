"""Traces, as they arrive at a real receiver of OTLP over HTTP from a real server; and nothing where they are off."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.api.sentences import happening, posted
from tests.api.subscribing import made
from tests.cli.test_json_logs import access_lines
from tests.cli.test_logs import ATTRIBUTE, NAME, NOTE, TARGET, badly_told, told, well_told
from tests.conftest import Bench
from tests.operations.delivering import until
from tests.postgres import free_port
from tests.servers import ServerProcess, settings_of
from tests.webhooks.receivers import Receiver, answering, receiving

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = {"traceparent": f"00-{TRACE}-{CALLER}-01", "baggage": "who=canary-name"}


def tracing(bench: Bench, port: int, **more: str) -> dict[str, str]:
    settings = settings_of(database_url=bench.url, master_key=bench.ledger.master_key.secret)
    sent = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}", "OTEL_BSP_SCHEDULE_DELAY": "100"}
    logs = {"GOODWILL_LOG_FORMAT": "json", "GOODWILL_ACCESS_LOG": "true", "GOODWILL_WEBHOOKS_ALLOW_LOOPBACK": "true"}
    return {**settings, **sent, **logs, "GOODWILL_TRACES": "true", "FASTAPI_OTEL_AUTO_CONFIGURE": "true", **more}


def spans_in(receiver: Receiver) -> list[Span]:
    """All that came so far."""
    parsed = [ExportTraceServiceRequest.FromString(each.body) for each in receiver.requests]
    return [span for each in parsed for of in each.resource_spans for scope in of.scope_spans for span in scope.spans]


def facts_of(span: Span) -> Mapping[str, Any]:
    values = {each.key: each.value for each in span.attributes}
    return {name: getattr(value, value.WhichOneof("value")) for name, value in values.items()}


async def test_a_posting_is_traced_from_its_callers_trace_to_its_delivery(bench: Bench, tmp_path: Path) -> None:
    async with receiving(answering("200 OK")) as collector, receiving(answering("200 OK")) as webhook:
        server = await ServerProcess(tracing(bench, collector.port), tmp_path / "server.log").start()
        async with server.client(bench.token) as api:
            subscription = await made(api, webhook.url)
            api.headers.update(PARENT)
            answer = await api.post("/v1/interactions", json=happening(kind="agent.insult_or_threat"))
            await until(lambda: any(each.name == "deliver" for each in spans_in(collector)))
        await server.stop()

    assert {each.line.split()[1] for each in collector.requests} == {"/v1/traces"}  # no metrics, no logs
    spans = spans_in(collector)
    (request,) = [each for each in spans if each.name == "POST /v1/interactions"]
    ours = {each.name: each for each in spans if each.trace_id.hex() == TRACE}
    assert ours.keys() == {"POST /v1/interactions", "append", "lock"}
    assert request.parent_span_id.hex() == CALLER
    assert ours["append"].parent_span_id == request.span_id
    assert ours["lock"].parent_span_id == ours["append"].span_id
    assert ours["append"].start_time_unix_nano <= ours["lock"].start_time_unix_nano + 1_000_000
    assert facts_of(request) == {
        "http.request.method": "POST",
        "http.route": "/v1/interactions",
        "http.response.status_code": 201,
        "goodwill.request_id": answer.headers["x-request-id"],
        "goodwill.book": "acme",
        "goodwill.key_id": bench.key_id,
        "goodwill.position": 1,
    }
    assert facts_of(ours["append"]) == {"goodwill.book": "acme", "goodwill.position": 1, "goodwill.items": 1}
    delivered = [facts_of(each) for each in spans if each.name == "deliver"]
    assert {each["goodwill.subscription"] for each in delivered} == {subscription["id"]}
    assert delivered[0].items() >= {"goodwill.book": "acme", "http.response.status_code": 200}.items()
    assert access_lines(server)[answer.headers["x-request-id"]]["trace_id"] == TRACE
    assert "traceparent" not in webhook.requests[0].headers
    assert "Traceback" not in server.log


async def test_an_append_of_many_is_linked_to_each_of_them(bench: Bench, tmp_path: Path) -> None:
    async with receiving(answering("200 OK")) as collector:
        server = await ServerProcess(tracing(bench, collector.port), tmp_path / "server.log").start()
        async with server.client(bench.token) as api:
            await asyncio.gather(*[posted(api, str(number)) for number in range(30)])
        await server.stop()

    spans = spans_in(collector)
    requests = {each.span_id for each in spans if each.name == "POST /v1/interactions"}
    appends = [each for each in spans if each.name == "append"]
    linked = [link.span_id for each in appends for link in each.links]
    assert len(requests) == 30
    assert {each.parent_span_id for each in appends} | set(linked) == requests
    assert len(appends) + len(linked) == 30  # each in one place


async def test_no_trace_holds_a_name_a_note_an_attribute_or_a_secret(bench: Bench, tmp_path: Path) -> None:
    async with receiving(answering("200 OK")) as collector, receiving(answering("500 No")) as webhook:
        server = await ServerProcess(tracing(bench, collector.port), tmp_path / "server.log").start()
        async with server.client(bench.token) as api:
            await made(api, f"{webhook.url}?token={TARGET}")
            api.headers.update(PARENT)
            await well_told(api)
            await badly_told(api)
            await until(lambda: any(each.name == "deliver" for each in spans_in(collector)))
        await server.stop()

    sent = b"".join(each.body for each in collector.requests)
    assert b"/v1/customers/{customer}" in sent
    for canary in (NAME, NOTE, ATTRIBUTE, TARGET, bench.token.rpartition("_")[2]):
        assert canary.encode() not in sent, canary


async def test_a_collector_that_is_away_keeps_nobody_waiting(bench: Bench, tmp_path: Path) -> None:
    server = await ServerProcess(tracing(bench, free_port()), tmp_path / "server.log").start()
    async with server.client(bench.token) as api:
        await posted(api)
    begun = time.monotonic()
    await server.stop()
    assert time.monotonic() - begun < 10  # three, and what the rest takes
    assert "Traceback" not in server.log


async def test_where_traces_are_off_nothing_is_sent(bench: Bench, tmp_path: Path) -> None:
    async with receiving(answering("200 OK")) as collector:
        server = ServerProcess(tracing(bench, collector.port, GOODWILL_TRACES="false"), tmp_path / "server.log")
        async with (await server.start()).client(bench.token) as api:
            assert (await api.post("/v1/interactions", json=told("1"), headers=PARENT)).status_code == 201
        await server.stop()

    assert collector.requests == []
    assert "trace_id" not in server.log


def test_a_process_that_does_not_trace_does_not_load_the_sdk() -> None:
    code = "import sys, app.cli.serve, app.cli.work; print([each for each in sys.modules if 'otel' in each or"
    code += " each.startswith(('opentelemetry.sdk', 'opentelemetry.exporter', 'google.protobuf', 'requests'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
