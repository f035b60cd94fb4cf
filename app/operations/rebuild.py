"""Rebuild a book's projections: fold accounts, crossings and promises again from what is on the ledger."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.api_key import is_sandbox
from app.domain.audit import CORRUPT, LedgerBroken
from app.domain.entry import Entry, Head
from app.domain.fold import Folded, fold
from app.domain.instant import Instant
from app.domain.outlook import FORESIGHT
from app.domain.policy import PolicyHistory
from app.domain.promise import Promise
from app.domain.promise_fold import fold_promises
from app.domain.refold import as_recorded, looked_at, on_record
from app.domain.share import heaviest_of
from app.operations.audit import Progress, unwatched
from app.operations.audit_accounts import BATCH_ENTRIES
from app.operations.evidence import Evidence, evidence_of
from app.operations.ledger import Ledger, new_generation, policy_history
from app.queries.audit import account_rows, count_rows, crossing_rows, message_rows
from app.queries.customer_changes import customer_changes_of
from app.queries.ledger_lines import count_entries, entries_by_account
from app.store.adoptions import restart_adoption
from app.store.books import lock_head
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


async def rebuild(ledger: Ledger, book: str, *, progress: Progress = unwatched) -> Rebuilt:
    """Replace a book's accounts, crossings and promises by the fold of its ledger, as far as that was recorded.

    What time alone did since is left to the clock, which tells of it. No posting gets in between: it holds the head to
    the end. The ledger, the head and what is not in the ledger stay: what was known of customers, messages, and when a
    crossing was recorded. Raises LedgerBroken if the entries do not fold.
    """
    async with ledger.database.write() as tx:
        head = await lock_head(tx, book)
        policies = await policy_history(ledger, tx, book, up_to=head.policy_version)
        await restart_adoption(tx, head, generation=new_generation(ledger))
        total, before, done = await count_entries(tx, book), await _counted(tx, book), 0
        async for batch in _batches(tx, book):
            await replace_projections(tx, head, await _projected(ledger, tx, head, policies, batch))
            await replace_promises(tx, book, [entries[0].account_id for entries in batch], _promised(batch))
            done += sum(map(len, batch))
            progress(done, total)
        await delete_orphans(tx, book)
        return Rebuilt(entries=total, before=before, after=await _counted(tx, book))


async def _counted(tx: AsyncConnection, book: str) -> Counted:
    return Counted(accounts=await count_rows(tx, book, accounts), crossings=await count_rows(tx, book, crossings))


async def _batches(tx: AsyncConnection, book: str) -> AsyncGenerator[list[list[Entry]]]:
    batch: list[list[Entry]] = []
    try:
        async for entries in entries_by_account(tx, book):
            batch.append(entries)
            if sum(map(len, batch)) >= BATCH_ENTRIES:
                yield batch
                batch = []
    except CORRUPT as error:
        raise LedgerBroken("The lines of the ledger cannot all be read: `goodwill verify` says which.") from error
    if batch:
        yield batch


async def _projected(
    ledger: Ledger, tx: AsyncConnection, head: Head, policies: PolicyHistory, batch: list[list[Entry]]
) -> list[Projection]:
    account_ids = [entries[0].account_id for entries in batch]
    changes = await customer_changes_of(tx, head.book, account_ids)
    stored = await account_rows(tx, head.book, account_ids)
    recorded = await crossing_rows(tx, head.book, account_ids)
    told = await message_rows(tx, head.book, account_ids)
    latest = max(head.booked_at, ledger.present(head)) + FORESIGHT
    projections: list[Projection] = []
    for account_id, entries in zip(account_ids, batch, strict=True):
        beside = evidence_of(stored.get(account_id), recorded.get(account_id, []), told.get(account_id, []))
        try:
            folded = fold(account_id, entries, changes.get(account_id, []), *policies.from_line(entries[0].position))
            projections.append(_projection(head, policies, entries, folded, beside, latest=latest))
        except CORRUPT as error:
            raise LedgerBroken(
                f"The entries of account {account_id} do not fold: `goodwill verify` says why."
            ) from error
    return projections


def _projection(
    head: Head, policies: PolicyHistory, entries: list[Entry], folded: Folded, beside: Evidence, *, latest: Instant
) -> Projection:
    """The account as it stood, where the evidence agrees with the fold; nobody looks again later than `latest`."""
    policy = policies.in_force
    known = as_recorded(folded, policy, seen=beside.seen, until=head.booked_at)
    account = known.account
    if beside.look_again_at is not None and beside.look_again_at <= latest:
        account = looked_at(account, policy, beside.look_again_at)
    recorded = on_record(
        entries,
        known.crossings,
        beside.recorded_at,
        beside.written,
        policies,
        in_sandbox=is_sandbox(head.book),
    )
    account = replace(account, heaviest=heaviest_of(entries, policy.half_lives))
    return Projection(account=account, recorded=recorded)


def _promised(batch: list[list[Entry]]) -> list[Promise]:
    try:
        return [promise for entries in batch for promise in fold_promises(entries).values()]
    except CORRUPT as error:
        raise LedgerBroken("The entries of some promise do not fold: `goodwill verify` says which.") from error
