"""A server is killed at work: what it acknowledged is on the ledger once, with its messages; a resend adds nothing."""

import asyncio
from collections import Counter
from pathlib import Path

import httpx

from tests.conftest import Bench
from tests.operations.posting import ledger_of
from tests.operations.promising import assert_sound
from tests.operations.telling import message_rows
from tests.operations.test_concurrency import CLIENTS, is_sound
from tests.servers import ServerProcess, running_servers

POSTS = 200
KILLED_AFTER = 60
KINDS = ("refund.fast", "product.failed", "order.cancelled_by_company", "moment.unexpected_gift")


async def test_a_killed_server_lost_nothing_that_it_acknowledged(bench: Bench, tmp_path: Path) -> None:
    secret = bench.ledger.master_key.secret
    async with running_servers(1, tmp_path, database_url=bench.url, master_key=secret) as (server,):
        acknowledged: dict[str, str] = {}
        left = asyncio.Queue[int]()
        for number in range(POSTS):
            left.put_nowait(number)
        await asyncio.gather(*[post_until_killed(server, bench.token, left, acknowledged) for _ in range(CLIENTS)])
        assert KILLED_AFTER <= len(acknowledged) < POSTS

        await server.start()
        again = await send_all_again(server, bench.token)

    entries = await ledger_of(bench)
    is_sound(entries, bench.book)
    await assert_sound(bench)
    assert await message_rows(bench)
    assert Counter(entry.external_id for entry in entries) == {str(number): 1 for number in range(POSTS)}
    posted = {entry.external_id: str(entry.entry_id) for entry in entries}
    assert {number: posted[number] for number in acknowledged} == acknowledged
    assert {number: entry_id for number, (_, entry_id) in again.items()} == posted
    assert {again[number][0] for number in acknowledged} == {"replayed"}
    assert Counter(outcome for outcome, _ in again.values())["created"] >= POSTS - KILLED_AFTER - 2 * CLIENTS


def body(number: int) -> dict[str, str]:
    return {
        "id": str(number),
        "customer": f"customer-{number % 9}",
        "kind": KINDS[number % len(KINDS)],
        "note": f"note {number}",
    }


async def post_until_killed(
    server: ServerProcess, token: str, left: asyncio.Queue[int], acknowledged: dict[str, str]
) -> None:
    """Take numbers and post them, until the server is gone; the client that counts enough answers kills it."""
    async with server.client(token) as client:
        while not left.empty():
            number = left.get_nowait()
            try:
                answer = await client.post("/v1/interactions", json=body(number))
            except httpx.TransportError:
                return
            assert answer.status_code == 201, answer.text
            acknowledged[str(number)] = answer.json()["entry"]["id"]
            if len(acknowledged) == KILLED_AFTER:
                server.kill()


async def send_all_again(server: ServerProcess, token: str) -> dict[str, tuple[str, str]]:
    """Outcome and entry id of each number, sent again."""
    bodies = [body(number) for number in range(POSTS)]
    async with server.client(token) as client:
        answer = await client.post("/v1/interactions/batch", json={"interactions": bodies})
    results = zip(bodies, answer.json()["results"], strict=True)
    return {sent["id"]: (result["outcome"], result["entry"]["id"]) for sent, result in results}
