"""Law 6 in verify: a message that is missing, invented or spoiled is named; what a rebuild mends of it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, insert, update

from app.domain.announcing import LATELY_ENTRIES_MAX
from app.domain.crossing import next_crossing_at
from app.domain.instant import DAY, HOUR, MINUTE, Instant
from app.domain.policy import Policy
from app.domain.tariff import Step
from app.operations.rebuild import rebuild
from app.operations.sandbox import empty_sandbox
from app.operations.tick import advance_due
from app.operations.verify import verify
from app.tables import accounts, crossings, messages, policy_versions
from tests.conftest import Bench
from tests.operations.adopting import STRICT, adopt_wholly
from tests.operations.posting import account_of, interaction, post, posted
from tests.operations.promising import making
from tests.operations.sandboxes import days_pass, new_sandbox
from tests.operations.stories import projected, stored
from tests.operations.telling import message_rows, types
from tests.tamper_table import Tampered


@pytest.fixture
async def ada(bench: Bench) -> UUID:
    """Ada is about to be delighted, by time no more, overdrawn; then comes a policy of which nothing else is told."""
    await posted(bench, interaction(1, "contact.resolved_first"))
    bench.clock.now = await next_crossing(bench) + MINUTE
    assert (await advance_due(bench.ledger, bench.book)).crossings
    bench.clock.pass_days(2)
    await posted(bench, interaction(2, "order.cancelled_by_company"))
    await adopt_wholly(bench, STRICT)
    assert await types(bench) == [
        ["account.about_to_be_delighted"],
        ["account.standing_changed"],
        ["debit.deep", "account.overdrawn", "balance.dropped"],
        ["policy.adopted"],
    ]
    return (await account_of(bench)).account_id


NAMED: list[tuple[str, str, Any]] = [
    ("a deleted one", "account {ada}", lambda it: delete(it).where(it.c.number == 3)),
    ("a deleted one, by its number", "message 3", lambda it: delete(it).where(it.c.number == 2)),
    ("the last one deleted", "head", lambda it: delete(it).where(it.c.number == 4)),
    ("at another instant", "account {ada} message 2", lambda it: _second(it).values(at=it.c.at + 1)),
    ("of another type", "account {ada} message 2", lambda it: _second(it).values(type="debit.deep")),
    ("of other types", "account {ada} message 2", lambda it: _second(it).values(types='["account.overdrawn"]')),
    ("of no types", "account {ada}", lambda it: _second(it).values(types="{")),
    ("of a type that is none", "account {ada}", lambda it: _second(it).values(type="whim")),
    ("of a position", "account {ada} message 2", lambda it: _second(it).values(position=1)),
    ("to another standing", "account {ada} message 2", lambda it: _second(it).values(to_standing="delighted")),
    ("to a depth", "account {ada} message 2", lambda it: _second(it).values(to_depth="deep")),
    ("about nobody", "message 2", lambda it: _second(it).values(account_id=None)),
    ("about a stranger", f"account {UUID(int=7)}", lambda it: _second(it).values(account_id=UUID(int=7))),
    ("the policy's about no switch", "message 4", lambda it: _fourth(it).values(at=it.c.at + 1)),
    ("a policy of which nobody told", "policy 2", lambda it: _fourth(it).values(type="test", types='["test"]')),
    ("the policy's of other types", "message 4", lambda it: _fourth(it).values(types='["test"]')),
]


def _second(table: Any) -> Any:
    return update(table).where(table.c.number == 2)


def _fourth(table: Any) -> Any:
    return update(table).where(table.c.number == 4)


async def test_verify_names_what_is_wrong_with_messages(
    bench: Bench, ada: UUID, subtests: pytest.Subtests, tampered: Tampered
) -> None:
    sound = (await stored(bench, messages))["messages"]
    for name, where, spoil in NAMED:
        with subtests.test(name):
            await execute(bench, spoil(messages))
            tampered(f"message: {name}", await verify(bench.ledger, bench.book), 6, where.format(ada=ada))
        await execute(bench, delete(messages))
        await execute(bench, insert(messages), sound)
        assert await broken(bench) == []


async def test_a_message_told_twice_is_one_too_many(bench: Bench, ada: UUID) -> None:
    (row,) = [dict(row) for row in await message_rows(bench) if row["number"] == 3]
    await execute(bench, insert(messages), [{**row, "number": 5, "message_id": UUID(int=1)}])
    assert await broken(bench) == [f"account {ada} message 5", "head"]


CROSSINGS: list[tuple[str, int, dict[str, Any]]] = [
    ("told of, and said not to be", 2, {"announced": False}),
    ("not told of, and said to be", 4, {"announced": True}),
    ("recorded live, and said to be history", 2, {"recorded_at": None}),
    ("recorded before it came", 2, {"recorded_at": crossings.c.at - 1}),
    ("recorded too late to be told of", 2, {"recorded_at": crossings.c.at + 3 * DAY}),
    ("an entry's, said to be history", 3, {"recorded_at": None}),
    ("an entry's, recorded later", 3, {"recorded_at": crossings.c.at + 1}),
    ("a policy's, said to be live", 4, {"recorded_at": crossings.c.at}),
]


async def test_verify_names_what_is_wrong_with_the_telling_of_a_crossing_and_rebuild_mends_it(
    bench: Bench, ada: UUID, subtests: pytest.Subtests, tampered: Tampered
) -> None:
    for name, ordinal, values in CROSSINGS:
        with subtests.test(name):
            await execute(bench, update(crossings).where(crossings.c.ordinal == ordinal).values(**values))
            tampered(
                f"crossing: {name}", await verify(bench.ledger, bench.book), 6, f"account {ada} crossing {ordinal}"
            )
        await rebuild(bench.ledger, bench.book)
        assert await broken(bench) == []


async def test_what_was_told_comes_back_with_a_crossing_that_is_gone(bench: Bench, ada: UUID) -> None:
    before = (await projected(bench, bench.book))["crossings"]
    await execute(bench, delete(crossings))
    await execute(bench, delete(accounts))

    await rebuild(bench.ledger, bench.book)

    assert await broken(bench) == []
    after = (await projected(bench, bench.book))["crossings"]
    assert [row["announced"] for row in after] == [row["announced"] for row in before] == [True, True, True, False]
    assert after[1]["recorded_at"] == after[1]["at"] < before[1]["recorded_at"]


async def test_no_rebuild_brings_a_message_back(bench: Bench, ada: UUID) -> None:
    await execute(bench, delete(messages).where(messages.c.number == 3))
    before = await projected(bench, bench.book)
    await rebuild(bench.ledger, bench.book)
    assert await broken(bench) == [f"account {ada}", "message 4"]
    assert await projected(bench, bench.book) == before


async def test_a_rebuild_leaves_it_to_the_clock_to_tell_what_time_just_did(bench: Bench) -> None:
    await posted(bench, interaction(1, "contact.resolved_first"))
    await posted(bench, interaction(2, "contact.resolved_first", "bob"))
    bench.clock.now = await next_crossing(bench) + HOUR
    await posted(bench, interaction(3, "contact.neutral", "carl"))
    before, told = await projected(bench, bench.book), await types(bench)

    await rebuild(bench.ledger, bench.book)

    assert await projected(bench, bench.book) == before
    while (await advance_due(bench.ledger, bench.book)).advanced:
        pass
    assert await types(bench) == [*told, ["account.standing_changed"], ["account.standing_changed"]]
    assert await broken(bench) == []


async def test_emptying_a_sandbox_leaves_no_policy_to_be_told_of(bench: Bench) -> None:
    sandbox = await new_sandbox(bench)
    await adopt_wholly(bench, STRICT, sandbox)
    assert (await types(bench, sandbox), await broken(bench, sandbox)) == ([["policy.adopted"]], [])

    await empty_sandbox(bench.ledger, sandbox)

    assert (await types(bench, sandbox), await broken(bench, sandbox)) == ([], [])
    (version,) = (await stored(bench, policy_versions, book=sandbox))["policy_versions"]
    assert (version["version"], version["announced"]) == (2, False)


async def test_what_an_append_cannot_tell_of_hides_no_earlier_line_from_what_it_can(bench: Bench) -> None:
    """Of 200 lines before a step that drops the balance the first counts, though stale steps were booked after it."""
    sandbox = await new_sandbox(bench)
    soon, steps = bench.clock.now + HOUR, [Step(after=timedelta(hours=1), points=-12)]
    await post(
        bench,
        making("fresh", due_at=soon, steps=steps),
        making("stale", due_at=soon, steps=steps, grace=4 * DAY),
        interaction("oldest that counts", "product.failed"),
        *[interaction(n, "contact.neutral") for n in range(LATELY_ENTRIES_MAX - 1)],
        book=sandbox,
    )
    await days_pass(bench, sandbox, 8.0)
    assert (await types(bench, sandbox))[-1] == ["promise.broken", "balance.dropped"]
    assert await broken(bench, sandbox) == []


async def next_crossing(bench: Bench) -> Instant:
    """When time moves ada next, if nothing happens."""
    found = next_crossing_at(await account_of(bench), Policy(), after=bench.clock.now)
    assert found is not None
    return found


async def execute(bench: Bench, statement: Any, rows: list[dict[str, Any]] | None = None) -> None:
    async with bench.ledger.database.whole() as tx:
        assert (await tx.execute(statement, rows) if rows else await tx.execute(statement)).rowcount != 0


async def broken(bench: Bench, book: str | None = None) -> list[str]:
    """Where law 6 is broken, and no other is."""
    found = (await verify(bench.ledger, book or bench.book)).findings
    return [each.where for each in found if each.law == 6]
