"""Reversals: what they undo, when they are refused, and what replaces what they undid."""

import sqlite3
from dataclasses import replace
from uuid import UUID

import asyncpg
import pytest

from app.domain.errors import AlreadyReversed, InteractionConflict, NotReversible, UnknownEntry
from app.domain.instant import DAY
from app.domain.interaction import Interaction
from app.domain.memory import felt_at
from app.domain.policy import HalfLives
from app.domain.standing import Direction, Standing
from app.operations.outcome import Posted
from app.sql import run
from app.store.entries import appending
from tests.conftest import NOON, Bench
from tests.operations.posting import (
    account_of,
    came_to,
    interaction,
    ledger_of,
    new_book,
    post,
    posted,
    refused,
    reversal,
    row_counts,
)


async def test_a_reversal_returns_both_balances_and_the_standing(bench: Bench) -> None:
    await posted(bench, interaction("keep", "survey.csat", attributes={"score": 4}))
    kept = await account_of(bench)
    wrong = await posted(bench, interaction("wrong", "agent.insult_or_threat"))
    assert wrong.account.place.standing is Standing.OVERDRAWN
    for number in range(3):
        bench.clock.pass_days(11.3)
        await posted(bench, interaction(number, "contact.neutral"))

    undone = await posted(bench, reversal("wrong"))

    entry, account = undone.entry, undone.account
    assert (entry.points, entry.value_at, entry.memory) == (90, wrong.entry.value_at, wrong.entry.memory)
    assert (entry.kind, entry.reverses, entry.external_id) == (wrong.entry.kind, wrong.entry.entry_id, None)
    assert account.balance == kept.balance == 5
    expected = felt_at(kept.masses, HalfLives(), entry.booked_at)
    assert felt_at(account.masses, HalfLives(), entry.booked_at).balance == pytest.approx(expected.balance, abs=1e-9)
    assert (account.place, account.last) == (kept.place, kept.last)


async def test_an_entry_is_reversed_by_its_id_as_by_its_interaction(bench: Bench) -> None:
    entry = (await posted(bench, interaction(1))).entry
    by_id = await posted(bench, reversal(1, interaction=None, entry_id=entry.entry_id))
    assert (by_id.entry.reverses, by_id.customer, by_id.account.balance) == (entry.entry_id, "ada", 0)


async def test_a_second_reversal_is_refused_and_says_which_was_the_first(bench: Bench) -> None:
    await posted(bench, interaction(1))
    first = await posted(bench, reversal(1))
    refusal = await refused(bench, reversal(1))
    assert isinstance(refusal, AlreadyReversed)
    assert refusal.extra == {"reversed_by": str(first.entry.entry_id)}
    assert isinstance(await refused(bench, reversal(1, id="another")), AlreadyReversed)


async def test_with_an_id_of_its_own_the_same_reversal_is_replayed_and_another_is_a_conflict(bench: Bench) -> None:
    await post(bench, interaction(1), interaction(2))
    request = reversal(1, id="r")
    first = await posted(bench, request)
    again = await posted(bench, request)
    assert (again.replayed, again.entry) == (True, first.entry)
    for other, fields in [
        (replace(request, reason="other"), ["reason"]),
        (reversal(2, id="r"), ["reverses"]),
        (replace(request, replacement=interaction(3)), ["replacement"]),
    ]:
        conflict = await refused(bench, other)
        assert isinstance(conflict, InteractionConflict)
        assert conflict.extra == {"fields": fields}


async def test_a_reversal_is_not_reversible(bench: Bench) -> None:
    await posted(bench, interaction(1))
    undone = await posted(bench, reversal(1, id="r"))
    assert isinstance(await refused(bench, reversal("r")), NotReversible)
    by_id = reversal(1, interaction=None, entry_id=undone.entry.entry_id)
    assert isinstance(await refused(bench, by_id), NotReversible)


async def test_what_the_book_does_not_know_cannot_be_reversed(bench: Bench) -> None:
    other = await new_book(bench)
    entry = (await posted(bench, interaction("there"), book=other)).entry
    for request in [
        reversal("no such"),
        reversal("there"),
        reversal(1, interaction=None, entry_id=entry.entry_id),
        reversal(1, interaction=None, entry_id=UUID(int=7)),
        reversal(1, interaction=("web", "there")),
    ]:
        assert isinstance(await refused(bench, request), UnknownEntry)


async def test_the_predecessor_of_what_was_reversed_is_the_last_entry_again(bench: Bench) -> None:
    """By value time: it was booked before the others, and the one booked last does not matter."""
    await posted(bench, interaction("c", "refund.fast", value_at=NOON - DAY))
    await posted(bench, interaction("d", "response.late", value_at=NOON - 2 * DAY))
    await posted(bench, interaction("last", "response.late"))
    await posted(bench, interaction("neutral", "contact.neutral"))

    undone = await posted(bench, reversal("last"))
    assert undone.account.last is not None
    assert (undone.account.last.sequence, undone.account.last.direction) == (1, Direction.CREDIT)
    undone = await posted(bench, reversal("c"))
    assert undone.account.last is not None
    assert (undone.account.last.sequence, undone.account.last.direction) == (2, Direction.DEBIT)
    assert (await posted(bench, reversal("d"))).account.last is None


async def test_many_reversals_in_one_append_leave_the_right_entry_last(bench: Bench) -> None:
    """From the database and from the append itself: the fifth is the last one left, then one posted beside them."""
    await post(bench, *[interaction(number, value_at=NOON - number * DAY) for number in range(1, 6)])

    outcomes = await post(
        bench,
        *[reversal(number) for number in (1, 3, 2)],
        interaction("new", "response.late", value_at=NOON - 3 * DAY),
        reversal(4),
        interaction("newer", value_at=NOON - 2 * DAY),
        reversal("newer"),
        reversal("new"),
    )

    lasts = [o.account.last.sequence if o.account.last else None for o in outcomes if isinstance(o, Posted)]
    assert came_to(outcomes) == ["created"] * 8
    assert lasts == [2, 2, 4, 9, 9, 11, 9, 5]


async def test_an_interaction_is_reversed_in_the_append_in_which_it_was_posted(bench: Bench) -> None:
    outcomes = await post(bench, interaction(1), reversal(1, id="r"), reversal(1, id="r"), reversal(1))
    assert came_to(outcomes) == ["created", "created", "replayed", "already_reversed"]
    assert [o.customer for o in outcomes if isinstance(o, Posted)] == ["ada"] * 3
    account = await account_of(bench)
    assert (account.balance, account.last, account.sequence) == (0, None, 2)


async def test_a_second_reversal_is_refused_by_the_database_itself(bench: Bench) -> None:
    await post(bench, interaction(1), reversal(1))
    undone = (await ledger_of(bench))[-1]
    second = replace(undone, position=3, sequence=3, entry_id=UUID(int=3), external_id="by hand")
    with pytest.raises((asyncpg.IntegrityConstraintViolationError, sqlite3.IntegrityError)):
        async with bench.ledger.database.write(bench.book) as tx:
            await run(tx, appending(bench.book, [second]))
    assert len(await ledger_of(bench)) == 2


async def test_a_replacement_is_posted_in_the_same_append_and_replayed_with_its_reversal(bench: Bench) -> None:
    await posted(bench, interaction(1, "product.failed", value_at=NOON - DAY))
    request = reversal(1, id="r", replacement=interaction("1b", "response.late", value_at=NOON - DAY))
    bench.clock.pass_days(1)

    outcome = await posted(bench, request)

    assert outcome.replacement is not None
    assert [entry.points for entry in await ledger_of(bench)] == [-20, 20, -8]
    assert outcome.replacement.booked_at == outcome.entry.booked_at == bench.clock.now
    assert (outcome.replacement.external_id, outcome.replacement.reverses) == ("1b", None)
    again = await posted(bench, request)
    assert (again.replayed, again.entry, again.replacement) == (True, outcome.entry, outcome.replacement)
    assert (await account_of(bench)).balance == -8


@pytest.mark.parametrize(
    ("bad", "code", "pointer"),
    [
        (interaction("b", "no.such_kind"), "unknown_kind", "/replacement/kind"),
        (interaction("b", "delivery.late"), "invalid_attributes", "/replacement/attributes/days_late"),
        (interaction("b", value_at=NOON + DAY), "invalid_interaction", "/replacement/value_at"),
        (interaction("other"), "interaction_conflict", "/replacement/id"),
        (interaction("other", note="differs"), "interaction_conflict", "/replacement/id"),
        (interaction(1), "interaction_conflict", "/replacement/id"),
    ],
)
async def test_a_refused_replacement_refuses_the_reversal_with_it(
    bench: Bench, bad: object, code: str, pointer: str
) -> None:
    await post(bench, interaction(1), interaction("other"))
    before = await row_counts(bench)

    refusal = await refused(bench, reversal(1, id="r", replacement=bad))

    assert (refusal.code, [fault.pointer for fault in refusal.faults]) == (code, [pointer])
    assert await row_counts(bench) == before
    assert came_to(await post(bench, reversal(1, id="r"))) == ["created"]


async def test_a_replacement_may_be_another_customers(bench: Bench) -> None:
    await posted(bench, interaction(1, "product.failed", customer="ada"))
    outcome = await posted(bench, reversal(1, replacement=interaction("1b", "product.failed", customer="bob")))
    assert outcome.customer == "ada"
    assert outcome.replacement is not None
    ada, bob = await account_of(bench, "ada"), await account_of(bench, "bob")
    assert outcome.account == ada
    assert outcome.replacement.account_id == bob.account_id
    assert (ada.balance, bob.balance, bob.sequence) == (0, -20, 1)


async def test_a_replacement_under_the_reversals_own_id_is_refused(bench: Bench) -> None:
    await posted(bench, interaction(1))

    own = await refused(bench, reversal(1, id="r", replacement=interaction("r")))

    assert isinstance(own, InteractionConflict)
    assert [fault.pointer for fault in own.faults] == ["/replacement/id"]
    assert len(await ledger_of(bench)) == 1


@pytest.mark.parametrize(
    ("other", "field"),
    [
        (interaction("1b", "product.failed", customer="eve"), "replacement.customer"),
        (interaction("1b", "product.failed", customer="bob", source="shop"), "replacement"),
    ],
)
async def test_a_reversal_resent_with_another_replacement_is_a_conflict(
    bench: Bench, other: Interaction, field: str
) -> None:
    await posted(bench, interaction(1))
    first = reversal(1, id="r", replacement=interaction("1b", "product.failed", customer="bob"))
    await posted(bench, first)

    refusal = await refused(bench, replace(first, replacement=other))

    assert isinstance(refusal, InteractionConflict)
    assert refusal.extra["fields"] == [field]


async def test_a_known_reversal_that_now_names_nothing_is_a_conflict(bench: Bench) -> None:
    await posted(bench, interaction(1))
    first = reversal(1, id="r")
    await posted(bench, first)

    refusal = await refused(bench, replace(first, interaction=("crm", "nothing")))

    assert isinstance(refusal, InteractionConflict)
    assert refusal.extra["fields"] == ["reverses"]
