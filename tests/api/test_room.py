"""A process takes on so much at once and no more; who comes beyond that is told to come again, and loses nothing."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from app.api.body import BATCH_BYTES_MAX
from app.api.room import BODY_BYTES_MAX
from app.main import Opened, create_app
from app.settings import Settings
from tests.api.sentences import got, happening, problem_of
from tests.conftest import Bench

REQUESTS_MAX = 4
WRITERS = 16
JSON = {"Content-Type": "application/json"}
NDJSON = {"Content-Type": "application/x-ndjson"}
BATCHES_MAX = BODY_BYTES_MAX // BATCH_BYTES_MAX


def narrow(bench: Bench) -> httpx.AsyncClient:
    """A caller of a process that takes on few requests at once."""
    service = Opened(Settings(database_url=bench.url, requests_max=REQUESTS_MAX), ledger=bench.ledger)
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(create_app(service)),
        base_url="http://goodwill.test",
        headers={"Authorization": f"Bearer {bench.token}"},
    )


async def posted_at_last(api: httpx.AsyncClient, own_id: str) -> int:
    """Post as often as is asked; how often it was refused before."""
    for refused in range(1_000):
        answer = await api.post("/v1/interactions", json=happening(own_id))
        if answer.status_code == 201:
            return refused
        problem_of(answer, 429, "too_many_requests")
        assert int(answer.headers["retry-after"]) >= 1
        await asyncio.sleep(0.05)
    raise AssertionError(f"{own_id} never came in")


async def test_more_requests_than_there_is_room_for_are_refused_and_posted_once_when_they_come_again(
    bench: Bench,
) -> None:
    async with narrow(bench) as api:
        refused = await asyncio.gather(*[posted_at_last(api, str(number)) for number in range(WRITERS)])
        entries = (await got(api, "/v1/entries", limit=1000))["entries"]

    assert sum(refused) > WRITERS - REQUESTS_MAX - 1
    assert sorted(int(entry["id"]) for entry in (each["interaction"] for each in entries)) == list(range(WRITERS))
    assert [entry["position"] for entry in entries] == list(range(1, WRITERS + 1))


async def test_a_full_server_still_says_how_it_is(bench: Bench) -> None:
    goes_on = asyncio.Event()
    async with narrow(bench) as api:
        coming = [
            asyncio.create_task(api.post("/v1/interactions", content=body(goes_on), headers=JSON))
            for _ in range(REQUESTS_MAX + 1)
        ]
        (refused,), held = await asyncio.wait(coming, return_when=asyncio.FIRST_COMPLETED)
        problem_of(refused.result(), 429, "too_many_requests")
        for path in ("/healthz", "/readyz", "/metrics"):
            assert (await api.get(path)).status_code == 200, path
        goes_on.set()
        assert {answer.status_code for answer in await asyncio.gather(*held)} == {422}
        assert (await api.get("/v1/customers")).status_code == 200


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_bodies_beyond_the_room_for_them_are_refused_and_the_room_is_given_back(bench: Bench) -> None:
    goes_on = asyncio.Event()
    async with bench.client() as api:

        def batch() -> asyncio.Task[httpx.Response]:
            content = body(goes_on, b" " * (BATCH_BYTES_MAX - 1))
            return asyncio.create_task(api.post("/v1/interactions/batch", content=content, headers=NDJSON))

        coming = [batch() for _ in range(BATCHES_MAX + 1)]
        (refused,), held = await asyncio.wait(coming, return_when=asyncio.FIRST_COMPLETED)
        problem_of(refused.result(), 429, "too_many_requests")
        goes_on.set()
        assert {answer.status_code for answer in await asyncio.gather(*held)} == {422}
        assert (await batch()).status_code == 422


async def body(goes_on: asyncio.Event, begins: bytes = b"{") -> AsyncIterator[bytes]:
    """The beginning of a body, and the rest once it may go on."""
    yield begins
    await goes_on.wait()
    yield b"}"
