"""The benchmark measures what it says: the same requests for all, the floor's fields, checked answers, true tables."""

import asyncio
import importlib
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from app.api.wire_in import InteractionIn
from app.cli import serve
from app.domain.tariff_document import default_tariff
from app.domain.valuation import value
from benchmarks import floor, report, table
from benchmarks.bars import BARS
from benchmarks.bodies import Source
from benchmarks.load import Plan, Unexpected, load
from tests.servers import ROOT

SOURCE = Source(what="post", token="gw_acme_none", run="0001", seed=7, customers=100, batch=3)


@pytest.mark.parametrize("path", sorted(ROOT.glob("benchmarks/*.py")), ids=lambda path: path.stem)
def test_every_benchmark_still_finds_what_it_measures(path: Path) -> None:
    importlib.import_module(f"benchmarks.{path.stem}")


def test_a_seed_makes_the_same_requests() -> None:
    same, other = SOURCE.requests(), replace(SOURCE, seed=8).requests()
    first = [_without_times(request) for request in islice(SOURCE.requests(), 50)]
    assert [_without_times(request) for request in islice(same, 50)] == first
    assert [_without_times(request) for request in islice(other, 50)] != first


@pytest.mark.parametrize("what", ["post", "batch"])
def test_a_request_is_as_long_as_it_says(what: str) -> None:
    for request in islice(replace(SOURCE, what=what).requests(), 600):
        head, _, body = request.partition(b"\r\n\r\n")
        assert f"Content-Length: {len(body)}".encode() in head
        assert json.loads(body)


def test_every_interaction_has_a_value_in_the_default_tariff() -> None:
    tariff = default_tariff()
    for body in islice(SOURCE.interactions(), 600):
        sent = InteractionIn.model_validate_json(body)
        assert value(tariff, 1, kind=sent.kind, attributes=sent.attributes or {}).tariff_version == 1


def test_the_floor_validates_the_fields_of_a_posting() -> None:
    assert set(floor.InteractionIn.model_fields) == set(InteractionIn.model_fields)
    for body in islice(SOURCE.interactions(), 50):
        floor.InteractionIn.model_validate_json(body)


def test_the_floor_is_served_as_we_are() -> None:
    assert (floor.KEEP_ALIVE_SECONDS, floor.DRAIN_SECONDS) == (serve.KEEP_ALIVE_SECONDS, serve.DRAIN_SECONDS)


async def test_every_answer_within_the_time_is_counted() -> None:
    async with _answering(b"HTTP/1.1 201 Created\r\ncontent-", b"length: 4\r\n\r\n{", b"  }") as port:
        plan = Plan(ports=[port], connections=3, seconds=60, warmup=0, answers=30, source=SOURCE)
        found = await load(plan)
    assert (found["answers"], found["all_answers"]) == (30, 30)
    assert found["p50_ms"] > 0


async def test_another_status_fails_the_run() -> None:
    async with _answering(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}") as port:
        plan = Plan(ports=[port], connections=1, seconds=60, warmup=0, source=SOURCE)
        with pytest.raises(Unexpected, match="200 OK"):
            await load(plan)


async def test_an_answer_without_a_length_fails_the_run() -> None:
    async with _answering(b"HTTP/1.1 201 Created\r\n\r\n") as port:
        plan = Plan(ports=[port], connections=1, seconds=60, warmup=0, source=SOURCE)
        with pytest.raises(Unexpected, match="without a length"):
            await load(plan)


def test_a_figure_is_the_median_of_the_ratios_of_each_round() -> None:
    rounds = {
        "post_64": [_rate(100), _rate(300), _rate(200)],
        "floor_post_64": [_rate(100), _rate(100), _rate(400)],
        "emmett": [_rate(50), _rate(50), _rate(50)],
    }
    figures = report.measured(rounds)
    assert figures["post_64"]["rounds"] == [1.0, 3.0, 0.5]
    assert (figures["post_64"]["median"], figures["post_64"]["meets"]) == (1.0, "must")
    assert (figures["post_over_best_peer"]["median"], figures["post_over_best_peer"]["meets"]) == (4.0, "goal")
    assert (figures["post_p99_over_p50"]["median"], figures["post_p99_over_p50"]["meets"]) == (5.0, "no")
    assert report.ratios(figures)["rebuild"] is None


def test_the_ratios_have_the_names_that_were_asked_for() -> None:
    first = ["post_64", "post_1", "post_64_sqlite", "get_balance_64", "batch_1000", "import", "rebuild"]
    assert list(BARS) == [*first, "post_2_processes", "post_p99_over_p50", "rss_mb", "post_over_best_peer"]


def test_the_readme_says_what_the_newest_result_says() -> None:
    text = table.README.read_text()
    assert table.with_table(text, table.newest()) == text


def _rate(each: float) -> dict[str, Any]:
    return {"rate": each, "p50_ms": 2.0, "p99_ms": 10.0}


def _without_times(request: bytes) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(request.partition(b"\r\n\r\n")[2])
    return {name: given for name, given in body.items() if name != "value_at"}


@asynccontextmanager
async def _answering(*parts: bytes) -> AsyncGenerator[int]:
    """The port of a server that answers each request with these bytes, one part after the other."""

    answers: list[asyncio.Task[Any] | None] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers.append(asyncio.current_task())
        while head := await reader.read(65_536):
            assert head.endswith(b"}")
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0.001)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        await asyncio.gather(*filter(None, answers))
