"""What was true at one instant as known at another, with policy switches and segments in between: by brute force."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.account import Account
from app.domain.entry import Entry
from app.domain.errors import UnknownCustomer
from app.domain.instant import DAY
from app.domain.policy import Policy
from app.domain.standing import Standing
from app.operations.look_back import look_back
from app.operations.open_book import open_book
from app.operations.read_customer import reading
from app.queries.accounts import all_accounts
from app.queries.ledger_lines import entries_by_account
from app.tables import customer_changes
from tests.conftest import NOON, Bench
from tests.operations.adopting import LONG, SHORT, STRICT, adopt_wholly, policies_of
from tests.operations.stories import Step, steps, stored, tell

Pick = tuple[float, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An account, its entries, which policy was in force from when on, and which segment it was in."""

    account: Account
    entries: list[Entry]
    reigns: list[tuple[int, Policy]]
    segments: list[tuple[int, str | None]]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    told=st.lists(st.tuples(steps, st.sampled_from([STRICT, SHORT, LONG])), min_size=1, max_size=3),
    after=steps,
    picks=st.lists(
        st.tuples(*[st.tuples(st.floats(0.0, 1.0), st.sampled_from([-1, 0, 1]))] * 2), min_size=8, max_size=8
    ),
)
async def test_hindsight_goes_by_the_policy_that_was_in_force_when_it_was_known(
    bench: Bench,
    told: Sequence[tuple[Sequence[Step], Policy]],
    after: Sequence[Step],
    picks: Sequence[tuple[Pick, Pick]],
) -> None:
    book = f"book-{secrets.token_hex(4)}"
    bench.clock.now = NOON
    await open_book(bench.ledger, book)
    for number, (story, policy) in enumerate(told):
        await tell(bench, book, story, prefix=f"{number}/", is_begun=number > 0)
        bench.clock.now += DAY
        await adopt_wholly(bench, policy, book)
    await tell(bench, book, after, prefix="after/", is_begun=True)
    bench.clock.now += DAY

    for each in await every(bench, book):
        booked = [entry.booked_at for entry in each.entries]
        booked += [at for at, _ in (*each.reigns, *each.segments) if at >= NOON]
        for as_of, known_at in picks:
            instants = picked(sorted(booked), as_of), min(picked(sorted(booked), known_at), bench.clock.now)
            await compare(bench, book, each, as_of=instants[0], known_at=instants[1])


def picked(instants: Sequence[int], pick: Pick) -> int:
    """One of the instants, or a microsecond beside it: by a share, since the ids of accounts are chance."""
    share_, shift = pick
    return instants[round(share_ * (len(instants) - 1))] + shift


async def compare(bench: Bench, book: str, told: Told, *, as_of: int, known_at: int) -> None:
    policy = [policy for at, policy in told.reigns if at <= known_at][-1]
    known = [each for each in told.entries if each.booked_at <= known_at]
    gone = {each.reverses for each in known}
    kept = [each for each in known if each.reverses is None and each.entry_id not in gone and each.value_at <= as_of]
    felt = [share(each, policy, as_of) for each in kept]
    async with bench.ledger.database.read() as tx:
        view = await reading(bench.ledger, tx, book)
        try:
            seen = await look_back(view, told.account, as_of=as_of, known_at=known_at)
        except UnknownCustomer:
            assert not [each for each in known if each.value_at <= as_of]
            return
    assert seen.balance == sum(each.points for each in kept)
    assert seen.felt.balance == pytest.approx(fsum(felt), abs=1e-7)
    weight = fsum(abs(each) for each in felt)
    segment = [segment for at, segment in told.segments if at <= known_at][-1]
    if abs(weight - limit(policy, segment)) > 1e-5:
        is_seen = weight >= limit(policy, segment)
        assert (seen.place.standing is not Standing.NO_EVIDENCE) is is_seen


def share(entry: Entry, policy: Policy, t: int) -> float:
    days = policy.half_lives.of(entry.memory)
    return entry.points * (1.0 if days is None else 2 ** (-(t - entry.value_at) / DAY / days))


def limit(policy: Policy, segment: str | None) -> float:
    own = policy.segments.get(segment) if segment else None
    return (own or policy.thresholds).evidence


async def every(bench: Bench, book: str) -> list[Told]:
    """Every account of the book; what was adopted before the first entry was in force from ever on."""
    changes = (await stored(bench, customer_changes, book=book))["customer_changes"]
    switches = (await policies_of(bench, book)).switches
    reigns = [(each.adopted_at if each.from_position else 0, each.policy) for each in switches]
    async with bench.ledger.database.read() as tx:
        accounts = await all_accounts(tx, book)
        grouped = [entries async for entries in entries_by_account(tx, book)]
    return [
        Told(
            account=accounts[own[0].account_id],
            entries=own,
            reigns=reigns,
            segments=[
                (0, None),
                *((row["changed_at"], row["segment"]) for row in changes if row["account_id"] == own[0].account_id),
            ],
        )
        for own in grouped
    ]
