"""The intake: what many post on a book at once becomes one append, and each is answered as if alone."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update

from app.domain.errors import ClockBehind, InternalError, MasterKeyMismatch
from app.domain.instant import DAY
from app.domain.interaction import Interaction
from app.domain.request_errors import TooManyRequests
from app.operations import intake as intake_module
from app.operations import record as record_module
from app.operations.append import Append, Item
from app.operations.decide import decide
from app.operations.intake import Answer, Intake
from app.operations.outcome import Outcome
from app.operations.verify import verify
from app.tables import account_keys
from tests.conftest import Bench
from tests.operations.posting import came_to, held_up, interaction, ledger_of, new_book, post, reversal
from tests.servers import ServerProcess, settings_of

CALLERS = 64


async def post_at_once(bench: Bench, *sent: Sequence[Item], book: str | None = None) -> list[Answer]:
    """All callers at once, each with its own items and key."""
    intake = Intake(bench.ledger)
    posting = [intake.post(book or bench.book, items, api_key_id=f"key-{n}") for n, items in enumerate(sent)]
    return await asyncio.gather(*posting)


async def test_what_many_post_at_once_becomes_few_appends_in_the_order_in_which_they_came(bench: Bench) -> None:
    answers = await post_at_once(bench, *[[interaction(n, customer=f"c{n % 7}")] for n in range(CALLERS)])

    entries = await ledger_of(bench)
    assert [came_to(answer.outcomes) for answer in answers] == [["created"]] * CALLERS
    assert [(entry.position, entry.external_id) for entry in entries] == [(n + 1, str(n)) for n in range(CALLERS)]
    assert [entry.api_key_id for entry in entries] == [f"key-{n}" for n in range(CALLERS)]
    assert len({entry.booked_at for entry in entries}) == 1
    assert (await verify(bench.ledger, bench.book)).is_sound


async def test_each_is_answered_as_if_alone_whatever_became_of_its_neighbours(bench: Bench) -> None:
    await post(bench, interaction("old"), interaction("gone"))

    answers = await post_at_once(
        bench,
        [interaction("new")],
        [interaction("old")],
        [interaction("old", "moment.unexpected_gift")],
        [interaction("unknown", "no.such.kind")],
        [interaction("a"), interaction("late", value_at=bench.clock.now + DAY), interaction("b")],
        [reversal("gone")],
        [interaction("new")],
    )

    assert [came_to(answer.outcomes) for answer in answers] == [
        ["created"],
        ["replayed"],
        ["interaction_conflict"],
        ["unknown_kind"],
        ["created", "invalid_interaction", "created"],
        ["created"],
        ["replayed"],
    ]
    entries = await ledger_of(bench)
    assert [entry.external_id for entry in entries] == ["old", "gone", "new", "a", "b", None]
    assert (await verify(bench.ledger, bench.book)).is_sound


async def test_an_interactions_result_does_not_depend_on_who_posts_beside(bench: Bench) -> None:
    kinds = ("moment.unexpected_gift", "product.failed", "apology.first", "data.breach", "contact.neutral")
    items = [interaction(n, kinds[n % 5], customer=f"c{n % 3}") for n in range(30)]
    alone, beside = await new_book(bench), await new_book(bench)
    for item in items:
        await post(bench, item, book=alone)
    await post_at_once(bench, *[[item] for item in items], book=beside)

    def told(entries: Sequence[object]) -> list[object]:
        return [(e.sequence, e.kind, e.points, e.balance_after, e.memory) for e in entries]  # type: ignore[attr-defined]

    assert told(await ledger_of(bench, alone)) == told(await ledger_of(bench, beside))


async def test_what_breaks_the_append_is_told_to_whoever_sent_it_alone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaking(append: Append, item: Item) -> Outcome:
        if isinstance(item, Interaction) and item.id == "broken":
            raise ZeroDivisionError
        return decide(append, item)

    monkeypatch.setattr(record_module, "decide", breaking)
    intake = Intake(bench.ledger)
    posting = [intake.post(bench.book, [interaction(each)], api_key_id="a") for each in ("one", "broken", "two")]
    one, broken, two = await asyncio.gather(*posting, return_exceptions=True)

    assert isinstance(broken, ZeroDivisionError)
    assert [came_to(each.outcomes) for each in (one, two) if isinstance(each, Answer)] == [["created"], ["created"]]
    assert [entry.external_id for entry in await ledger_of(bench)] == ["one", "two"]


async def test_an_account_whose_key_does_not_open_refuses_its_own_callers_alone(bench: Bench) -> None:
    await post(bench, interaction("first"))
    async with bench.ledger.database.whole() as tx:
        await tx.execute(update(account_keys).values(wrapped_key=bytes(92)))

    intake = Intake(bench.ledger)
    posting = [
        intake.post(bench.book, [interaction(each, customer=each)], api_key_id="a") for each in ("ada", "bob", "cid")
    ]
    ada, *others = await asyncio.gather(*posting, return_exceptions=True)

    assert isinstance(ada, MasterKeyMismatch)
    assert [came_to(each.outcomes) for each in others if isinstance(each, Answer)] == [["created"], ["created"]]


async def test_an_append_that_is_cut_off_is_told_of_and_closes_no_book(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cut_off(*_: object, **__: object) -> None:
        raise asyncio.CancelledError

    intake = Intake(bench.ledger)
    with monkeypatch.context() as patched:
        patched.setattr(intake_module, "record_all", cut_off)
        posting = [intake.post(bench.book, [interaction(n)], api_key_id="a") for n in range(3)]
        assert [type(each) for each in await asyncio.gather(*posting, return_exceptions=True)] == [InternalError] * 3

    assert came_to((await intake.post(bench.book, [interaction(1)], api_key_id="a")).outcomes) == ["created"]


async def test_what_keeps_the_append_as_a_whole_is_told_to_all(bench: Bench) -> None:
    await post(bench, interaction("first"))
    bench.clock.pass_days(-1)

    intake = Intake(bench.ledger)
    posting = [intake.post(bench.book, [interaction(n)], api_key_id="a") for n in range(3)]
    assert [type(each) for each in await asyncio.gather(*posting, return_exceptions=True)] == [ClockBehind] * 3
    assert len(await ledger_of(bench)) == 1


async def test_who_comes_when_too_much_waits_is_told_to_come_again_and_leaves_no_trace(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake_module, "WAITING_MAX", 3)
    intake = Intake(bench.ledger)
    async with held_up(bench):
        posting = [asyncio.create_task(intake.post(bench.book, [interaction(0)], api_key_id="a"))]
        await asyncio.sleep(0.05)
        posting += [asyncio.create_task(intake.post(bench.book, [interaction(n)], api_key_id="a")) for n in (1, 2, 3)]
        await asyncio.sleep(0)
        with pytest.raises(TooManyRequests):
            await intake.post(bench.book, [interaction("beyond")], api_key_id="a")
    await asyncio.gather(*posting)
    await intake.post(bench.book, [interaction(n) for n in range(4, 10)], api_key_id="a")  # more than may wait, alone

    assert [entry.external_id for entry in await ledger_of(bench)] == [str(n) for n in range(10)]


async def test_what_was_taken_in_is_written_even_if_the_caller_goes_away(bench: Bench) -> None:
    intake = Intake(bench.ledger)
    async with held_up(bench):
        posting = [asyncio.create_task(intake.post(bench.book, [interaction(n)], api_key_id="a")) for n in range(6)]
        await asyncio.sleep(0.05)
        for task in posting[::2]:
            task.cancel()
    await intake.drained()

    assert [task.cancelled() for task in posting] == [True, False] * 3
    assert len(await ledger_of(bench)) == 6


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has one writer, whatever it writes
async def test_one_book_does_not_wait_for_another(bench: Bench) -> None:
    other, intake = await new_book(bench), Intake(bench.ledger)
    async with held_up(bench):
        waiting = asyncio.create_task(intake.post(bench.book, [interaction(1)], api_key_id="a"))
        await intake.post(other, [interaction(1)], api_key_id="a")
        assert not waiting.done()
    await waiting


async def test_a_server_that_is_stopped_first_writes_and_answers_what_it_took_in(bench: Bench, tmp_path: Path) -> None:
    settings = settings_of(database_url=bench.url, master_key=bench.ledger.master_key.secret)
    server = await ServerProcess(settings, tmp_path / "server.log").start()
    async with server.client(bench.token) as api:
        posting = [asyncio.create_task(say(api, n)) for n in range(CALLERS)]
        await asyncio.wait(posting, return_when=asyncio.FIRST_COMPLETED)
        await server.stop()
        said = await asyncio.gather(*posting)

    known = {entry.external_id for entry in await ledger_of(bench)}
    assert {str(n) for n, is_acknowledged in enumerate(said) if is_acknowledged} <= known
    assert any(said)
    assert "Traceback" not in server.log


async def say(api: httpx.AsyncClient, number: int) -> bool:
    """Post one; whether it was acknowledged."""
    try:
        answer = await api.post(
            "/v1/interactions", json={"id": str(number), "customer": "ada", "kind": "apology.first"}
        )
    except httpx.TransportError:
        return False
    return answer.status_code == httpx.codes.CREATED
