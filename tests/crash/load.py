"""A mixed load with ids that are known: several reporters at once, each request sent again until it is acknowledged."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import httpx

from app.domain.instant import DAY, SECOND
from app.main import clock
from tests.api.sentences import Json, body_of, happening, wire_time
from tests.servers import ServerProcess

REPORTERS, HOT, CUSTOMERS, BATCH = 6, 2, 40, 8
KINDS = ("refund.fast", "wait.excessive", "product.failed", "order.cancelled_by_company", "moment.unexpected_gift")
PAUSE_SECONDS_MAX, RETRY_SECONDS, PATIENCE_SECONDS = 0.05, 0.2, 60.0

Place = tuple[int, str]
"""Where an acknowledged entry is said to be: its position and its id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, and the ids that it puts on the ledger."""

    path: str
    body: Json
    ids: tuple[str, ...]


@dataclass(slots=True)
class Told:
    """What was sent, and what was said of it. `places` is by interaction id; what has none, by entry id.

    `refused` are promises that came too late to be made.
    """

    sent: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    places: dict[str, Place] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def hear(self, call: Call, answer: Json) -> None:
        """Keep what an acknowledgement says; an entry that it names again is where it was."""
        results = answer.get("results", [answer])
        replayed = [each["entry"] for each in results if each.get("replayed") or each.get("outcome") == "replayed"]
        self.counts["acknowledged"] += 1
        self.counts["replays"] += len(replayed)
        self.counts["of them first heard of"] += sum(_name(entry) not in self.places for entry in replayed)
        entries = [each[name] for each in results for name in ("entry", "replacement") if each.get(name)]
        for entry in entries:
            place = entry["position"], entry["id"]
            assert self.places.setdefault(_name(entry), place) == place
        assert {_name(entry) for entry in entries} >= set(call.ids), answer


def _name(entry: Json) -> str:
    own_id: str = entry["interaction"]["id"] or entry["id"]
    return own_id


class Load:
    """The reporters. `run` goes on until `stop`, and ends when each has its last request acknowledged."""

    def __init__(self, servers: Sequence[ServerProcess], token: str, chance: random.Random) -> None:
        self.told = Told()
        self._servers, self._token, self._chance = servers, token, chance
        self._posted: list[Json] = []
        self._irreversible: set[str] = set()
        self._open_promises: list[str] = []
        self._is_stopped = False
        self._number = 0

    @property
    def acknowledged(self) -> int:
        return self.told.counts["acknowledged"]

    def stop(self) -> None:
        self._is_stopped = True

    async def run(self) -> None:
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as reporters:
            clients = [await stack.enter_async_context(server.client(self._token)) for server in self._servers]
            for number in range(REPORTERS):
                reporters.create_task(self._report(clients[number % len(clients) :] + clients[: number % len(clients)]))

    async def _report(self, clients: list[httpx.AsyncClient]) -> None:
        make: list[Callable[[], Call | None]] = [self._single, self._batch, self._reversal, self._promise, self._kept]
        while not self._is_stopped:
            call = self._chance.choice(make)() or self._single()
            await self._send(clients, call)
            if self._chance.random() < 0.1:
                await self._send(clients, call)  # acknowledged, and yet sent again
            await asyncio.sleep(self._chance.uniform(0, PAUSE_SECONDS_MAX))

    async def _send(self, clients: list[httpx.AsyncClient], call: Call) -> None:
        """Until it is acknowledged, by one server or the other."""
        give_up_at, tries = time.monotonic() + PATIENCE_SECONDS, 0
        self.told.sent.update(call.ids)
        while True:
            answer = await self._try(clients[tries % len(clients)], call)
            if answer is not None:
                break
            assert time.monotonic() < give_up_at, call
            tries += 1
            await asyncio.sleep(RETRY_SECONDS)
        if answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
            assert body_of(answer)["errors"][0]["code"] == "due_in_the_past", answer.text
            self.told.refused.update(call.ids)
            return
        assert answer.is_success, answer.text
        self.told.hear(call, body_of(answer))
        self.told.counts["retried until acknowledged"] += tries > 0

    async def _try(self, client: httpx.AsyncClient, call: Call) -> httpx.Response | None:
        self.told.counts["requests"] += 1
        try:
            answer = await client.post(call.path, json=call.body)
        except httpx.TransportError:
            self.told.counts["cut off"] += 1
            return None
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            assert answer.headers["retry-after"]
            self.told.counts["answered 503"] += 1
            return None
        return answer

    def _new_id(self) -> str:
        self._number += 1
        return f"{self._number}"

    def _customer(self) -> str:
        is_hot = self._chance.random() < 0.5
        return f"hot-{self._chance.randrange(HOT)}" if is_hot else f"cold-{self._chance.randrange(CUSTOMERS)}"

    def _interaction(self) -> Json:
        return happening(self._new_id(), self._customer(), self._chance.choice(KINDS), note="déçu ☃")

    def _single(self) -> Call:
        body = self._interaction()
        self._posted.append(body)
        return Call(path="/v1/interactions", body=body, ids=(body["id"],))

    def _batch(self) -> Call:
        """Some of it was sent before, and perhaps is just being sent."""
        old = self._chance.sample(self._posted, min(len(self._posted), BATCH // 4))
        bodies = [*(self._interaction() for _ in range(BATCH - len(old))), *old]
        self._chance.shuffle(bodies)
        return Call(
            path="/v1/interactions/batch",
            body={"interactions": bodies},
            ids=tuple(str(body["id"]) for body in bodies),
        )

    def _reversal(self) -> Call | None:
        """Of something acknowledged; every other one with a replacement."""
        found = [each for each in self._posted[-50:] if self._is_reversible(each["id"])]
        if not found:
            return None
        of = self._chance.choice(found)
        self._irreversible.add(of["id"])
        own = self._new_id()
        body: Json = {"interaction": {"id": of["id"]}, "reason": "typo", "id": own}
        if self._chance.random() < 0.5:
            return Call(path="/v1/interactions/reversal", body=body, ids=(own,))
        instead = happening(self._new_id(), of["customer"], "apology.first")
        return Call(path="/v1/interactions/reversal", body={**body, "replacement": instead}, ids=(own, instead["id"]))

    def _is_reversible(self, own_id: str) -> bool:
        return own_id in self.told.places and own_id not in self._irreversible

    def _promise(self) -> Call:
        """Half of them are missed at once: the clock posts the step."""
        own, now = self._new_id(), clock()
        due_at = now + self._chance.choice([SECOND, DAY])
        self._open_promises.append(own)
        body: dict[str, Any] = {"id": own, "customer": self._customer(), "kind": "delivery.date_missed"}
        times = {"due_at": wire_time(due_at), "value_at": wire_time(now)}
        return Call(path="/v1/promises", body={**body, **times}, ids=(own,))

    def _kept(self) -> Call | None:
        kept = [own for own in self._open_promises if own in self.told.places]
        if not kept:
            return None
        self._open_promises.remove(kept[0])
        return Call(path=f"/v1/promises/{kept[0]}/kept", body={"value_at": wire_time(clock())}, ids=())
