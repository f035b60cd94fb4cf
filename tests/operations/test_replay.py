"""History replayed reads as if it had been lived: promises break in it when a clock would have broken them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.domain.instant import DAY, HOUR, SECOND, Instant
from app.domain.promise import State
from app.operations.append import Item
from app.operations.post_due_steps import post_due_steps
from app.operations.record import record
from app.operations.replay import _break_some, begin_replay, end_replay
from app.operations.tick import advance_due
from app.tables import crossings
from tests.conftest import NOON, Bench
from tests.operations.posting import came_to, interaction, ledger_of, new_book, posted
from tests.operations.promising import DUE, assert_sound, keeping, making, promise_of, standing
from tests.operations.stories import stored

CUSTOMERS = ("ada", "bob", "cleo")
AFTER = 30 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """So many hours after the one before, to a customer. `due` (hours ahead) is of a promise, `keeps` one made before,
    counted round and round; with neither, something is posted."""

    gap: int
    customer: str
    due: int | None = None
    keeps: int | None = None


who = st.sampled_from(CUSTOMERS)
gaps = st.integers(1, 150)
makings = st.builds(Event, gap=gaps, customer=who, due=st.integers(1, 200))
keepings = st.builds(Event, gap=gaps, customer=who, keeps=st.integers(0, 5))
histories = st.lists(makings | makings | keepings | st.builds(Event, gap=gaps, customer=who), min_size=1, max_size=9)


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(history=histories, grace=st.sampled_from([0, 12 * HOUR]), batch_size=st.integers(1, 9), limit=st.integers(1, 4))
@example(
    history=[
        Event(gap=1, customer="ada", due=10),
        Event(gap=1, customer="bob", due=5),
        Event(gap=150, customer="cleo"),
        Event(gap=1, customer="bob", keeps=1),
    ],
    grace=0,
    batch_size=4,
    limit=1,
)
async def test_a_replay_books_what_a_clock_would_have(
    bench: Bench, history: Sequence[Event], grace: Instant, batch_size: int, limit: int
) -> None:
    told = list(items_of(history, grace))
    end = told[-1][0] + AFTER
    bench.clock.now = NOON
    lived, replayed = await new_book(bench), await new_book(bench)

    for at, item in told:
        await run_clock(bench, lived, at)
        await posted(bench, item, lived)
    await run_clock(bench, lived, end)
    await replay(bench, replayed, [item for _, item in told], batch_size, limit=limit)

    assert await booked(bench, replayed) == await booked(bench, lived)
    assert await crossed(bench, replayed) == await crossed(bench, lived)
    await assert_sound(bench, replayed)


async def test_what_was_kept_in_time_but_told_after_it_broke_stands_as_kept(bench: Bench) -> None:
    """All in one batch: made, broken by what was told before, and then kept."""
    bench.clock.now = DUE + 9 * DAY
    batch: list[Item] = [
        making(value_at=NOON),
        interaction(2, customer="bob", value_at=DUE + 4 * DAY),
        keeping(value_at=DUE),
    ]

    await replay(bench, bench.book, [interaction(1, value_at=NOON - DAY)], 1)
    await replay(bench, bench.book, batch, 3)

    assert await standing(bench) == []
    assert (await promise_of(bench)).state is State.KEPT
    await assert_sound(bench)


async def test_a_replay_that_is_ended_twice_breaks_nothing_more(bench: Bench) -> None:
    bench.clock.now = DUE + 2 * DAY
    await replay(bench, bench.book, [making(value_at=NOON)], 1)
    bench.clock.now = DUE + 4 * DAY

    await end_replay(bench.ledger, bench.book)

    assert await standing(bench) == [(DUE + DAY, -12)]


def items_of(history: Sequence[Event], grace: Instant) -> Iterator[tuple[Instant, Item]]:
    """What is told, and when; no two of it, and no steps, at one instant."""
    at, names = NOON, list[str]()
    for number, event in enumerate(history):
        at += event.gap * HOUR + 60 * SECOND
        if event.due is not None:
            names.append(f"p{number}")
            due_at = at + event.due * HOUR + 1800 * SECOND + 7 * number * SECOND
            yield at, making(names[-1], customer=event.customer, due_at=due_at, grace=grace, value_at=at)
        elif event.keeps is not None and names:
            yield at, keeping(names.pop(event.keeps % len(names)), value_at=at)
        else:
            yield at, interaction(f"i{number}", customer=event.customer, value_at=at)


async def run_clock(bench: Bench, book: str, until: Instant) -> None:
    """Live until then, with a clock that is always in time."""
    while (due_at := await post_due_steps(bench.ledger, book)) is not None and due_at <= until:
        bench.clock.now = due_at
    bench.clock.now = until
    while (await advance_due(bench.ledger, book)).advanced:
        pass


async def replay(bench: Bench, book: str, told: Sequence[Item], batch_size: int, *, limit: int | None = None) -> None:
    """Tell it as history, up to the clock's present."""
    await begin_replay(bench.ledger, book)
    for first in range(0, len(told), batch_size):
        batch = told[first : first + batch_size]
        outcomes = await record(bench.ledger, book, batch, api_key_id=bench.key_id, replay=True)
        assert came_to(outcomes) == ["created"] * len(batch)
    while limit and await _break_some(bench.ledger, book, limit=limit):
        pass
    await end_replay(bench.ledger, book)


async def booked(bench: Bench, book: str) -> list[tuple[Any, ...]]:
    """What stands on the ledger, in order, but for what chance decides."""
    return [
        (line.external_id, line.kind, line.points, line.memory, line.value_at, line.booked_at, line.reverses is None)
        for line in await ledger_of(bench, book)
    ]


async def crossed(bench: Bench, book: str) -> list[tuple[Any, ...]]:
    """Every crossing, but for whose it is."""
    rows = (await stored(bench, crossings, book=book))["crossings"]
    return sorted((row["at"], row["cause"], row["position"] or 0, row["to_standing"]) for row in rows)
