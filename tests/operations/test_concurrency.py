"""Many at once, in one process and over two: one set of entries, gapless, and answers that agree."""

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx

from app.domain.chain import genesis, linked
from app.domain.entry import Entry
from app.operations.outcome import Posted
from tests.conftest import Bench
from tests.operations.posting import interaction, ledger_of, post
from tests.servers import ROOT, ServerProcess, environment, running_servers, settings_of

CLIENTS = 8
WRITERS = 16
POSTS_EACH = 12
ROWS, BATCH_SIZE = 1_500, 100


def is_sound(entries: Sequence[Entry], book: str) -> None:
    """Laws 1 to 3: gapless positions and sequences, rising instants, running balances, an unbroken chain."""
    assert [entry.position for entry in entries] == list(range(1, len(entries) + 1))
    assert all(before.booked_at <= after.booked_at for before, after in pairwise(entries))
    sequences, balances, previous = Counter[object](), Counter[object](), genesis(book)
    for entry in entries:
        sequences[entry.account_id] += 1
        balances[entry.account_id] += entry.points
        previous = linked(previous, entry)
        assert (entry.sequence, entry.balance_after) == (sequences[entry.account_id], balances[entry.account_id])
        assert entry.hash == previous


def is_calm(servers: Sequence[ServerProcess]) -> None:
    """No server met anything that it could not answer."""
    for server in servers:
        assert not [word for word in ("Traceback", "ERROR", "WARNING", "locked") if word in server.log], server.log


async def test_the_same_batch_from_eight_tasks_at_once_is_one_set_of_entries(bench: Bench) -> None:
    batch = [interaction(number, customer=f"customer-{number % 13}") for number in range(200)]

    answers = await asyncio.gather(*[post(bench, *batch) for _ in range(CLIENTS)])

    named = [[outcome.entry for outcome in answer if isinstance(outcome, Posted)] for answer in answers]
    entries = await ledger_of(bench)
    assert named == [entries] * CLIENTS
    is_sound(entries, bench.book)
    created = [{outcome.replayed for outcome in answer if isinstance(outcome, Posted)} for answer in answers]
    assert sorted(created, key=str) == [{False}] + [{True}] * (CLIENTS - 1)


async def test_eight_tasks_that_race_for_overlapping_ids_create_each_once(bench: Bench) -> None:
    """Each sends other ids in another order; what two of them send with other content, one of them gets."""
    sent = [
        [
            interaction(number % 60, note=f"task {task}" if number % 7 == 0 else None)
            for number in range(task, task + 40)
        ]
        for task in range(0, CLIENTS * 5, 5)
    ]

    answers = await asyncio.gather(*[post(bench, *batch) for batch in sent])

    entries = await ledger_of(bench)
    is_sound(entries, bench.book)
    outcomes = [outcome for answer in answers for outcome in answer]
    created = [outcome.entry for outcome in outcomes if isinstance(outcome, Posted) and not outcome.replayed]
    assert sorted(entry.external_id or "" for entry in entries) == sorted({item.id for batch in sent for item in batch})
    assert sorted(created, key=lambda entry: entry.position) == entries
    assert {outcome.refusal.code for outcome in outcomes if not isinstance(outcome, Posted)} == {"interaction_conflict"}


async def test_the_same_batch_sent_by_eight_clients_to_two_servers_is_one_set_of_entries(
    bench: Bench, tmp_path: Path
) -> None:
    rows = [{"id": str(n), "customer": f"customer-{n % 13}", "kind": "refund.fast"} for n in range(200)]
    async with served(bench, tmp_path) as servers:
        clients = [servers[number % 2].client(bench.token) for number in range(CLIENTS)]
        body = {"interactions": rows}
        answers = await asyncio.gather(*[client.post("/v1/interactions/batch", json=body) for client in clients])
        for client in clients:
            await client.aclose()

    assert {answer.status_code for answer in answers} == {200}
    ids = [[result["entry"]["id"] for result in answer.json()["results"]] for answer in answers]
    entries = await ledger_of(bench)
    assert ids == [[str(entry.entry_id) for entry in entries]] * CLIENTS
    summaries = Counter(answer.json()["summary"]["created"] for answer in answers)
    assert summaries == {200: 1, 0: CLIENTS - 1}
    is_sound(entries, bench.book)
    is_calm(servers)


async def test_a_reader_sees_every_position_once_and_in_order_while_two_servers_and_an_import_write(
    bench: Bench, tmp_path: Path
) -> None:
    total = WRITERS * POSTS_EACH + ROWS
    async with served(bench, tmp_path) as servers:
        reading = asyncio.create_task(read_feed(servers, bench.token, until=total))
        importing = asyncio.create_task(import_rows(bench, tmp_path))
        writing = [write(servers[number % 2], bench.token, number) for number in range(WRITERS)]
        statuses = Counter(status for answers in await asyncio.gather(*writing) for status in answers)
        imported = await importing
        seen = await asyncio.wait_for(reading, 30)

    assert statuses == {201: WRITERS * POSTS_EACH}
    assert imported == ROWS
    entries = await ledger_of(bench)
    assert seen == [(entry.position, entry.hash.hex()) for entry in entries]
    assert len(entries) == total
    is_sound(entries, bench.book)
    is_calm(servers)


def served(bench: Bench, folder: Path) -> Any:
    """Two servers over the bench's database."""
    return running_servers(2, folder, database_url=bench.url, master_key=bench.ledger.master_key.secret)


async def write(server: ServerProcess, token: str, writer: int) -> list[int]:
    """Post one after the other, for customers that other writers post for as well; the answers' statuses."""
    async with server.client(token) as client:
        bodies = [
            {
                "id": f"{writer}-{number}",
                "customer": f"customer-{(writer + number) % 7}",
                "kind": "contact.resolved_first",
            }
            for number in range(POSTS_EACH)
        ]
        return [(await client.post("/v1/interactions", json=body)).status_code for body in bodies]


async def read_feed(servers: Sequence[ServerProcess], token: str, *, until: int) -> list[tuple[int, str]]:
    """Page through the feed, now on one server, now on the other, from the beginning until the position is reached."""
    seen: list[tuple[int, str]] = []
    async with servers[0].client(token) as one, servers[1].client(token) as other:
        after, turn = 0, 0
        while after < until:
            page = await page_of((one, other)[turn % 2], after)
            seen += [(entry["position"], entry["hash"]) for entry in page["entries"]]
            if page["next_after"] == after:
                await asyncio.sleep(0.01)
            after, turn = page["next_after"], turn + 1
    return seen


async def page_of(client: httpx.AsyncClient, after: int) -> dict[str, Any]:
    answer = await client.get("/v1/entries", params={"after": after, "limit": 37})
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


async def import_rows(bench: Bench, folder: Path) -> int:
    """How many rows `goodwill import` created, in a process of its own."""
    rows = [{"id": f"row-{n}", "customer": f"customer-{n % 7}", "kind": "refund.fast"} for n in range(ROWS)]
    file = folder / "rows.ndjson"
    file.write_text("\n".join(map(json.dumps, rows)))
    words = ("import", str(file), "--book", bench.book, "--source", "import", "--batch-size", str(BATCH_SIZE))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app", *words),
        cwd=ROOT,
        env=environment(settings_of(database_url=bench.url, master_key=bench.ledger.master_key.secret)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await process.communicate()
    assert process.returncode == os.EX_OK, errors.decode()
    counts = dict(line.split()[:2] for line in out.decode().splitlines() if len(line.split()) == 2)
    return int(counts["created"].replace(",", ""))
