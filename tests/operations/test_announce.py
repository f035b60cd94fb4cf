"""Messages are written where their cause is, in the same append: none lost, none invented, none twice."""

from uuid import UUID

from app.domain.crossing import next_crossing_at
from app.domain.instant import DAY, HOUR
from app.domain.policy import Policy
from app.operations.append import Item
from app.operations.describe_customer import describe_customer
from app.operations.post_due_steps import post_due_steps
from app.operations.record import record
from app.operations.replay import begin_replay, end_replay
from app.operations.tick import advance_due
from app.queries.crossings import recorded_crossings
from tests.conftest import NOON, Bench
from tests.operations.posting import account_of, interaction, ledger_of, post, posted, reversal
from tests.operations.promising import DUE, making
from tests.operations.telling import bodies, message_rows, types
from tests.statements import listening

INSULT = "agent.insult_or_threat"  # -90
GIFT = "moment.unexpected_gift"  # 45
CANCELLED = "order.cancelled_by_company"  # -45
FILED = "complaint.filed"  # -30
FAILED = "product.failed"  # -20
SOLVED = "contact.resolved_first"  # 12


async def test_the_story_told_live_writes_what_its_text_promises(bench: Bench) -> None:
    await posted(bench, interaction(1, FAILED, value_at=NOON - 14 * DAY))
    await posted(bench, interaction(2, "wait.excessive", value_at=NOON - 7 * DAY))
    await posted(bench, interaction(3, GIFT))

    (body,) = await bodies(bench)
    assert body["types"] == ["account.recovered", "account.delighted"]
    data = body["data"]
    assert data["customer"] == "ada"
    assert (data["from"]["standing"], data["to"]["standing"]) == ("overdrawn", "delighted")
    assert (data["balance"], data["felt"]["after"]) == ({"before": -26, "after": 19}, 21.36)
    assert [each["kind"] for each in data["entries"]] == [GIFT]
    assert [each["points"] for each in data["because"]] == [45, -20, -6]
    assert await announced(bench) == [False, True]


async def test_a_message_names_its_causing_entries_and_what_they_come_of(bench: Bench) -> None:
    await describe(bench, await posted_id(bench, interaction(1, GIFT)), segment="vip")
    await post(
        bench,
        interaction(2, CANCELLED, context={"cause": "fire"}),
        interaction(3, FAILED, value_at=NOON - 3 * DAY),
        interaction(4, FAILED, customer="bob"),
    )
    first, row, bob = await message_rows(bench)
    entries = await ledger_of(bench)
    assert (row["type"], row["magnitude"], row["cause"], row["segment"]) == ("debit.deep", 45, "fire", "vip")
    assert (row["position"], row["at"]) == (entries[1].position, entries[1].booked_at)
    assert (row["to_standing"], row["to_depth"]) == ("overdrawn", "marked")
    assert (first["type"], bob["type"]) == ("account.delighted", "account.overdrawn")
    assert len({each["message_id"] for each in (first, row, bob)}) == 3


async def test_one_append_is_one_message_an_account_and_what_it_takes_back_is_not_told(bench: Bench) -> None:
    await post(bench, interaction(1, CANCELLED), interaction(2, FAILED), reversal(1))
    assert await types(bench) == [["account.overdrawn"]]

    await post(bench, interaction(3, INSULT, customer="bob"), reversal(3))
    assert len(await types(bench)) == 1


async def test_earlier_debits_of_the_day_are_read_and_earlier_messages_are_heeded(bench: Bench) -> None:
    for number, kind in enumerate((GIFT, FAILED, SOLVED, FAILED, FAILED, GIFT, INSULT), start=1):
        bench.clock.now += HOUR
        await posted(bench, interaction(number, kind))
    assert await types(bench) == [
        ["account.delighted"],
        ["balance.dropped"],
        ["account.standing_changed"],
        ["account.recovered"],
        ["debit.deep", "account.overdrawn"],
    ]


async def test_a_debit_of_the_day_that_was_taken_back_counts_no_more(bench: Bench) -> None:
    await posted(bench, interaction(1, INSULT))  # still felt two days later, so that the day's lines matter
    bench.clock.pass_days(2)
    for item in (interaction(2, FAILED), reversal(2), interaction(3, FAILED)):
        await posted(bench, item)
        bench.clock.now += HOUR
    assert not any("balance.dropped" in types_ for types_ in (await types(bench))[1:])


async def test_history_writes_nothing_and_what_comes_live_after_it_does(bench: Bench) -> None:
    await begin_replay(bench.ledger, bench.book)
    history = [interaction(n, INSULT, value_at=NOON - n * DAY) for n in range(9, 0, -1)]
    await record(bench.ledger, bench.book, history, api_key_id="import", replay=True)
    await end_replay(bench.ledger, bench.book)
    await record(bench.ledger, bench.book, [interaction(10, INSULT, customer="bob")], api_key_id="import", silent=True)
    assert await message_rows(bench) == []
    assert [entry.silent for entry in await ledger_of(bench)] == [True] * 10

    await posted(bench, interaction(11, INSULT))
    await posted(bench, interaction(12, FILED, customer="bob"))
    assert await types(bench) == [["debit.deep", "balance.dropped"], ["balance.dropped"]]


async def test_what_time_does_is_told_once_by_whoever_records_it_first(bench: Bench) -> None:
    await post(bench, interaction(1, SOLVED), interaction(2, SOLVED, customer="bob"))
    crosses_at = (await account_of(bench)).look_again_at
    bench.clock.now = crosses_at + HOUR
    await posted(bench, interaction(3, "promise.kept"))
    while (await advance_due(bench.ledger, bench.book)).advanced:
        pass

    told = [(body["data"]["customer"], body["types"], body["data"]["entries"]) for body in await bodies(bench)]
    ready, changed = ["account.about_to_be_delighted"], ["account.standing_changed"]
    assert [(name, names) for name, names, _ in told if names != ready] == [("ada", changed), ("bob", changed)]
    assert all(entries == [] for _, names, entries in told if names == changed)
    rows = [row for row in await message_rows(bench) if row["type"] == "account.standing_changed"]
    assert all(row["at"] < row["created_at"] and row["magnitude"] == 0 for row in rows)


async def test_a_clock_that_slept_for_three_days_tells_nothing(bench: Bench) -> None:
    await posted(bench, interaction(1, SOLVED))
    bench.clock.now = (await account_of(bench)).look_again_at + 3 * DAY
    while (await advance_due(bench.ledger, bench.book)).advanced:
        pass
    assert await types(bench) == [["account.about_to_be_delighted"]]
    assert (await announced(bench))[1:] == [False]


async def test_a_promise_that_the_clock_breaks_is_told(bench: Bench) -> None:
    await post(bench, making())
    bench.clock.now = DUE + DAY
    await post_due_steps(bench.ledger, bench.book)
    bench.clock.now = DUE + 3 * DAY
    await post_due_steps(bench.ledger, bench.book)
    (first, second) = await bodies(bench)
    assert first["types"] == ["promise.broken", "account.standing_changed"]
    assert second["types"] == ["account.overdrawn", "promise.broken"]
    assert [each["points"] for each in second["data"]["entries"]] == [-23]


async def test_nothing_is_asked_of_the_database_where_nothing_can_be_told(bench: Bench) -> None:
    for number, kind in enumerate((GIFT, SOLVED, FAILED), start=1):
        await posted(bench, interaction(number, kind))
    written = len(await message_rows(bench))
    asked = await listening(bench.ledger.database)

    await post(bench, *[interaction(f"more-{n}", SOLVED) for n in range(3)])
    bench.clock.pass_days(2)
    await posted(bench, interaction("late", "wait.excessive"))
    assert asked
    assert [statement for statement in asked if "FROM messages" in statement or "JOIN entries" in statement] == []
    assert len(await message_rows(bench)) == written


async def announced(bench: Bench) -> list[bool]:
    """Of each crossing of ada's, whether it was told of."""
    async with bench.ledger.database.read(bench.book) as tx:
        found = await recorded_crossings(tx, bench.book, (await account_of(bench)).account_id, after=0, limit=50)
    return [each.announced for each in found]


async def describe(bench: Bench, account_id: UUID, **known: object) -> None:
    """Say something of a customer."""
    await describe_customer(bench.ledger, bench.book, account_id, known)


async def posted_id(bench: Bench, item: Item) -> UUID:
    """Post, and say on which account that was."""
    return (await posted(bench, item)).account.account_id


async def test_of_a_promise_that_was_made_silently_what_is_missed_later_is_told(bench: Bench) -> None:
    await record(bench.ledger, bench.book, [making()], api_key_id=bench.key_id, silent=True)
    bench.clock.now = DUE + DAY

    await post_due_steps(bench.ledger, bench.book)

    assert [entry.silent for entry in await ledger_of(bench)] == [True, False]
    assert await types(bench) == [["promise.broken", "account.standing_changed"]]


async def test_what_time_did_before_a_replay_ended_is_history(bench: Bench) -> None:
    """A gift fades until it delights no more, an hour before the present."""
    await begin_replay(bench.ledger, bench.book)
    gift = interaction(1, "moment.unexpected_gift", value_at=NOON)
    await record(bench.ledger, bench.book, [gift], api_key_id=bench.key_id, replay=True)
    fades_at = next_crossing_at(await account_of(bench), Policy(), after=NOON)
    assert fades_at is not None
    bench.clock.now = fades_at + HOUR

    await end_replay(bench.ledger, bench.book)
    await advance_due(bench.ledger, bench.book)

    async with bench.ledger.database.read(bench.book) as tx:
        found = await recorded_crossings(tx, bench.book, (await account_of(bench)).account_id)
    assert [each.crossing.cause.value for each in found] == ["entry", "time"]
    assert await types(bench) == []


async def test_a_long_accounts_message_names_what_weighs_most_of_all(bench: Bench) -> None:
    """Heavy ones long ago, one of which was taken back, and many light ones since."""
    heavy = [interaction(f"h{n}", GIFT, value_at=NOON - n * DAY) for n in (1, 2, 3)]
    light = [interaction(f"l{n}", SOLVED if n % 2 else "contact.neutral", value_at=NOON - DAY) for n in range(120)]
    await post(bench, *heavy, interaction("wrong", INSULT, value_at=NOON - DAY))
    await post(bench, reversal("wrong"))
    await post(bench, *light)

    await post(bench, interaction("deep", CANCELLED))

    body = (await bodies(bench))[-1]
    assert body["type"] == "debit.deep"
    async with bench.client() as api:
        assert body["data"]["because"] == (await api.get("/v1/customers/ada")).json()["because"]
    assert [each["points"] for each in body["data"]["because"]] == [-45, 45, 45]


async def test_what_is_fresh_is_not_told_as_the_opposite_of_what_the_append_came_to(bench: Bench) -> None:
    await post(bench, interaction(1, GIFT), interaction(2, INSULT, value_at=NOON - 5 * DAY))
    await post(
        bench,
        interaction(3, FAILED, customer="bob"),
        interaction(4, GIFT, customer="bob", value_at=NOON - 5 * DAY),
    )
    await post(
        bench,
        interaction(5, "wait.excessive", customer="eve", value_at=NOON - 5 * DAY),
        interaction(6, FAILED, customer="eve"),
    )

    assert await types(bench) == [["account.overdrawn"]]
    assert (await bodies(bench))[0]["data"]["customer"] == "eve"
