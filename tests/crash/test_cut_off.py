"""A connection that is lost between commit and answer: the same request again is answered as what was posted."""

from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from sqlalchemy import make_url

from app.database import Database
from tests.api.sentences import GIFT, Json, body_of, happening, problem_of
from tests.conftest import Bench
from tests.crash.cutting import network_to
from tests.operations.posting import ledger_of
from tests.operations.promising import assert_sound
from tests.servers import running_servers


async def test_between_client_and_server(live: Bench, tmp_path: Path) -> None:
    secret = live.ledger.master_key.secret
    async with (
        running_servers(1, tmp_path, database_url=live.url, master_key=secret) as (server,),
        network_to(httpx.URL(server.url).port or 0) as network,
        server.client(live.token) as api,
    ):
        address = f"http://127.0.0.1:{network.port}/v1/interactions"
        network.cut_after = (GIFT.encode(),)
        with pytest.raises(httpx.TransportError):
            await api.post(address, json=story())
        again = await api.post(address, json=story())

    await is_there_once(live, again)
    assert network.cuts == 1
    assert "Traceback" not in server.log


async def test_between_server_and_postgresql(live: Bench) -> None:
    if live.ledger.database.is_sqlite:
        return  # no network lies between
    url = make_url(live.url)
    async with network_to(url.port or 0) as network:
        database = Database(url.set(port=network.port).render_as_string(hide_password=False))
        far = replace(live, ledger=replace(live.ledger, database=database))
        async with far.client() as api:
            network.cut_after = (b"INSERT INTO entries", b"COMMIT;")
            first = await api.post("/v1/interactions", json=story())
            again = await api.post("/v1/interactions", json=story())
        await database.close()

    problem_of(first, 503, "database_unavailable")
    await is_there_once(live, again)
    assert network.cuts == 1


def story() -> Json:
    return happening("1", kind=GIFT, note="déçu ☃")


async def is_there_once(bench: Bench, again: httpx.Response) -> None:
    """The answer to the second request names the entry that the first one made."""
    (entry,) = await ledger_of(bench)
    assert again.status_code == 200, again.text
    answer = body_of(again)
    assert (answer["replayed"], answer["entry"]["id"], answer["entry"]["position"]) == (True, str(entry.entry_id), 1)
    await assert_sound(bench)
