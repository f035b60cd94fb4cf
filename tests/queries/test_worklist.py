"""The worklist against a list made by hand: every account folded from its entries at the moment, sorted, cut.

Its pages are read while entries, segments and values come in between, even when no clock moves or one goes back:
together they are the list of the first page's moment, however little of it an index can answer.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.account import Account
from app.domain.crossing import advance
from app.domain.entry import Head
from app.domain.fold import CustomerChange, fold
from app.domain.instant import DAY, HOUR, MINUTE, SECOND
from app.domain.interaction import Interaction, ReversalRequest
from app.domain.memory import felt_at
from app.domain.policy import Policy, Thresholds
from app.domain.standing import Depth, Standing
from app.domain.worklist import Asked, Filter, Moment, Order, Rank
from app.operations.describe_customer import describe_customer
from app.operations.list_customers import Listing, list_customers
from app.operations.outcome import Posted
from app.operations.record import record
from app.queries.books import head
from app.queries.ledger_lines import entries_by_account
from tests.accounts import all_accounts
from tests.conftest import NOON, Bench
from tests.operations.posting import new_book

if TYPE_CHECKING:
    from uuid import UUID

POLICY = Policy(segments={"gold": Thresholds(glow=5.0, marked=-8.0), "silver": Thresholds(evidence=12.0)})
KINDS = ["apology.first", "moment.unexpected_gift", "product.failed", "agent.insult_or_threat", "contact.neutral"]
SEGMENTS = ["gold", "silver", None]

filters = st.sampled_from(
    [
        Filter(),
        Filter(),
        Filter(standings=(Standing.OVERDRAWN,)),
        Filter(standings=(Standing.STEADY, Standing.DELIGHTED, Standing.ABOUT_TO_BE_DELIGHTED)),
        Filter(standings=(Standing.NO_EVIDENCE,)),
        Filter(depths=(Depth.MARKED, Depth.DEEP)),
        Filter(segments=("gold",)),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """After `gap`, something becomes of one customer: an interaction, its reversal, another segment, a value."""

    gap: int
    what: str
    customer: str
    kind: str
    lag: int
    segment: str | None
    value: float | None


happenings = st.builds(
    Happening,
    gap=st.sampled_from([-SECOND, 0, 0, 1, MINUTE, HOUR, 3 * DAY, 40 * DAY, 100 * DAY]),
    what=st.sampled_from(["post", "post", "post", "reverse", "segment", "value"]),
    customer=st.sampled_from("abcdefg"),
    kind=st.sampled_from(KINDS),
    lag=st.sampled_from([0, 0, 30 * DAY, 300 * DAY]),
    segment=st.sampled_from(SEGMENTS),
    value=st.none() | st.floats(0.0, 10.0),
)
histories = st.lists(happenings, min_size=1, max_size=16)
between_pages = st.lists(happenings, min_size=20, max_size=20)


class World:
    """A book in which things happen; it remembers what a fold needs and the ledger does not list."""

    def __init__(self, bench: Bench, book: str) -> None:
        self.bench, self.book = bench, book
        self.accounts: dict[str, Account] = {}
        self.changes: list[tuple[UUID, CustomerChange]] = []
        self.last_id: dict[str, str] = {}
        self.count = 0

    async def let(self, happening: Happening) -> None:
        self.bench.clock.now += happening.gap
        self.count += 1
        if happening.what in ("post", "reverse"):
            await self._record(happening)
        elif happening.customer in self.accounts:
            known = {happening.what: happening.segment if happening.what == "segment" else happening.value}
            before = self.accounts[happening.customer]
            after = await describe_customer(self.bench.ledger, self.book, before.account_id, known)
            self.accounts[happening.customer] = after
            if (after.segment, after.value) != (before.segment, before.value):
                change = CustomerChange(changed_at=after.touched_at, segment=after.segment, value=after.value)
                self.changes.append((after.account_id, change))

    async def _record(self, happening: Happening) -> None:
        item: Interaction | ReversalRequest
        if happening.what == "reverse" and happening.customer in self.last_id:
            item = ReversalRequest(
                source="crm", interaction=("crm", self.last_id.pop(happening.customer)), reason="typo"
            )
        else:
            value_at = self.bench.clock.now - happening.lag
            item = Interaction(
                source="crm", id=str(self.count), customer=happening.customer, kind=happening.kind, value_at=value_at
            )
            self.last_id[happening.customer] = str(self.count)
        (outcome,) = await record(self.bench.ledger, self.book, [item], api_key_id="tests")
        assert isinstance(outcome, Posted)
        stored = self.accounts.get(happening.customer, outcome.account)
        self.accounts[happening.customer] = replace(outcome.account, segment=stored.segment, value=stored.value)

    async def moment(self) -> Moment:
        """The moment of a first page asked for now."""
        async with self.bench.ledger.database.read(self.book) as tx:
            found = await head(tx, self.book)
        assert isinstance(found, Head)
        return Moment.begun(found, max(self.bench.clock.now, found.booked_at))

    def name_of(self, account: Account) -> str:
        """Whose account it is."""
        return next(name for name, own in self.accounts.items() if own.account_id == account.account_id)

    async def by_hand(self, moment: Moment, order: Order, wanted: Filter) -> list[Account]:
        """Every account folded and advanced to the moment; then filtered and sorted."""
        async with self.bench.ledger.database.read(self.book) as tx:
            values = {account_id: stored.value for account_id, stored in (await all_accounts(tx, self.book)).items()}
            grouped = [entries async for entries in entries_by_account(tx, self.book)]
        found: list[Account] = []
        for entries in grouped:
            own = entries[0].account_id
            changes = [change for account_id, change in self.changes if account_id == own]
            account = advance(fold(own, entries, changes, POLICY).account, POLICY, moment.at)[0]
            account = replace(account, value=values[own])
            if wanted.wants(account.place, account.segment):
                found.append(account)
        return sorted(found, key=lambda account: (first_by(order, account, moment), last_of_equals(order, account)))

    async def page(self, order: Order, wanted: Filter, goes_on: tuple[Moment, Rank] | None, limit: int) -> Listing:
        """One page, the first of its list or one that goes on."""
        asked = Asked(wanted=wanted, order=order, limit=limit, goes_on=goes_on)
        async with self.bench.ledger.database.read(self.book, by_index=True) as tx:
            return await list_customers(self.bench.ledger, tx, self.book, lambda _: asked)


def first_by(order: Order, account: Account, moment: Moment) -> float:
    """What comes first, in the words of the order."""
    felt = felt_at(account.masses, POLICY.half_lives, moment.at).balance
    return {
        Order.STANDING_SINCE: account.standing_since,
        Order.BALANCE: account.balance,
        Order.LAST_ENTRY_AT: -account.last_entry_at,
        Order.FELT: felt,
        Order.STAKE: -max(0.0, -felt) * (1.0 if account.value is None else account.value),
    }[order]


def last_of_equals(order: Order, account: Account) -> int:
    """Of equals the lower id comes first; where the latest comes first, the higher one."""
    return -account.account_id.int if order is Order.LAST_ENTRY_AT else account.account_id.int


def shown(account: Account) -> tuple[object, ...]:
    return (
        account.account_id,
        account.place,
        account.standing_since,
        account.balance,
        account.last_entry_at,
        account.segment,
        account.value,
    )


@pytest.mark.parametrize("order", list(Order))
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories, later=between_pages, wait=st.integers(0, 200), wanted=filters, limit=st.integers(1, 3))
async def test_the_pages_are_the_list_of_the_first_pages_moment_whatever_happens_in_between(
    bench: Bench,
    order: Order,
    history: list[Happening],
    later: list[Happening],
    wait: int,
    wanted: Filter,
    limit: int,
) -> None:
    world = await world_after(bench, history)
    bench.clock.pass_days(wait)
    moment = await world.moment()
    expected = await world.by_hand(moment, order, wanted)

    pages: list[Account] = []
    goes_on: tuple[Moment, Rank] | None = None
    for happening in later:
        listing = await world.page(order, wanted, goes_on, limit)
        assert listing.moment == moment
        if not listing.page:
            break
        assert len(listing.page) <= limit
        assert [listing.names[account.account_id] for _, account in listing.page] == [
            world.name_of(account) for _, account in listing.page
        ]
        pages += [account for _, account in listing.page]
        goes_on = moment, listing.page[-1][0]
        await world.let(happening)

    assert [shown(account) for account in pages] == [shown(account) for account in expected]


async def world_after(bench: Bench, history: list[Happening]) -> World:
    bench.clock.now = NOON
    world = World(bench, await new_book(bench))
    bench.ledger.policies[world.book, 1] = POLICY
    for happening in history:
        await world.let(happening)
    return world


@pytest.mark.parametrize("order", list(Order))
async def test_a_segment_that_changes_between_two_pages_changes_neither(bench: Bench, order: Order) -> None:
    usual = Happening(gap=HOUR, what="post", customer="a", kind="product.failed", lag=0, segment="gold", value=1.0)
    customers = [replace(usual, customer=name) for name in "abc"]
    world = await world_after(bench, [*customers, *[replace(each, what="segment") for each in customers]])
    bench.clock.pass_days(1)
    moment, wanted = await world.moment(), Filter(segments=("gold",))
    expected = await world.by_hand(moment, order, wanted)
    first = await world.page(order, wanted, None, 1)

    for each in customers:
        await world.let(replace(each, what="segment", segment=None))
    rest = await world.page(order, wanted, (moment, first.page[-1][0]), 3)

    assert len(expected) == 3
    assert [shown(account) for _, account in [*first.page, *rest.page]] == [shown(account) for account in expected]
