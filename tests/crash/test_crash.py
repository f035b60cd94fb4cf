"""The whole service under a mixed load, while servers, workers, imports and PostgreSQL itself are killed.

What was acknowledged is on the ledger exactly once, where it was said to be; nothing else is; every message came.
"""

import asyncio
import json
import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from app.domain.entry import Entry
from app.domain.interaction import SYSTEM_SOURCE
from app.domain.subscription import NAMED_ONLY
from tests.conftest import Bench
from tests.crash.load import Load, Told
from tests.crash.service import Service, Victim, running_service
from tests.operations.delivering import all_delivered, subscribed, until
from tests.operations.posting import ledger_of
from tests.operations.telling import message_rows
from tests.operations.test_deliver_killed import end_all_leases
from tests.postgres import Postgres
from tests.servers import GoodwillProcess
from tests.soaking import SOAKING
from tests.webhooks.receivers import Receiver, answering, receiving

ROUNDS = 100 if SOAKING else 10
REQUESTS_A_ROUND = 20


async def test_what_was_acknowledged_is_there_once_whatever_was_killed(
    live: Bench, postgres: Postgres, tmp_path: Path
) -> None:
    seed = random.SystemRandom().getrandbits(32)
    print(f"\n{live.ledger.database.url.get_backend_name()}, seed {seed}")
    chance = random.Random(seed)
    instance = None if live.ledger.database.is_sqlite else postgres
    async with (
        receiving(answering("204 No Content")) as receiver,
        running_service(live, instance, tmp_path) as service,
    ):
        to = await subscribed(live, receiver.url, "*", *NAMED_ONLY)
        load = Load(service.servers, live.token, chance)
        killed = await under_fire(service, load, chance)
        await end_all_leases(live)
        written = await message_rows(live)  # time may bring more until the service is stopped
        await until(lambda: all_delivered(live, to))

    verified, entries = await goodwill_verify(service.worker.settings, tmp_path), await ledger_of(live)
    tell(killed, load.told, service.imported, entries, verified, receiver)
    assert (verified["ok"], verified["entries"]) == (True, len(entries))
    are_those_acknowledged(entries, load.told, service.imported)
    await each_message_came(live, receiver, written)
    assert "Traceback" not in service.logs, service.logs


async def under_fire(service: Service, load: Load, chance: random.Random) -> Counter[str]:
    """The load, and the imports, until all rounds are over; how many of each kind were killed."""
    async with asyncio.TaskGroup() as running:
        running.create_task(load.run())
        for each in service.imports:
            running.create_task(each.go_on())
        killed = await kill_now_and_then(service, load, chance)
        load.stop()
        for each in service.imports:
            each.finish()
    return killed


async def kill_now_and_then(service: Service, load: Load, chance: random.Random) -> Counter[str]:
    """Each round kills one process at a random instant, and starts it again while the load goes on."""
    kinds = list(islice(cycle(service.victims), ROUNDS))
    chance.shuffle(kinds)
    starting: dict[Victim, asyncio.Task[None]] = {}
    async with asyncio.TaskGroup() as starts:
        for kind in kinds:
            victim = chance.choice(service.victims[kind])
            if victim in starting:
                await starting[victim]
            before = load.acknowledged
            await until(lambda: load.acknowledged >= before + REQUESTS_A_ROUND)  # noqa: B023 - within the round
            await asyncio.sleep(chance.uniform(0, 0.2))
            await asyncio.to_thread(victim.kill)
            starting[victim] = starts.create_task(_start(victim, after_seconds=chance.uniform(0, 0.2)))
    return Counter(kinds)


async def _start(victim: Victim, *, after_seconds: float) -> None:
    await asyncio.sleep(after_seconds)
    await victim.start()


async def goodwill_verify(settings: Mapping[str, str], folder: Path) -> dict[str, Any]:
    """What `goodwill verify` says of the book."""
    process = GoodwillProcess(settings, folder / "verify.log")
    code = await process.run("verify", "--json")
    said: dict[str, Any] = json.loads(process.log)
    assert (code == 0) == said["ok"]
    return said


def are_those_acknowledged(entries: list[Entry], told: Told, imported: set[str]) -> None:
    """Each once, at the position that was told; beside them only what the system itself posts of promises."""
    posted = told.sent - told.refused
    assert posted <= set(told.places)
    places = {place: key for key, place in told.places.items()}
    stands = {(entry.position, str(entry.entry_id)): entry for entry in entries}
    assert set(places) <= set(stands)
    known = Counter(entry.external_id for entry in entries if entry.source == "crm" and entry.external_id)
    assert known == Counter(dict.fromkeys(posted | imported, 1))
    own = {entry.entry_id for entry in entries if entry.source == SYSTEM_SOURCE}
    nameless = [entry for place, entry in stands.items() if entry.external_id is None and place not in places]
    assert all(entry.reverses in own for entry in nameless)
    assert {entry.source for entry in entries} <= {"crm", SYSTEM_SOURCE}


async def each_message_came(bench: Bench, receiver: Receiver, written: Sequence[Any]) -> None:
    """Each that was written came at least once, and no other, under one id, and always the same."""
    copies: dict[str, set[bytes]] = defaultdict(set)
    for request in receiver.requests:
        copies[request.headers["webhook-id"]].add(request.body)
    first, last = ({f"msg_{row['message_id'].hex}" for row in rows} for rows in (written, await message_rows(bench)))
    assert first <= copies.keys() <= last
    assert all(len(each) == 1 for each in copies.values())


def tell(
    killed: Counter[str],
    told: Told,
    imported: set[str],
    entries: list[Entry],
    verified: dict[str, Any],
    receiver: Receiver,
) -> None:
    """The counts."""
    times = Counter(Counter(each.headers["webhook-id"] for each in receiver.requests).values())
    print(f"  {killed.total()} rounds, killed: {_in_words(killed)}")
    print(f"  sent: {_in_words(told.counts)}")
    print(f"  ids: {len(told.sent)} sent, {len(told.refused)} refused, {len(imported)} imported")
    print(f"  found: {len(entries)} entries, {len(told.places)} where they were said to be")
    print(f"  messages: {times.total()}, so many times each: {dict(sorted(times.items()))}")
    print(f"  verify: {'sound' if verified['ok'] else verified['findings']}, {verified['entries']} entries", flush=True)


def _in_words(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())
