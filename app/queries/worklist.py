"""The worklist: exact at one instant, though accounts are stored as they were when last touched.

An account is *settled* at the list's moment if nothing touched it since the list was begun, no crossing was recorded
that came later, it need not be looked at again before, and the policy is still the same: its stored standing is right,
and the index orders it. The few others are worked out one by one: advanced, or folded again from what was there when
the list was begun.
"""

import heapq
from collections.abc import AsyncGenerator, AsyncIterable
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.account import Account
from app.domain.crossing import advance
from app.domain.entry import Entry
from app.domain.fold import fold
from app.domain.policy import PolicyHistory
from app.domain.share import heaviest_of
from app.domain.worklist import Filter, Moment, Order, Rank, rank
from app.queries.customer_changes import customer_changes_of
from app.queries.ledger_lines import lines_of_account
from app.queries.worklist_rows import settled_accounts, unsettled_accounts

_Listed = TypeVar("_Listed")


async def worklist(
    tx: AsyncConnection,
    book: str,
    policies: PolicyHistory,
    *,
    moment: Moment,
    wanted: Filter,
    order: Order,
    after: Rank | None,
    limit: int,
    is_current: bool = True,
) -> list[tuple[Rank, Account]]:
    """The next `limit` accounts after a rank, advanced to the moment, with the rank of each.

    `policies` are those up to the moment's version, `is_current` whether that is still the one in force.
    """
    candidates = _candidates(tx, book, policies, is_current, moment, wanted, order, after, limit)
    ranked = (
        (rank(account, order, policies.in_force, moment.at), account)
        async for account in candidates
        if wanted.wants(account.place, account.segment)
    )
    return await first_ranked((each async for each in ranked if after is None or each[0] > after), limit)


async def first_ranked(ranked: AsyncIterable[tuple[Rank, _Listed]], limit: int) -> list[tuple[Rank, _Listed]]:
    """The first `limit` by rank, in order; however many come, no more than four times as many are held."""
    first: list[tuple[Rank, _Listed]] = []
    async for each in ranked:
        first.append(each)
        if len(first) >= 4 * limit:
            first = heapq.nsmallest(limit, first, key=_rank)
    return heapq.nsmallest(limit, first, key=_rank)


async def _candidates(
    tx: AsyncConnection,
    book: str,
    policies: PolicyHistory,
    is_current: bool,
    moment: Moment,
    wanted: Filter,
    order: Order,
    after: Rank | None,
    limit: int,
) -> AsyncGenerator[Account]:
    if is_current:
        async for account in settled_accounts(
            tx, book, moment=moment, wanted=wanted, order=order, after=after, limit=limit
        ):
            yield account
    async for stored in unsettled_accounts(tx, book, moment=moment, is_current=is_current):
        account_then = await _worked_out(tx, book, policies, stored, moment, is_current=is_current)
        if account_then is not None:
            yield account_then


async def _worked_out(
    tx: AsyncConnection, book: str, policies: PolicyHistory, account: Account, moment: Moment, *, is_current: bool
) -> Account | None:
    """The account at the moment; None if it was opened later."""
    if not is_current or not _is_untouched(account, moment):
        earlier = await _earlier(tx, book, account.account_id, moment)
        if not earlier:
            return None
        changes = (await customer_changes_of(tx, book, [account.account_id])).get(account.account_id, [])
        known = [change for change in changes if change.changed_at <= moment.booked_at]
        account = fold(account.account_id, earlier, known, *policies.from_line(earlier[0].position)).account
        account = replace(account, heaviest=heaviest_of(earlier, policies.in_force.half_lives))
    return advance(account, policies.in_force, max(moment.at, account.masses.at))[0]


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
