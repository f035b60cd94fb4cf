"""Law 8: an interaction's result does not depend on the batch in which it travelled. Law 9, among random neighbours."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.entry import Entry
from app.domain.instant import DAY, HOUR, MINUTE, SECOND, Instant
from app.domain.interaction import Interaction, ReversalRequest
from app.domain.memory import felt_at
from app.domain.policy import HalfLives
from app.operations import record as record_module
from app.operations.append import Append, Item
from app.operations.decide import decide
from app.operations.outcome import Outcome, Posted
from app.operations.record import Sent, record, record_all
from app.operations.replay import begin_replay, end_replay
from app.queries.crossings import recorded_crossings
from tests.accounts import all_accounts
from tests.conftest import NOON, Bench
from tests.operations.posting import came_to, interaction, ledger_of, new_book

SHARED = settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])

ids = st.sampled_from("abcdefgh")
# Not within microseconds of the clock: what says no value_at has its booked_at, and that is another in another batch.
value_times = st.sampled_from([None, None, -SECOND, -HOUR, -3 * DAY, -200 * DAY, 4 * MINUTE, 6 * MINUTE])
kinds: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {"kind": "apology.first"},
        {"kind": "moment.unexpected_gift"},
        {"kind": "product.failed"},
        {"kind": "agent.insult_or_threat"},
        {"kind": "contact.neutral"},
        {"kind": "delivery.late", "attributes": {"days_late": 5}},
        {"kind": "delivery.late"},
        {"kind": "no.such_kind"},
    ]
)


@st.composite
def interactions(draw: st.DrawFn) -> Interaction:
    ahead = draw(value_times)
    return Interaction(
        source="crm",
        id=draw(ids),
        customer=draw(st.sampled_from(["ada", "bob"])),
        value_at=None if ahead is None else NOON + ahead,
        note=draw(st.sampled_from([None, None, "x"])),
        **draw(kinds),
    )


@st.composite
def reversals(draw: st.DrawFn) -> ReversalRequest:
    return ReversalRequest(
        source="crm",
        id=draw(st.none() | st.sampled_from("xy") | ids),
        interaction=("crm", draw(ids | st.sampled_from("xy"))),
        reason="typo",
        replacement=draw(st.none() | interactions()),
    )


items = st.lists(interactions() | interactions() | interactions() | reversals(), min_size=1, max_size=14)
cuts = st.lists(
    st.tuples(st.integers(1, 6), st.sampled_from([0, SECOND, 5 * DAY, 100 * DAY])), min_size=14, max_size=14
)


def groups_of(sent: Sequence[Item], cut: Sequence[tuple[int, int]]) -> list[tuple[Instant, list[Item]]]:
    """The items in batches, each with the instant at which the clock stands then."""
    groups, now, rest = list[tuple[Instant, list[Item]]](), NOON, list(sent)
    for size, gap in cut:
        now += gap
        if rest:
            groups.append((now, rest[:size]))
            rest = rest[size:]
    return groups


@dataclass(frozen=True)
class Result:
    """What may not depend on the batch, in values that compare."""

    answers: list[object]
    ledger: list[object]
    places: dict[str, object]


def place_of_entry(entry: Entry) -> tuple[object, ...]:
    return (
        entry.source,
        entry.external_id,
        entry.kind,
        entry.points,
        entry.balance_after,
        entry.sequence,
        entry.memory,
    )


def answer_of(outcome: Outcome) -> object:
    if not isinstance(outcome, Posted):
        return outcome.refusal.code, outcome.refusal.faults, sorted(outcome.refusal.extra)
    replacement = place_of_entry(outcome.replacement) if outcome.replacement else None
    account = (outcome.account.balance, outcome.account.sequence, outcome.account.place)
    return outcome.replayed, outcome.customer, place_of_entry(outcome.entry), replacement, account


async def sent_in(bench: Bench, groups: Sequence[tuple[Instant, list[Item]]], *, replay: bool) -> tuple[str, Result]:
    """Post the groups into a book of their own, each as one append."""
    book = await new_book(bench)
    outcomes: list[Outcome] = []
    if replay:
        await begin_replay(bench.ledger, book)
    for now, group in groups:
        bench.clock.now = now
        outcomes += await record(bench.ledger, book, group, api_key_id=bench.key_id, replay=replay)
    if replay:
        await end_replay(bench.ledger, book)
    ledger = await ledger_of(bench, book)
    names = {o.entry.account_id: o.customer for o in outcomes if isinstance(o, Posted)}
    return book, Result(
        answers=[answer_of(outcome) for outcome in outcomes],
        ledger=[(place_of_entry(entry), entry.value_at // SECOND) for entry in ledger],
        places=await places(bench, book, {entry.account_id: names.get(entry.account_id, "") for entry in ledger}),
    )


async def places(bench: Bench, book: str, names: dict[Any, str]) -> dict[str, object]:
    """By customer: balance, standing, how the last entry went, and every crossing but for its instant."""
    found: dict[str, object] = {}
    async with bench.ledger.database.read(book) as tx:
        for account_id, account in (await all_accounts(tx, book)).items():
            crossings = [each.crossing for each in await recorded_crossings(tx, book, account_id)]
            ways = [(crossing.cause, crossing.before, crossing.after) for crossing in crossings]
            last = (account.last.sequence, account.last.direction) if account.last else None
            found[names[account_id]] = (account.balance, account.sequence, account.place, last, ways)
    return found


async def felt(bench: Bench, book: str, at: Instant) -> list[tuple[float, ...]]:
    """What is felt of each account, in the order of their last entries: numbers a hair apart would change places."""
    async with bench.ledger.database.read(book) as tx:
        accounts = sorted((await all_accounts(tx, book)).values(), key=lambda account: account.position)
    sums = [felt_at(account.masses, HalfLives(), at) for account in accounts]
    return [(each.credits, each.debits, each.big, each.fresh) for each in sums]


@SHARED
@given(sent=items, cut=cuts)
async def test_any_partition_into_batches_gives_what_one_by_one_gives(
    bench: Bench, sent: list[Item], cut: list[tuple[int, int]]
) -> None:
    groups = groups_of(sent, cut)
    one_by_one = [(now, [item]) for now, group in groups for item in group]

    together, expected = await sent_in(bench, groups, replay=False), await sent_in(bench, one_by_one, replay=False)

    assert together[1] == expected[1]
    later = groups[-1][0] + HOUR
    for ours, theirs in zip(await felt(bench, together[0], later), await felt(bench, expected[0], later), strict=True):
        assert ours == pytest.approx(theirs, abs=1e-7, rel=1e-9)


@SHARED
@given(sent=items, cut=cuts)
async def test_replayed_history_does_not_depend_on_its_batches_to_the_last_bit(
    bench: Bench, sent: list[Item], cut: list[tuple[int, int]]
) -> None:
    """Each item has an instant of its own then, so that even the masses are the very same numbers."""
    now = NOON + DAY
    groups = [(now, group) for _, group in groups_of(sent, cut)]
    one_by_one = [(now, [item]) for item in sent]

    together, expected = await sent_in(bench, groups, replay=True), await sent_in(bench, one_by_one, replay=True)

    assert together[1] == expected[1]
    assert await felt(bench, together[0], now) == await felt(bench, expected[0], now)


@SHARED
@given(sent=items)
async def test_sending_everything_again_changes_nothing(bench: Bench, sent: list[Item]) -> None:
    bench.clock.now = NOON
    book = await new_book(bench)
    first = await record(bench.ledger, book, sent, api_key_id=bench.key_id)
    ledger = await ledger_of(bench, book)
    bench.clock.pass_days(1)
    named = [item for item in sent if isinstance(item, Interaction | ReversalRequest) and item.id is not None]

    again = await record(bench.ledger, book, named, api_key_id=bench.key_id)

    by_id = {id(item): outcome for item, outcome in zip(sent, first, strict=True)}
    for item, outcome in zip(named, again, strict=True):
        before = by_id[id(item)]
        if isinstance(before, Posted):
            assert isinstance(outcome, Posted)
            assert outcome.replayed
            assert outcome.entry == before.entry
    created = came_to(again).count("created")
    assert (await ledger_of(bench, book))[: len(ledger)] == ledger
    assert created <= sum(came == "invalid_interaction" or came == "unknown_entry" for came in came_to(first))


@pytest.mark.parametrize("callers", [1, 1_000])
async def test_whoever_waits_for_the_event_loop_has_turns_while_much_is_decided(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, callers: int
) -> None:
    turns = 0
    seen: list[int] = []

    async def wait() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    def watched(append: Append, item: Item) -> Outcome:
        seen.append(turns)
        return decide(append, item)

    monkeypatch.setattr(record_module, "decide", watched)
    items = [interaction(number) for number in range(1_000)]
    each = len(items) // callers
    sent = [Sent(items=items[n : n + each], api_key_id=bench.key_id) for n in range(0, len(items), each)]
    waiting = asyncio.create_task(wait())
    recorded = await record_all(bench.ledger, bench.book, sent)
    waiting.cancel()

    assert [len(own) for own in recorded.outcomes] == [each] * callers
    assert len(seen) == 1_000
    assert len(set(seen)) >= 10
