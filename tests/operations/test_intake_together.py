"""The intake: who goes into which append with whom."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest

from app.domain.errors import InternalError
from app.domain.interaction import Interaction
from app.domain.request_errors import TooManyRequests
from app.operations import intake as intake_module
from app.operations.intake import Answer, Intake
from app.operations.outcome import Posted
from tests.conftest import Bench
from tests.operations.posting import held_up, holding_loads, interaction, ledger_of


async def test_what_comes_until_the_book_is_locked_goes_into_the_same_append(bench: Bench) -> None:
    async with held_up(bench):
        posting = await posted_in_turn(Intake(bench.ledger), bench, [1] * 9)
        assert not any(task.done() for task in posting)
    answers = await asyncio.gather(*posting)

    entries = await ledger_of(bench)
    assert [(entry.position, entry.external_id) for entry in entries] == [(n + 1, f"{n} 0") for n in range(9)]
    assert len({entry.booked_at for entry in entries}) == 1
    assert [answer.outcomes[0].entry for answer in answers if isinstance(answer.outcomes[0], Posted)] == entries


async def test_a_batch_that_does_not_fit_goes_into_the_next_append_and_keeps_nobody_waiting(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake_module, "TOGETHER_MAX", 10)
    monkeypatch.setattr(intake_module, "BESIDE_MAX", 6)
    intake = Intake(bench.ledger)
    async with held_up(bench):
        posting = [
            asyncio.create_task(intake.post(bench.book, items_of(f"size {size}", size), api_key_id="a"))
            for size in (8, 3)
        ]
        await asyncio.sleep(0.02)
        posting += await posted_in_turn(intake, bench, [4, 2, 1, 1])  # 2 and 1 go with the 8 and the 3
    await asyncio.gather(*posting)

    appends = Counter(entry.booked_at for entry in await ledger_of(bench))
    assert [appends[at] for at in sorted(appends)] == [14, 5]


async def test_what_comes_while_an_append_is_under_way_goes_together_into_the_next(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = holding_loads(monkeypatch)
    intake = Intake(bench.ledger)
    posting = [asyncio.create_task(intake.post(bench.book, [interaction(0)], api_key_id="a"))]
    await begun.wait()
    posting += await posted_in_turn(intake, bench, [1] * 8)
    go_on.set()
    await asyncio.gather(*posting)

    assert sorted(Counter(entry.booked_at for entry in await ledger_of(bench)).values()) == [1, 8]


async def test_who_has_joined_an_append_no_longer_waits(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake_module, "WAITING_MAX", 3)
    begun, go_on = holding_loads(monkeypatch)
    intake = Intake(bench.ledger)
    async with held_up(bench):
        posting = await posted_in_turn(intake, bench, [1] * 4)
    await begun.wait()
    posting += [
        asyncio.create_task(intake.post(bench.book, items_of(f"later {n}", 1), api_key_id="a")) for n in range(3)
    ]
    await asyncio.sleep(0)
    with pytest.raises(TooManyRequests):
        await intake.post(bench.book, items_of("beyond", 1), api_key_id="a")
    go_on.set()
    await asyncio.gather(*posting)

    assert sorted(Counter(entry.booked_at for entry in await ledger_of(bench)).values()) == [3, 4]


async def test_who_was_told_that_an_append_was_cut_off_joins_it_no_more(bench: Bench) -> None:
    intake = Intake(bench.ledger)
    async with held_up(bench):
        posting = await posted_in_turn(intake, bench, [1] * 3)
        for _ in range(2):  # an append is carried to its end; who does not even wait for that leaves it alone
            await cut_off(intake)
        assert [type(each) for each in await asyncio.gather(*posting, return_exceptions=True)] == [InternalError] * 3
        left_alone = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.wait(left_alone)

    assert [entry.external_id for entry in await ledger_of(bench)] == ["0 0"]


async def cut_off(intake: Intake) -> None:
    """Cancel what appends, which may take a moment to hear of it."""
    for task in intake._appending:
        task.cancel()
    await asyncio.sleep(0.02)


def items_of(caller: object, size: int) -> list[Interaction]:
    return [interaction(f"{caller} {n}") for n in range(size)]


async def posted_in_turn(intake: Intake, bench: Bench, sizes: Sequence[int]) -> list["asyncio.Task[Answer]"]:
    """Callers who post so many items each, one after the other; nobody is awaited."""
    posting = list[asyncio.Task[Answer]]()
    for caller, size in enumerate(sizes):
        posting.append(asyncio.create_task(intake.post(bench.book, items_of(caller, size), api_key_id="a")))
        await asyncio.sleep(0.02)
    return posting
