"""Looking back: what was true at one instant, as far as it was known at another, against brute force."""

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.account import Account
from app.domain.errors import UnknownCustomer
from app.domain.hindsight import Hindsight
from app.domain.instant import DAY, Instant
from app.operations.look_back import look_back
from app.operations.read_customer import reading
from app.operations.rebuild import rebuild
from tests.accounts import all_accounts
from tests.conftest import Bench
from tests.operations.brute_force import Life, lives, stands_as_recorded, truth
from tests.operations.pasts import Past, live_through, pasts
from tests.operations.posting import new_book
from tests.operations.promising import assert_sound
from tests.operations.stories import projected

Pick = tuple[float, int]
"""A share of the instants at which anything happened, and so many microseconds beside."""

picked = st.tuples(st.floats(0.0, 1.0), st.sampled_from([0, 0, -1, 1, DAY]))
looks = st.lists(st.tuples(st.none() | picked, st.none() | picked), min_size=12, max_size=12)


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(past=pasts(), looks=looks)
async def test_a_look_back_sees_what_was_true_and_known(
    bench: Bench, past: Past, looks: Sequence[tuple[Pick | None, Pick | None]]
) -> None:
    book = await new_book(bench)
    await live_through(bench, book, past)
    await is_sound_and_stays(bench, book)
    async with bench.ledger.database.read(book) as tx:
        accounts = await all_accounts(tx, book)
    for life in await lives(bench, book):
        account = accounts[life.entries[0].account_id]
        for as_of, known_at in looks:
            await compare(bench, book, life, account, instant(life, as_of), past_instant(bench, life, known_at))
        stands_as_recorded(life, [t for at, _ in life.places for t in (at - 1, at)])


async def is_sound_and_stays(bench: Bench, book: str) -> None:
    """Every law holds, and a rebuild has nothing to change."""
    await assert_sound(bench, book)
    before = await projected(bench, book)
    await rebuild(bench.ledger, book)
    assert await projected(bench, book) == before


def instant(life: Life, pick: Pick | None) -> Instant | None:
    """One of the instants, or one beside it: by a share, since the ids of accounts are chance."""
    if pick is None:
        return None
    instants = life.instants
    return instants[round(pick[0] * (len(instants) - 1))] + pick[1]


def past_instant(bench: Bench, life: Life, pick: Pick | None) -> Instant | None:
    """Nobody knows the future."""
    chosen = instant(life, pick)
    return None if chosen is None else min(chosen, bench.clock.now)


async def compare(
    bench: Bench, book: str, life: Life, account: Account, as_of: Instant | None, known_at: Instant | None
) -> None:
    known = bench.clock.now if known_at is None else known_at
    expected = truth(life, as_of=known if as_of is None else as_of, known_at=known)
    seen = await seen_of(bench, book, account, as_of, known_at)
    if expected is None or seen is None:
        assert (seen, expected) == (None, None)
        return
    assert seen.balance == expected.balance
    assert seen.felt.balance == pytest.approx(expected.felt, abs=1e-7)
    assert seen.place in expected.places


async def seen_of(
    bench: Bench, book: str, account: Account, as_of: Instant | None, known_at: Instant | None
) -> Hindsight | None:
    async with bench.ledger.database.read(book) as tx:
        view = await reading(bench.ledger, tx, book)
        try:
            return await look_back(view, account, as_of=as_of, known_at=known_at)
        except UnknownCustomer:
            return None
