"""A policy is adopted while the book goes on: what was felt until then stays, what is felt from then on is new."""

import asyncio
import secrets
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from app.domain.errors import AdoptionUnderWay, NoAdoption, PolicyChanged
from app.domain.instant import DAY
from app.domain.memory import felt_at
from app.domain.policy import Policy
from app.operations import carry_adoption as carrying
from app.operations.adopt_policy import adopt_policy, cancel_adoption
from app.operations.carry_adoption import carry_adoption, prepare_or_switch
from app.operations.open_book import open_book
from app.operations.rebuild import rebuild
from app.operations.verify import verify
from app.queries.adoptions import adoption_of
from app.tables import accounts, policy_versions
from tests.conftest import NOON, Bench
from tests.operations.adopting import (
    LONG,
    POLICIES,
    SHORT,
    STRICT,
    adopt_wholly,
    begin,
    carry_wholly,
    document_of,
    policies_of,
)
from tests.operations.posting import interaction, new_book, post, posted
from tests.operations.stories import TOLD, Step, projected, steps, stored, tell
from tests.operations.switched import (
    accounts_of,
    by_brute_force,
    crossing_of_policy,
    crossings_of_policy,
    leftovers,
    places_at,
    preview,
)


@pytest.mark.parametrize("policy", [STRICT, SHORT, LONG])
async def test_after_the_switch_what_is_felt_is_the_sum_under_the_new_half_lives(bench: Bench, policy: Policy) -> None:
    await tell(bench, bench.book, TOLD)
    before = {account.account_id: account for account in await accounts_of(bench)}
    places = await places_at(bench)

    await adopt_wholly(bench, policy)

    switch = (await policies_of(bench)).switches[-1]
    for account in await accounts_of(bench):
        felt = felt_at(account.masses, policy.half_lives, switch.adopted_at).balance
        assert felt == pytest.approx(await by_brute_force(bench, account, policy, switch.adopted_at), abs=1e-9)
        last = await crossing_of_policy(bench, account)
        moved = places[account.account_id] != account.place
        assert (last is not None) is moved
        if last is not None:
            assert (last.at, last.before, last.after, last.position) == (
                switch.adopted_at,
                places[account.account_id],
                account.place,
                None,
            )
        assert account.touched_at == before[account.account_id].touched_at
        assert account.masses.at == before[account.account_id].masses.at
    assert (await verify(bench.ledger, bench.book)).findings == ()
    assert await leftovers(bench) == [0, 0]


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(told=st.lists(st.tuples(steps, st.sampled_from(POLICIES)), min_size=1, max_size=3), after=steps)
async def test_what_is_kept_step_by_step_across_switches_is_the_fold(
    bench: Bench, told: Sequence[tuple[Sequence[Step], Policy]], after: Sequence[Step]
) -> None:
    book = f"book-{secrets.token_hex(4)}"
    bench.clock.now = NOON
    await open_book(bench.ledger, book)
    expected: list[int] = []
    for number, (story, policy) in enumerate(told):
        await tell(bench, book, story, prefix=f"{number}/", is_begun=number > 0)
        bench.clock.now += DAY
        expected.append((await preview(bench, policy, book)).changed)
        await adopt_wholly(bench, policy, book)
    await tell(bench, book, after, prefix="after/", is_begun=True)

    assert (await verify(bench.ledger, book)).findings == ()
    assert Counter(found.at for found in await crossings_of_policy(bench, book)) == Counter(
        {
            switch.adopted_at: changed
            for switch, changed in zip((await policies_of(bench, book)).switches[2:], expected, strict=True)
            if changed
        }
    )
    await rebuild(bench.ledger, book)
    once = await projected(bench, book)
    assert (await verify(bench.ledger, book)).findings == ()
    await rebuild(bench.ledger, book)
    assert await projected(bench, book) == once


async def test_a_preview_counts_what_the_adoption_then_does_and_changes_nothing(bench: Bench) -> None:
    await many(bench, 60)
    bench.clock.pass_days(20)
    before = await projected(bench, bench.book)
    places = await places_at(bench)

    seen = await preview(bench, SHORT)

    assert await projected(bench, bench.book) == before
    await adopt_wholly(bench, SHORT)
    moves = Counter((places[each.account_id], each.place) for each in await accounts_of(bench))
    assert {(before, after): count for before, after, count in seen.moves} == {
        move: count for move, count in moves.items() if move[0] != move[1]
    }
    assert (seen.accounts, seen.looked_at, seen.is_sample) == (60, 60, False)
    assert seen.changed > 0


async def test_of_very_many_accounts_a_sample_is_looked_at_the_same_for_the_same_seed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await many(bench, 60)
    monkeypatch.setattr("app.operations.preview_policy.ALL_ACCOUNTS_MAX", 50)
    monkeypatch.setattr("app.operations.preview_policy.SAMPLE_ACCOUNTS", 20)
    bench.clock.pass_days(20)

    seen = await preview(bench, SHORT)

    assert (seen.accounts, seen.looked_at, seen.is_sample) == (60, 20, True)
    assert await preview(bench, SHORT) == seen


@pytest.mark.parametrize("policy", [STRICT, LONG])
async def test_postings_go_on_during_an_adoption_and_nothing_is_lost(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, policy: Policy
) -> None:
    monkeypatch.setattr(carrying, "BATCH_ACCOUNTS", 3)
    await many(bench, 40)
    await begin(bench, policy)

    carriers = [carry_wholly(bench) for _ in range(2)]
    await asyncio.gather(*carriers, *[post_on(bench, n) for n in range(16)])

    history = await policies_of(bench)
    assert history.in_force.half_lives == policy.half_lives
    assert 40 <= history.switches[-1].from_position <= 40 + 16 * 5
    report = await verify(bench.ledger, bench.book)
    assert (report.findings, report.entries) == ((), 40 + 16 * 5)
    assert await leftovers(bench) == [0, 0]


async def test_two_processes_may_carry_the_same_adoption_on(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrying, "BATCH_ACCOUNTS", 3)
    await many(bench, 20)
    await begin(bench, SHORT)

    await asyncio.gather(*[carry_adoption(bench.ledger, bench.book) for _ in range(3)])

    assert len((await policies_of(bench)).switches) == 2
    assert (await verify(bench.ledger, bench.book)).is_sound


async def test_a_cancelled_adoption_leaves_the_old_policy_and_no_trace(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrying, "BATCH_ACCOUNTS", 3)
    await many(bench, 20)
    before = await stored(bench, accounts, policy_versions)
    await begin(bench, SHORT)
    assert await prepare_or_switch(bench.ledger, bench.book)
    async with bench.ledger.database.read(bench.book) as tx:
        under_way = await adoption_of(tx, bench.book)
    assert under_way is not None
    assert (under_way.accounts_done, under_way.accounts_total) == (3, 20)
    with pytest.raises(AdoptionUnderWay):
        await begin(bench, STRICT)

    await cancel_adoption(bench.ledger, bench.book)

    assert await leftovers(bench) == [0, 3]
    await carry_wholly(bench)
    assert await stored(bench, accounts, policy_versions) == before
    with pytest.raises(NoAdoption):
        await cancel_adoption(bench.ledger, bench.book)
    await adopt_wholly(bench, STRICT)
    assert (await verify(bench.ledger, bench.book)).is_sound


async def test_an_adoption_over_another_policy_than_the_one_that_was_read_is_refused(bench: Bench) -> None:
    await adopt_wholly(bench, STRICT)
    with pytest.raises(PolicyChanged):
        await adopt_policy(bench.ledger, bench.book, document_of(SHORT), expected_version=1, api_key_id=bench.key_id)


async def test_a_rebuild_during_an_adoption_makes_it_prepare_anew(bench: Bench) -> None:
    await many(bench, 5)
    await begin(bench, STRICT)
    async with bench.ledger.database.whole() as tx:
        await tx.execute(update(accounts).values(credits_lasting=1.0))
    await prepare_or_switch(bench.ledger, bench.book)

    await rebuild(bench.ledger, bench.book)
    await carry_adoption(bench.ledger, bench.book)

    assert (await verify(bench.ledger, bench.book)).findings == ()


async def test_other_books_keep_their_policy(bench: Bench) -> None:
    other = await new_book(bench)
    await posted(bench, interaction(1), book=other)
    before = await projected(bench, other)
    await many(bench, 3)
    await adopt_wholly(bench, SHORT)

    assert await projected(bench, other) == before
    assert len((await policies_of(bench, other)).switches) == 1


async def many(bench: Bench, count: int) -> None:
    """So many customers, each with one thing that happened."""
    kinds = ["moment.unexpected_gift", "product.failed", "apology.first", "data.breach", "refund.fast"]
    await post(bench, *[interaction(n, kinds[n % 5], f"customer {n}") for n in range(count)])


async def post_on(bench: Bench, writer: int) -> None:
    for number in range(5):
        kind = "product.failed" if number % 2 else "moment.unexpected_gift"
        await posted(bench, interaction(f"{writer}/{number}", kind, f"customer {(writer * 7 + number) % 50}"))
