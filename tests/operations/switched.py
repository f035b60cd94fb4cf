"""What is seen of a book across a policy switch, in the tests of the operations."""

from math import fsum
from typing import Any

from app.domain.account import Account
from app.domain.crossing import Cause
from app.domain.instant import DAY
from app.domain.policy import Policy
from app.operations.preview_policy import Preview, preview_policy
from app.operations.read_customer import reading
from app.queries.crossings import recorded_crossings
from app.queries.ledger_lines import entries_by_account
from app.tables import accounts, policy_adoptions
from tests.accounts import all_accounts
from tests.conftest import Bench
from tests.operations.stories import stored


async def accounts_of(bench: Bench, book: str | None = None) -> list[Account]:
    async with bench.ledger.database.read(book or bench.book) as tx:
        return list((await all_accounts(tx, book or bench.book)).values())


async def places_at(bench: Bench) -> dict[Any, Any]:
    """Where the accounts stand just now, under the policy in force."""
    async with bench.ledger.database.read(bench.book) as tx:
        view = await reading(bench.ledger, tx, bench.book)
        stored_ = await all_accounts(tx, bench.book)
        return {account_id: view.advanced(account).account.place for account_id, account in stored_.items()}


async def preview(bench: Bench, policy: Policy, book: str | None = None) -> Preview:
    async with bench.ledger.database.read(book or bench.book) as tx:
        return await preview_policy(await reading(bench.ledger, tx, book or bench.book), policy)


async def crossing_of_policy(bench: Bench, account: Account) -> Any:
    async with bench.ledger.database.read(bench.book) as tx:
        recorded = await recorded_crossings(tx, bench.book, account.account_id)
    return next((each.crossing for each in recorded if each.crossing.cause is Cause.POLICY), None)


async def crossings_of_policy(bench: Bench, book: str) -> list[Any]:
    async with bench.ledger.database.read(book) as tx:
        every = [await recorded_crossings(tx, book, account_id) for account_id in await all_accounts(tx, book)]
    return [each.crossing for own in every for each in own if each.crossing.cause is Cause.POLICY]


async def by_brute_force(bench: Bench, account: Account, policy: Policy, t: int) -> float:
    """Every entry's share, by the formula."""
    lives = policy.half_lives
    async with bench.ledger.database.read(bench.book) as tx:
        [own] = [entries async for entries in entries_by_account(tx, bench.book, account_ids=[account.account_id])]
    days = [(each.points, lives.of(each.memory), (t - each.value_at) / DAY) for each in own]
    return fsum(points if h is None else points * 2 ** (-age / h) for points, h, age in days)


async def leftovers(bench: Bench) -> list[int]:
    """How many adoptions there are, and accounts more than count."""
    found = await stored(bench, policy_adoptions, accounts, book=bench.book)
    return [len(found["policy_adoptions"]), len(found["accounts"]) - len(await accounts_of(bench))]
