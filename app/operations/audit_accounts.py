"""Verify the accounts of a book: what is stored of each against the fold of its entries."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import replace
from uuid import UUID

from app.domain.audit import CORRUPT, Finding
from app.domain.audit_account import Kept, account_findings
from app.domain.audit_messages import message_findings
from app.domain.entry import Entry
from app.domain.erasure import is_erased
from app.domain.fold import CustomerChange
from app.domain.merging import homes_of, is_closed
from app.operations.audit import Audit
from app.operations.audit_content import content_findings, opened_keys
from app.operations.audit_plan import Accounts, Named
from app.operations.audit_promises import promise_findings
from app.queries.audit import account_rows, crossing_rows, message_rows, promise_rows, records_by_account
from app.queries.customer_changes import customer_changes_of
from app.queries.kin import Kin, kin_of_each
from app.records import entry_of_record
from app.rows import Row, account_of, crossing_of, on_record, written_of
from app.sql import Record

BATCH_ENTRIES = 2_000  # what is stored of their accounts is fetched at once


async def check_accounts(audit: Audit, part: Accounts | Named) -> None:
    """Account by account, in batches for which what is stored beside the entries is read at once."""
    batch: list[list[Entry]] = []
    async for entries in _grouped(audit, part):
        batch.append(entries)
        if sum(map(len, batch)) >= BATCH_ENTRIES:
            await _try_batch(audit, batch)
            batch = []
    await _try_batch(audit, batch)


def _records(audit: Audit, part: Accounts | Named) -> AsyncGenerator[Sequence[Record]]:
    if isinstance(part, Named):
        return records_by_account(audit.tx, audit.book, account_ids=part.account_ids)
    return records_by_account(audit.tx, audit.book, first=part.first, below=part.below)


async def _grouped(audit: Audit, part: Accounts | Named) -> AsyncGenerator[list[Entry]]:
    """Each account's entries that can be read; what cannot was found in the lines."""
    own: list[Entry] = []
    try:
        async for records in _records(audit, part):
            for entry in filter(None, map(_readable, records)):
                if own and own[0].account_id != entry.account_id:
                    yield own
                    own = []
                own.append(entry)
    except CORRUPT as error:
        audit.found.add_unreadable(2, f"accounts after {own[0].account_id if own else 'the first'}", error)
    if own:
        yield own


def _readable(record: Record) -> Entry | None:
    try:
        return entry_of_record(record)
    except CORRUPT:
        return None


async def _try_batch(audit: Audit, batch: list[list[Entry]]) -> None:
    if not batch:
        return
    try:
        await _check_batch(audit, batch)
    except CORRUPT as error:
        where = f"accounts {batch[0][0].account_id} to {batch[-1][0].account_id}"
        audit.found.add_unreadable(5, where, error)


async def _check_batch(audit: Audit, batch: list[list[Entry]]) -> None:
    account_ids = [entries[0].account_id for entries in batch]
    kin = await kin_of_each(audit.tx, audit.book, batch)
    erased = {own[0].account_id: _is_forgotten(own, kin.get(own[0].account_id)) for own in batch}
    keys = await opened_keys(audit.ledger, audit.tx, audit.book, audit.own_key, erased)
    audit.found.add(keys.findings)
    stored = await account_rows(audit.tx, audit.book, account_ids)
    recorded = await crossing_rows(audit.tx, audit.book, account_ids)
    changes = await customer_changes_of(audit.tx, audit.book, account_ids)
    promised = await promise_rows(audit.tx, audit.book, account_ids)
    told = await message_rows(audit.tx, audit.book, account_ids)
    audit.found.accounts += sum(not is_closed(own) for own in batch)
    for entries in batch:
        account_id = entries[0].account_id
        audit.found.add(promise_findings(entries, promised.get(account_id, []), kin.get(account_id)))
        try:
            kept = _kept(stored.get(account_id), recorded.get(account_id, []), changes.get(account_id, []))
            kept = replace(kept, elsewhere=_elsewhere(kin.get(account_id, {})))
        except CORRUPT as error:
            audit.found.add_unreadable(5, f"account {account_id}", error)
        else:
            audit.found.add(account_findings(entries, kept, audit.policies))
            audit.found.add(_told_findings(audit, entries, recorded.get(account_id, []), told.get(account_id, [])))
        for entry in entries:
            audit.found.add(content_findings(audit.book, keys.opened.get(account_id), entry))
            audit.found.entries += 1


def _told_findings(
    audit: Audit, entries: list[Entry], recorded: Sequence[Row], told: Sequence[Row]
) -> Iterable[Finding]:
    try:
        written = [written_of(row) for row in told]
    except CORRUPT as error:
        what = f"Its messages cannot be read ({type(error).__name__}: {error})."
        return [Finding(law=6, where=f"account {entries[0].account_id}", what=what)]
    return message_findings(audit.book, entries, [on_record(row) for row in recorded], written, audit.policies)


def _is_forgotten(own: Sequence[Entry], kin: Kin | None) -> bool:
    """Whether the customer was, or the one that was merged into, with all its names."""
    return is_erased(own) if kin is None else is_erased(kin[homes_of(kin)[own[0].account_id]])


def _elsewhere(kin: Kin) -> dict[UUID, Entry]:
    return {entry.entry_id: entry for lines in kin.values() for entry in lines}


def _kept(stored: Row | None, recorded: list[Row], changes: list[CustomerChange]) -> Kept:
    return Kept(
        account=account_of(stored) if stored else None,
        recorded=[(each["ordinal"], crossing_of(each)) for each in recorded],
        changes=changes,
    )
