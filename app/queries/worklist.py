"""The worklist: exact at one instant, though accounts are stored as they were when last touched.

An account is *settled* at the list's moment if nothing touched it since the list was begun, no crossing was recorded
that came later, it need not be looked at again before, and the policy is still the same: its stored standing is right,
and the index orders it. The few others are worked out one by one: advanced, or folded again from what was there when
the list was begun.
"""

import heapq
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.account import Account
from app.domain.crossing import advance
from app.domain.entry import Entry
from app.domain.fold import fold
from app.domain.policy import Policy, PolicyHistory
from app.domain.share import heaviest_of
from app.domain.worklist import INDEXED, Moment, Rank, rank
from app.queries.customer_changes import customer_changes_of
from app.queries.ledger_lines import lines_of_account
from app.queries.worklist_page import PageRows
from app.queries.worklist_rows import opened_accounts, settled_accounts, unsettled_accounts

_Listed = TypeVar("_Listed")


async def worklist(
    tx: AsyncConnection, rows: PageRows, policy: Policy, history: Callable[[], Awaitable[PolicyHistory]]
) -> list[tuple[Rank, Account]]:
    """The accounts of a page, advanced to the list's moment, with the rank of each; from its rows, in their snapshot.

    `policy` is the one in force at the moment; `history` reads it with all before, if an account is to be folded.
    """
    asked = rows.asked
    after = asked.goes_on and asked.goes_on[1]
    ranked = (
        (rank(account, asked.order, policy, rows.moment.at), account)
        async for account in _candidates(tx, rows, policy, history)
        if asked.wanted.wants(account.place, account.segment)
    )
    return await first_ranked((each async for each in ranked if after is None or each[0] > after), asked.limit)


async def first_ranked(ranked: AsyncIterable[tuple[Rank, _Listed]], limit: int) -> list[tuple[Rank, _Listed]]:
    """The first `limit` by rank, in order; however many come, no more than four times as many are held."""
    first: list[tuple[Rank, _Listed]] = []
    async for each in ranked:
        first.append(each)
        if len(first) >= 4 * limit:
            first = heapq.nsmallest(limit, first, key=_rank)
    return heapq.nsmallest(limit, first, key=_rank)


async def _candidates(
    tx: AsyncConnection, rows: PageRows, policy: Policy, history: Callable[[], Awaitable[PolicyHistory]]
) -> AsyncGenerator[Account]:
    book, moment = rows.head.book, rows.moment
    is_current = moment.policy_version == rows.head.policy_version
    if is_current:
        async for settled in _settled(tx, rows):
            yield settled
    policies = None
    async for stored in _unsettled(tx, rows) if is_current else opened_accounts(tx, book, at=moment.at):
        account: Account | None = stored
        if not is_current or not _is_untouched(stored, moment):
            policies = policies or await history()
            account = await _folded(tx, book, policies, stored.account_id, moment)
        if account is not None:
            yield advance(account, policy, max(moment.at, account.masses.at))[0]


async def _settled(tx: AsyncConnection, rows: PageRows) -> AsyncGenerator[Account]:
    for account in rows.settled:
        yield account
    if rows.asked.order not in INDEXED:
        async for account in settled_accounts(tx, rows.head.book, moment=rows.moment, wanted=rows.asked.wanted):
            yield account


async def _unsettled(tx: AsyncConnection, rows: PageRows) -> AsyncGenerator[Account]:
    for account in rows.unsettled:
        yield account
    if rows.after is not None:
        async for account in unsettled_accounts(tx, rows.head.book, moment=rows.moment, after=rows.after):
            yield account


async def _folded(
    tx: AsyncConnection, book: str, policies: PolicyHistory, account_id: UUID, moment: Moment
) -> Account | None:
    """The account from what was there when the list was begun; None if it was opened later."""
    earlier = await _earlier(tx, book, account_id, moment)
    if not earlier:
        return None
    changes = (await customer_changes_of(tx, book, [account_id])).get(account_id, [])
    known = [change for change in changes if change.changed_at <= moment.booked_at]
    account = fold(account_id, earlier, known, *policies.from_line(earlier[0].position)).account
    return replace(account, heaviest=heaviest_of(earlier, policies.in_force.half_lives))


def _is_untouched(account: Account, moment: Moment) -> bool:
    """Whether the account is stored as it was when the list was begun, but for what time does."""
    return (
        account.position <= moment.position
        and account.touched_at <= moment.booked_at
        and (account.crossed_at is None or account.crossed_at <= moment.at)
    )


async def _earlier(tx: AsyncConnection, book: str, account_id: UUID, moment: Moment) -> list[Entry]:
    lines = await lines_of_account(tx, book, account_id)
    return [line.entry for line in lines if line.entry.position <= moment.position]


def _rank(ranked: tuple[Rank, object]) -> Rank:
    return ranked[0]
