"""Sixty-four who write at once, to one account and to one book: nobody fails, and nobody waits for ever."""

import asyncio
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx

from tests.conftest import Bench
from tests.operations.delivering import until
from tests.operations.outages import count_due, fall_behind
from tests.operations.posting import ledger_of
from tests.operations.test_concurrency import ROWS, import_rows, is_calm, is_sound, served
from tests.servers import ServerProcess

WRITERS = 64
POSTS_EACH = 4
DUE = 100
WAIT_OVER_MEDIAN_MAX = 20

Customer = Callable[[int, int], str]
"""For whom a writer posts its how-manieth interaction."""


async def test_sixty_four_writers_of_one_account_are_each_served_in_turn(bench: Bench, tmp_path: Path) -> None:
    async with served(bench, tmp_path) as servers:
        waits = await write_all(servers, bench.token, lambda *_: "ada")

    is_fair(waits)
    entries = await ledger_of(bench)
    is_sound(entries, bench.book)
    assert [entry.sequence for entry in entries] == list(range(1, WRITERS * POSTS_EACH + 1))
    is_calm(servers)


async def test_sixty_four_writers_of_one_book_are_each_served_in_turn_beside_the_clock_and_an_import(
    bench: Bench, tmp_path: Path
) -> None:
    await fall_behind(bench, DUE)
    before = len(await ledger_of(bench))
    async with served(bench, tmp_path) as servers:
        importing = asyncio.create_task(import_rows(bench, tmp_path))
        waits = await write_all(servers, bench.token, lambda writer, number: f"customer-{(writer + number) % 7}")
        assert await importing == ROWS
        await until(lambda: is_nothing_due(bench))

    is_fair(waits)
    entries = await ledger_of(bench)
    is_sound(entries, bench.book)
    assert len(entries) >= before + WRITERS * POSTS_EACH + ROWS
    is_calm(servers)


async def is_nothing_due(bench: Bench) -> bool:
    return await count_due(bench) == 0


async def write_all(servers: Sequence[ServerProcess], token: str, customer: Customer) -> list[float]:
    """What all of them post, half of them to each server; how many seconds each posting took."""
    async with servers[0].client(token) as one, servers[1].client(token) as other:
        of_each = [write((one, other)[writer % 2], writer, customer) for writer in range(WRITERS)]
        return [wait for waits in await asyncio.gather(*of_each) for wait in waits]


async def write(api: httpx.AsyncClient, writer: int, customer: Customer) -> list[float]:
    waits: list[float] = []
    for number in range(POSTS_EACH):
        body = {"id": f"{writer}-{number}", "customer": customer(writer, number), "kind": "contact.resolved_first"}
        begun = time.monotonic()
        answer = await api.post("/v1/interactions", json=body)
        waits.append(time.monotonic() - begun)
        assert answer.status_code == 201, answer.text
    return waits


def is_fair(waits: Sequence[float]) -> None:
    median, longest = statistics.median(waits), max(waits)
    assert longest < WAIT_OVER_MEDIAN_MAX * median, f"{longest:.3f} s, and {median:.3f} s the median"
