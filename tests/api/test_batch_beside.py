"""Batches and single postings that come at once: one append, and each caller gets the answer to what it sent."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import httpx
import pytest

from app.api.wire_batch import AllRefusedOut, BatchOut
from app.operations import intake as intake_module
from tests.api.sentences import GIFT, Json, body_of, happening, problem_of
from tests.conftest import Bench
from tests.operations.delivering import until
from tests.operations.posting import holding_loads, ledger_of

SINGLE = "/v1/interactions"
BATCH = "/v1/interactions/batch"
LINES = {"content-type": "application/x-ndjson"}
UNKNOWN = happening("unknown", kind="no.such_kind")


def of_each(answer: Json) -> list[str]:
    """Of each result the interaction's id, or why there is none."""
    found = [result.get("entry") or result["problem"] for result in answer["results"]]
    return [each["interaction"]["id"] if "interaction" in each else each["code"] for each in found]


class Callers:
    """Callers of one process, who send while an append of another is held up."""

    def __init__(self, bench: Bench, api: httpx.AsyncClient) -> None:
        self.bench, self.api = bench, api

    def batch(self, *items: Json) -> asyncio.Task[httpx.Response]:
        return asyncio.create_task(self.api.post(BATCH, json={"interactions": items}))

    def lines(self, *items: Json) -> asyncio.Task[httpx.Response]:
        content = b"\n".join(json.dumps(item).encode() for item in items)
        return asyncio.create_task(self.api.post(BATCH, content=content, headers=LINES))

    def single(self, item: Json) -> asyncio.Task[httpx.Response]:
        return asyncio.create_task(self.api.post(SINGLE, json=item))

    @asynccontextmanager
    async def held_up(self) -> AsyncGenerator[None]:
        """Meanwhile all that is sent waits behind an append that has the book and does not go on."""
        with pytest.MonkeyPatch.context() as patched:
            begun, go_on = holding_loads(patched)
            first = self.single(happening("first"))
            await begun.wait()
            await self.wait_for(0)
            try:
                yield
            finally:
                go_on.set()
        assert (await first).status_code == 201

    async def wait_for(self, items: int) -> None:
        """Until so many items wait for the next append."""
        intake = await self.bench.services[0].intake()
        await until(lambda: [queue.items for queue in intake._queues.values()] == [items])


@pytest.fixture
async def callers(bench: Bench) -> AsyncGenerator[Callers]:
    """Callers of the book, with its first key."""
    async with bench.client() as api:
        yield Callers(bench, api)


async def appends_of(bench: Bench) -> list[list[str | None]]:
    """The ids of what is on the ledger, by appends: the clock stands still, so that each has an instant of its own."""
    entries = await ledger_of(bench)
    assert [entry.position for entry in entries] == list(range(1, len(entries) + 1))
    return [
        [entry.external_id for entry in entries if entry.booked_at == at]
        for at in sorted({entry.booked_at for entry in entries})
    ]


async def answers(sent: Sequence[asyncio.Task[httpx.Response]]) -> list[tuple[int, Json]]:
    return [(response.status_code, body_of(response)) for response in await asyncio.gather(*sent)]


async def test_batches_lines_and_singles_go_together_into_the_next_append(callers: Callers) -> None:
    async with callers.held_up():
        sent = [callers.single(happening("a"))]
        await callers.wait_for(1)
        sent.append(callers.batch(happening("b", "bob"), happening("c"), happening("d", "bob")))
        await callers.wait_for(4)
        sent.append(callers.lines(happening("e"), happening("b", "bob"), happening("f", "cy")))
        await callers.wait_for(7)
        sent.append(callers.single(happening("g", "cy")))
        await callers.wait_for(8)

    first, batch, lines, last = await answers(sent)
    assert await appends_of(callers.bench) == [["first"], list("abcdefg")]
    assert [status for status, _ in (first, batch, lines, last)] == [201, 200, 200, 201]
    assert [first[1]["entry"]["interaction"]["id"], last[1]["entry"]["interaction"]["id"]] == ["a", "g"]
    assert (of_each(batch[1]), of_each(lines[1])) == (["b", "c", "d"], ["e", "b", "f"])
    assert [result["outcome"] for result in lines[1]["results"]] == ["created", "replayed", "created"]
    assert lines[1]["results"][1]["entry"] == batch[1]["results"][0]["entry"]
    assert last[1]["account"]["sequence"] == 2


async def test_what_is_refused_of_one_caller_never_touches_another(callers: Callers) -> None:
    async with callers.held_up():
        sent = [
            callers.batch(happening("a"), UNKNOWN, happening("b")),
            callers.batch(UNKNOWN, {"kind": "of nobody"}),
            callers.single(UNKNOWN),
            callers.single(happening("first", kind=GIFT)),
            callers.batch(happening("c")),
        ]
        await callers.wait_for(7)  # what is no interaction waits for nothing

    some, none, unknown, other, whole = await answers(sent)
    assert (some[0], of_each(some[1])) == (207, ["a", "unknown_kind", "b"])
    assert (none[0], of_each(none[1])) == (422, ["unknown_kind", "invalid_interaction"])
    assert (unknown[0], unknown[1]["code"]) == (422, "unknown_kind")
    assert (other[0], other[1]["code"]) == (409, "interaction_conflict")
    assert (whole[0], of_each(whole[1])) == (200, ["c"])
    first, together = await appends_of(callers.bench)
    assert (first, sorted(map(str, together))) == (["first"], ["a", "b", "c"])


async def test_who_sends_little_goes_with_the_next_append_however_many_batches_wait(
    callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake_module, "TOGETHER_MAX", 3)
    monkeypatch.setattr(intake_module, "BESIDE_MAX", 1)
    async with callers.held_up():
        sent: list[asyncio.Task[httpx.Response]] = []
        for items, waiting in (("abc", 3), ("def", 6), ("g", 7), ("h", 8), ("ij", 10)):
            sent.append(callers.batch(*[happening(name) for name in items]))
            await callers.wait_for(waiting)

    assert [of_each(answer) for _, answer in await answers(sent)] == [
        list("abc"),
        list("def"),
        ["g"],
        ["h"],
        ["i", "j"],
    ]
    assert await appends_of(callers.bench) == [["first"], list("abcg"), list("defh"), ["i", "j"]]


async def test_a_batch_for_which_there_is_no_room_is_refused_whole_and_taken_when_it_comes_again(
    callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake_module, "WAITING_MAX", 3)
    async with callers.held_up():
        waiting = callers.batch(happening("a"), happening("b"))
        await callers.wait_for(2)
        problem_of(await callers.batch(happening("c"), happening("d")), 429, "too_many_requests")
        fits = callers.single(happening("e"))
        await callers.wait_for(3)
        beyond = problem_of(await callers.lines(happening("f")), 429, "too_many_requests")
    assert beyond["detail"] == "3 interactions of this book wait to be written: send the same again."

    assert [status for status, _ in await answers([waiting, fits])] == [200, 201]
    assert (await callers.batch(*[happening(name) for name in "cdfgh"])).status_code == 200
    assert await appends_of(callers.bench) == [["first"], ["a", "b", "e"], list("cdfgh")]


async def test_the_answer_is_what_the_openapi_document_says(callers: Callers) -> None:
    full = happening("1", attributes={"a": [1.5]}, note="n", channel="web", case="7", motive="problem", cost=12.5)
    (_, posted), *_ = await answers([callers.batch(full, happening("2"))])
    await callers.api.post(f"/v1/entries/{posted['results'][0]['entry']['id']}/reversal", json={"reason": "x"})
    sent: tuple[Json, ...] = (full, happening("2", kind=GIFT), happening("3"), UNKNOWN, {})
    (_, again), (_, refused) = await answers([callers.batch(*sent), callers.batch(UNKNOWN)])

    for told in (posted, again):
        assert BatchOut.model_validate(told).model_dump(mode="json") == told
    assert AllRefusedOut.model_validate(refused).model_dump(mode="json") == refused
    assert again["results"][0]["entry"]["reversed_by"] is not None
    assert [result["outcome"] for result in again["results"]] == [
        "replayed",
        "conflict",
        "created",
        "refused",
        "refused",
    ]
    assert again["summary"] == {"created": 1, "replayed": 1, "conflict": 1, "refused": 2}
