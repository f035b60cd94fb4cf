"""Read one customer's account, exactly as it stands now, whether or not a clock runs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.account import Account
from app.domain.crossing import Crossing, advance
from app.domain.entry import Head
from app.domain.errors import UnknownCustomer
from app.domain.instant import Instant
from app.domain.policy import Policy, PolicyHistory
from app.domain.share import Share, because
from app.domain.worklist import Moment
from app.operations.ledger import Ledger, policy_history, policy_in_force
from app.operations.weigh import heaviest_in_each
from app.queries.accounts import accounts_by_alias, accounts_by_id
from app.queries.books import book_key, head
from app.sealing.keys import Key


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One book at one instant: what every read of it needs. `now` is never before the last entry."""

    ledger: Ledger
    tx: AsyncConnection
    head: Head
    now: Instant
    policy: Policy
    book_key: Key

    @property
    def book(self) -> str:
        """The book that is read."""
        return self.head.book

    def moment(self, at: Instant) -> Moment:
        """The moment of a list that is begun now and shows what was true at `at`."""
        return Moment(
            at=at,
            position=self.head.position,
            booked_at=self.head.booked_at,
            policy_version=self.head.policy_version,
        )

    def advanced(self, account: Account) -> "Found":
        """The account at the reading's instant."""
        advanced, unrecorded = advance(account, self.policy, max(self.now, account.masses.at))
        return Found(account=advanced, unrecorded=unrecorded)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An account advanced to the reading's instant, and the time crossings that nobody recorded yet."""

    account: Account
    unrecorded: tuple[Crossing, ...]


async def reading(ledger: Ledger, tx: AsyncConnection, book: str, *, at: Instant | None = None) -> Reading:
    """Begin to read a book at `at`, or at the present instant. Requires an existing book."""
    found = await head(tx, book)
    assert found is not None
    return Reading(
        ledger=ledger,
        tx=tx,
        head=found,
        now=max(ledger.present(found), found.booked_at) if at is None else at,
        policy=await policy_in_force(ledger, tx, book, found.policy_version),
        book_key=await book_key(tx, book, ledger.master_key),
    )


async def at_moment(view: Reading, moment: Moment) -> tuple[Reading, PolicyHistory]:
    """The same book read at a list's moment, under the policy in force then, and the policies up to that one."""
    policies = await policy_history(view.ledger, view.tx, view.book, up_to=moment.policy_version)
    return replace(view, now=moment.at, policy=policies.in_force), policies


async def find_customer(view: Reading, customer: str) -> Found:
    """The customer's account as it stands at the reading's instant; UnknownCustomer if there is none."""
    found = await find_customers(view, [customer])
    if customer not in found:
        raise UnknownCustomer(extra={"standing": "no_evidence"})
    return found[customer]


async def find_customers(view: Reading, customers: list[str]) -> dict[str, Found]:
    """The accounts of those customers that have one, by name."""
    hashes = {customer: view.book_key.digest(customer.encode()) for customer in customers}
    account_ids = await accounts_by_alias(view.tx, view.book, list(hashes.values()))
    accounts = await accounts_by_id(view.tx, view.book, list(account_ids.values()))
    return {
        customer: view.advanced(accounts[account_ids[hashed]])
        for customer, hashed in hashes.items()
        if hashed in account_ids
    }


async def weighing_most(view: Reading, account: Account) -> list[Share]:
    """The three entries that weigh most in what the account's customer feels at the reading's instant."""
    return (await weighing_most_in_each(view, [account]))[account.account_id]


async def weighing_most_in_each(view: Reading, accounts: Sequence[Account]) -> dict[UUID, list[Share]]:
    """Of each account the three entries that weigh most in what its customer feels at the reading's instant."""
    half_lives = view.policy.half_lives
    heaviest = await heaviest_in_each(view.tx, view.book, accounts, half_lives)
    return {
        account.account_id: because(known, half_lives, view.now)
        for account, known in zip(accounts, heaviest, strict=True)
    }
