"""Accounts of a generation that does not count, or not yet, are nowhere to be seen."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.instant import DAY
from app.domain.policy import HalfLives, Policy, PolicyHistory
from app.domain.worklist import Asked, Filter, Order
from app.operations import carry_adoption as carrying
from app.operations.adopt_policy import cancel_adoption
from app.operations.carry_adoption import prepare_or_switch, sweep
from app.operations.ledger import policy_history
from app.operations.read_customer import look_up, reading
from app.operations.rebuild import rebuild
from app.operations.tick import advance_due
from app.operations.verify import verify
from app.queries.accounts import account_ids_of
from app.queries.adoptions import books_to_carry_on
from app.queries.due import accounts_due, next_due_at, next_due_by_book
from app.queries.worklist import worklist
from app.queries.worklist_page import page_rows
from app.tables import accounts
from tests.accounts import all_accounts
from tests.conftest import NOON, Bench
from tests.operations.adopting import LONG, POLICIES, SHORT, begin, carry_wholly, policies_of
from tests.operations.posting import interaction, new_book, posted
from tests.operations.stories import CUSTOMERS, TOLD, Describe, Step, Tick, steps, stored, tell
from tests.operations.switched import crossings_of_policy, leftovers, preview

ROOT = Path(__file__).parents[2]
LEFT = (0, 2**60)
NAMES_ANY_GENERATION = {"app/queries/adoptions.py", "app/store/adoptions.py", "app/tables/current.py"}


def test_only_what_carries_adoptions_names_accounts_without_saying_which_count() -> None:
    naming = {str(path.relative_to(ROOT)) for path in ROOT.glob("app/**/*.py") if "accounts.c.book" in path.read_text()}
    assert naming == NAMES_ANY_GENERATION


async def test_what_adoptions_left_is_never_seen_and_swept_away(bench: Bench) -> None:
    ada = (await tell(bench, bench.book, TOLD))["ada"]
    before = await seen(bench)
    await leave(bench, ada)
    assert await seen(bench) == before

    left = await rows_left(bench)
    bench.clock.now += 400 * DAY
    await advance_due(bench.ledger, bench.book)
    await posted(bench, interaction("more", "product.failed"))
    await tell(bench, bench.book, [Describe(customer="ada", known=("segment", "vip"))], prefix="more/", is_begun=True)
    assert (await verify(bench.ledger, bench.book)).findings == ()
    rebuilt = await rebuild(bench.ledger, bench.book)
    assert (rebuilt.before, rebuilt.after.accounts) == (rebuilt.after, len(CUSTOMERS))
    assert [row for row in left if row["account_id"].int != 1] == await rows_left(bench)

    after = await seen(bench)
    while await sweep(bench.ledger, bench.book):
        pass
    assert (await rows_left(bench), await seen(bench)) == ([], after)


async def test_what_is_being_prepared_is_not_seen_until_it_is_taken_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrying, "BATCH_ACCOUNTS", 2)
    await tell(bench, bench.book, TOLD)
    await advance_due(bench.ledger, bench.book)
    before = await seen(bench)
    await begin(bench, LONG)
    assert await prepare_or_switch(bench.ledger, bench.book)
    assert (await seen(bench), await leftovers(bench)) == (before, [1, 2])
    assert await sweep(bench.ledger, bench.book) is False

    await cancel_adoption(bench.ledger, bench.book)
    async with bench.ledger.database.oversee() as tx:
        assert await books_to_carry_on(tx) == [bench.book]
    await begin(bench, SHORT)
    await carry_wholly(bench)
    async with bench.ledger.database.oversee() as tx:
        assert await books_to_carry_on(tx) == []
    assert (await leftovers(bench), (await verify(bench.ledger, bench.book)).findings) == ([0, 0], ())


async def test_what_time_did_while_a_policy_was_prepared_for_which_it_does_nothing_is_kept(bench: Bench) -> None:
    never = Policy(half_lives=HalfLives(lasting=None, passing=None, deep=None, observed=None, fresh=90.0))
    await posted(bench, interaction(1, "product.failed"))
    await begin(bench, never)
    assert await prepare_or_switch(bench.ledger, bench.book)
    bench.clock.pass_days(300)
    assert (await advance_due(bench.ledger, bench.book)).crossings

    await carry_wholly(bench)

    assert (await verify(bench.ledger, bench.book)).findings == ()


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    story=steps,
    policy=st.sampled_from(POLICIES),
    prepared=st.integers(0, 4),
    meanwhile=steps.map(lambda told: [*told, Tick()]),
)
async def test_whatever_happens_while_a_policy_is_prepared_the_switch_is_the_fold(
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    story: Sequence[Step],
    policy: Policy,
    prepared: int,
    meanwhile: Sequence[Step],
) -> None:
    monkeypatch.setattr(carrying, "BATCH_ACCOUNTS", 2)
    bench.clock.now = NOON
    book = await new_book(bench)
    await tell(bench, book, story)
    await begin(bench, policy, book)
    for _ in range(prepared):
        await prepare_or_switch(bench.ledger, book)
    is_under_way = len((await policies_of(bench, book)).switches) == 2
    await tell(bench, book, meanwhile, prefix="meanwhile/", is_begun=True)
    expected = (await preview(bench, policy, book)).changed

    await carry_wholly(bench, book)

    assert (await verify(bench.ledger, book)).findings == ()
    if is_under_way:
        switch = (await policies_of(bench, book)).switches[-1]
        assert [found.at for found in await crossings_of_policy(bench, book)] == [switch.adopted_at] * expected


async def seen(bench: Bench) -> list[Any]:
    """All that can be read of the book's accounts, and what an audit finds."""
    book = bench.book
    async with bench.ledger.database.read(book) as tx:
        view = await reading(bench.ledger, tx, book)
        lists = [await listed(bench, tx, order, is_current=current) for order in Order for current in (True, False)]
        looked = await look_up(bench.ledger, tx, book, CUSTOMERS)
        found = {customer: looked.find(customer) for customer in looked.accounts}
        due = [
            await accounts_due(tx, view.head, view.now, limit=9),
            await next_due_at(tx, book),
            await next_due_by_book(tx),
        ]
        every = [await account_ids_of(tx, book), await all_accounts(tx, book)]
    report = await verify(bench.ledger, book)
    return [lists, found, due, every, await preview(bench, LONG), report.accounts, report.findings]


async def listed(bench: Bench, tx: AsyncConnection, order: Order, *, is_current: bool) -> list[Any]:
    """The worklist; if its policy is not the one in force, from the lines of every account."""
    rows = await page_rows(tx, bench.book, Asked(wanted=Filter(), order=order, limit=50), now=bench.clock.now)
    version = rows.moment.policy_version
    policies = await policy_history(bench.ledger, tx, bench.book, up_to=version)
    head = rows.head if is_current else replace(rows.head, policy_version=version + 1)

    async def history() -> PolicyHistory:
        return policies

    return await worklist(tx, replace(rows, head=head), policies.in_force, history)


async def leave(bench: Bench, ada: uuid.UUID) -> None:
    """Accounts of two generations that do not count: ada's, quite spoiled, and one that nobody ever had."""
    async with bench.ledger.database.whole() as tx:
        [row] = (await tx.execute(select(accounts).where(accounts.c.account_id == ada))).mappings()
        spoiled = {
            **row,
            "balance": 999,
            "standing": "delighted",
            "depth": None,
            "look_again_at": 1,
            "standing_since": 1,
        }
        for generation in LEFT:
            for account_id in (ada, uuid.UUID(int=1)):
                await tx.execute(insert(accounts), {**spoiled, "generation": generation, "account_id": account_id})


async def rows_left(bench: Bench) -> list[dict[str, Any]]:
    return [row for row in (await stored(bench, accounts))["accounts"] if row["generation"] in LEFT]
