"""Rebuild a book's projections: fold accounts, crossings and promises again from what is on the ledger."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.api_key import is_sandbox
from app.domain.audit import CORRUPT, LedgerBroken
from app.domain.entry import Entry, Head
from app.domain.fold import CustomerChange, Folded, fold
from app.domain.instant import Instant
from app.domain.merging import is_closed, merges_in
from app.domain.outlook import FORESIGHT
from app.domain.policy import PolicyHistory
from app.domain.promise import Promise
from app.domain.promise_fold import fold_promises, fold_promises_of
from app.domain.refold import as_recorded, looked_at, on_record
from app.domain.share import heaviest_of
from app.operations.audit import Progress, unwatched
from app.operations.audit_plan import NO_ACCOUNT
from app.operations.evidence import Evidence, evidence_of
from app.operations.ledger import Ledger, new_generation, policy_history
from app.queries.audit import account_rows, count_rows, crossing_rows, message_rows
from app.queries.customer_changes import customer_changes_between
from app.queries.kin import carrying_lines, kin_of_each
from app.queries.ledger_lines import count_entries, entries_in_chunks
from app.store.adoptions import restart_adoption
from app.store.books import lock_head
from app.store.merges import replace_merges
from app.store.projections import Projection, delete_orphans, replace_projections
from app.store.promises import replace_promises
from app.tables import accounts, crossings


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How many projected rows a book has."""

    accounts: int
    crossings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What a rebuild read, and the projections before and after it."""

    entries: int
    before: Counted
    after: Counted


class Refolded(NamedTuple):
    """An account's entries, one at least, and their fold."""

    entries: list[Entry]
    folded: Folded

    @property
    def account_id(self) -> UUID:
        """Whose they are."""
        return self.folded.account.account_id


async def rebuild(ledger: Ledger, book: str, *, progress: Progress = unwatched) -> Rebuilt:
    """Replace a book's accounts, crossings and promises by the fold of its ledger, as far as that was recorded.

    What time alone did since is left to the clock, which tells of it. No posting gets in between: it holds the head to
    the end. The ledger, the head and what is not in the ledger stay: what was known of customers, messages, and when a
    crossing was recorded. Raises LedgerBroken if the entries do not fold.
    """
    async with ledger.database.write(book) as tx:
        head = await lock_head(tx, book)
        policies = await policy_history(ledger, tx, book, up_to=head.policy_version)
        await restart_adoption(tx, head, generation=new_generation(ledger))
        total, before, done = await count_entries(tx, book), await _counted(tx, book), 0
        async for batch in folded_book(tx, book, policies):
            await replace_projections(tx, head, await _projected(ledger, tx, head, policies, batch))
            await replace_promises(tx, book, [each.account_id for each in batch], await _promised(tx, book, batch))
            done += sum(len(each.entries) for each in batch)
            progress(done, total)
        await delete_orphans(tx, book)
        await replace_merges(tx, book, merges_in(await carrying_lines(tx, book)))
        return Rebuilt(entries=total, before=before, after=await _counted(tx, book))


async def folded_book(tx: AsyncConnection, book: str, policies: PolicyHistory) -> AsyncGenerator[list[Refolded]]:
    """Every account of a book, folded from its entries and from what was known of the customer, in batches, by id.

    In bounded memory; `tx` may be used between batches. The next entries are fetched while some are folded. Raises
    LedgerBroken if the entries cannot be read, or do not fold.
    """
    source, rest = entries_in_chunks(tx, book), list[Entry]()
    chunk = await _next(source)
    while chunk or rest:
        batch, rest = _whole_accounts(rest, chunk)
        ends = [batch[n][0].account_id for n in (0, -1)] if batch else [NO_ACCOUNT, NO_ACCOUNT]
        changes = await customer_changes_between(tx, book, *ends)
        coming = asyncio.ensure_future(_next(source))
        try:
            await asyncio.sleep(0)  # so that they are asked for before these are folded
            refolded = [_refolded(own, changes.get(own[0].account_id, []), policies) for own in batch]
        finally:
            chunk = await coming
        if refolded:
            yield refolded


def _account_id(entry: Entry) -> UUID:
    return entry.account_id


async def _next(source: AsyncGenerator[list[Entry]]) -> list[Entry]:
    try:
        return await anext(source, list[Entry]())
    except CORRUPT as error:
        raise LedgerBroken("The lines of the ledger cannot all be read: `goodwill verify` says which.") from error


def _whole_accounts(rest: list[Entry], chunk: list[Entry]) -> tuple[list[list[Entry]], list[Entry]]:
    """Account by account what is whole of `rest`, which is of one, and of what comes after it; and what is not yet."""
    if not chunk:
        return [rest], []
    accounts: list[list[Entry]] = [[*own] for _, own in groupby(chunk, key=_account_id)]
    if rest and rest[-1].account_id == chunk[0].account_id:
        rest += accounts[0]
        accounts[0] = rest
    elif rest:
        accounts.insert(0, rest)
    return accounts[:-1], accounts[-1]


def _refolded(entries: list[Entry], changes: list[CustomerChange], policies: PolicyHistory) -> Refolded:
    account_id = entries[0].account_id
    try:
        return Refolded(entries, fold(account_id, entries, changes, *policies.from_line(entries[0].position)))
    except CORRUPT as error:
        raise LedgerBroken(f"The entries of account {account_id} do not fold: `goodwill verify` says why.") from error


async def _counted(tx: AsyncConnection, book: str) -> Counted:
    return Counted(accounts=await count_rows(tx, book, accounts), crossings=await count_rows(tx, book, crossings))


async def _projected(
    ledger: Ledger, tx: AsyncConnection, head: Head, policies: PolicyHistory, batch: list[Refolded]
) -> list[Projection]:
    account_ids = [each.account_id for each in batch]
    stored = await account_rows(tx, head.book, account_ids)
    recorded = await crossing_rows(tx, head.book, account_ids)
    told = await message_rows(tx, head.book, account_ids)
    latest = max(head.booked_at, ledger.present(head)) + FORESIGHT
    projections: list[Projection] = []
    for each in batch:
        own = each.account_id
        beside = evidence_of(stored.get(own), recorded.get(own, []), told.get(own, []))
        try:
            projections.append(_projection(head, policies, each, beside, latest=latest))
        except CORRUPT as error:
            raise LedgerBroken(f"The entries of account {own} do not fold: `goodwill verify` says why.") from error
    return projections


def _projection(
    head: Head, policies: PolicyHistory, refolded: Refolded, beside: Evidence, *, latest: Instant
) -> Projection:
    """The account as it stood, where the evidence agrees with the fold; nobody looks again later than `latest`.

    Of one that was erased, or merged into another, its crossings are left.
    """
    policy, entries = policies.in_force, refolded.entries
    known = refolded.folded
    if not is_closed(entries):
        known = as_recorded(known, policy, seen=beside.seen, until=head.booked_at)
    recorded = on_record(
        entries,
        known.crossings,
        beside.recorded_at,
        beside.written,
        policies,
        in_sandbox=is_sandbox(head.book),
    )
    if is_closed(entries):
        return Projection(account_id=refolded.account_id, account=None, recorded=recorded)
    account = known.account
    if beside.look_again_at is not None and beside.look_again_at <= latest:
        account = looked_at(account, policy, beside.look_again_at)
    account = replace(account, heaviest=heaviest_of(entries, policy.half_lives))
    return Projection(account_id=refolded.account_id, account=account, recorded=recorded)


async def _promised(tx: AsyncConnection, book: str, batch: list[Refolded]) -> list[Promise]:
    found: list[Promise] = []
    try:
        kin = await kin_of_each(tx, book, [each.entries for each in batch])
        for each in batch:
            own = kin.get(each.account_id)
            found += (fold_promises_of(each.account_id, own) if own else fold_promises(each.entries)).values()
    except CORRUPT as error:
        raise LedgerBroken("The entries of some promise do not fold: `goodwill verify` says which.") from error
    return found
