"""A server that is stopped in order, while many post to it."""

import asyncio
import signal
from pathlib import Path

import httpx

from tests.api.sentences import Json, got, happening
from tests.conftest import Bench
from tests.operations.delivering import until
from tests.servers import ServerProcess, settings_of

WRITERS = 8
BATCH = 500


async def test_it_answers_what_it_has_begun_and_what_it_acknowledged_is_there_once(
    bench: Bench, tmp_path: Path
) -> None:
    settings = settings_of(database_url=bench.url, master_key=bench.ledger.master_key.secret)
    server = await ServerProcess(settings, tmp_path / "log").start()
    acknowledged: dict[str, int] = {}
    sent: list[str] = []
    async with server.client(bench.token) as api:
        writing = [asyncio.create_task(write(api, f"w{number}", sent, acknowledged)) for number in range(WRITERS)]
        await until(lambda: len(acknowledged) > WRITERS)
        many = [happening(f"b-{number}", f"customer-{number}") for number in range(BATCH)]
        batch = asyncio.create_task(api.post("/v1/interactions/batch", json={"interactions": many}))
        await asyncio.sleep(0.5)
        assert await server.stop() in (0, -signal.SIGTERM)
        answer = await batch
        await asyncio.gather(*writing)

    assert answer.status_code == 200, answer.text
    assert answer.json()["summary"]["created"] == BATCH
    assert set(acknowledged) <= set(sent)
    await server.start()
    async with server.client(bench.token) as api:
        for own_id in sent:
            again = await api.post("/v1/interactions", json=happening(own_id, own_id.partition("-")[0]))
            assert own_id not in acknowledged or again.json()["entry"]["position"] == acknowledged[own_id]
        entries = await all_entries(api)
    await server.stop()

    assert sorted(each["interaction"]["id"] for each in entries) == sorted([*sent, *[each["id"] for each in many]])
    assert [each["position"] for each in entries] == list(range(1, len(entries) + 1))
    assert "Traceback" not in server.log


async def write(api: httpx.AsyncClient, writer: str, sent: list[str], acknowledged: dict[str, int]) -> None:
    """Post one interaction after the other, until the server is gone."""
    for number in range(1_000_000):
        own_id = f"{writer}-{number}"
        sent.append(own_id)
        try:
            answer = await api.post("/v1/interactions", json=happening(own_id, writer))
        except httpx.TransportError:
            return
        assert answer.status_code == 201, answer.text
        acknowledged[own_id] = answer.json()["entry"]["position"]


async def all_entries(api: httpx.AsyncClient) -> list[Json]:
    """The book's feed from its beginning."""
    entries: list[Json] = []
    while page := (await got(api, "/v1/entries", after=len(entries), limit=1000))["entries"]:
        entries += page
    return entries
