"""Verify a live book: laws 1 to 5 of DESIGN section 7, in one read snapshot and bounded memory."""

from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.audit import CORRUPT, LAWS, Finding, Link, first_link, head_findings, line_findings
from app.domain.audit_account import Kept, account_findings
from app.domain.entry import Entry, Head
from app.domain.errors import InvalidPolicy
from app.domain.policy import Policy, PolicyHistory
from app.operations.audit_content import content_findings, opened_keys
from app.operations.audit_promises import promise_findings
from app.operations.ledger import Ledger, policy_history
from app.queries.audit import (
    account_rows,
    crossing_rows,
    promise_rows,
    rows_by_account,
    rows_in_order,
    tariff_versions_of,
    without_entries,
)
from app.queries.books import head
from app.queries.crossings import segment_changes_of
from app.queries.ledger_lines import count_entries
from app.rows import Row, account_of, crossing_of, entry_of
from app.tables import accounts, crossings, promises, segment_changes

FINDINGS_KEPT_MAX = 100  # a book that is wrong all over needs no longer list; all are counted
BATCH_ENTRIES = 2_000  # what is stored of their accounts is fetched at once
PROGRESS_EVERY = 500

Progress = Callable[[int, int], None]
"""Told the entries done and their total; each entry is done twice, in its ledger and in its account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a book is found to be. `counts` has every law and all its findings, `findings` the first of them."""

    book: str
    head: Head | None
    entries: int
    accounts: int
    counts: dict[int, int]
    findings: tuple[Finding, ...]

    @property
    def is_sound(self) -> bool:
        """Whether no law is broken."""
        return not any(self.counts.values())


def unwatched(_done: int, _total: int) -> None:
    """Nobody wants to know how far it is."""


async def verify(ledger: Ledger, book: str, *, progress: Progress = unwatched) -> Report:
    """Check laws 1 to 5 on everything that is stored of a book. Never raises for what it finds.

    Requires an existing book. An account's entries are held at once, and no others but those of its batch.
    """
    async with ledger.database.read() as tx:
        audit = _Audit(ledger=ledger, tx=tx, book=book, total=2 * await count_entries(tx, book), progress=progress)
        await _read_rules(audit)

        await _check_lines(audit)
        await _check_accounts(audit)
        await _check_orphans(audit)
    return Report(
        book=book,
        head=audit.head,
        entries=audit.total // 2,
        accounts=audit.accounts,
        counts={law: audit.counts[law] for law in LAWS},
        findings=tuple(audit.findings),
    )


@dataclass(slots=True, kw_only=True)
class _Audit:
    """One verification: what it reads from, and what it has found so far."""

    ledger: Ledger
    tx: AsyncConnection
    book: str
    total: int
    progress: Progress
    head: Head | None = None
    policies: PolicyHistory = PolicyHistory.always(Policy())  # noqa: RUF009 - it is frozen
    tariffs: set[int] = field(default_factory=set[int])
    accounts: int = 0
    done: int = 0
    findings: list[Finding] = field(default_factory=list[Finding])
    counts: Counter[int] = field(default_factory=Counter[int])

    def add(self, found: Iterable[Finding]) -> None:
        """Count the findings, and keep them while there is room."""
        for finding in found:
            self.counts[finding.law] += 1
            if len(self.findings) < FINDINGS_KEPT_MAX:
                self.findings.append(finding)

    def add_unreadable(self, law: int, where: str, error: Exception) -> None:
        """Something is stored there that no release ever wrote."""
        self.add([Finding(law=law, where=where, what=f"It cannot be read ({type(error).__name__}: {error}).")])

    def step(self) -> None:
        """One entry more is done."""
        self.done += 1
        if self.done % PROGRESS_EVERY == 0 or self.done == self.total:
            self.progress(self.done, self.total)


async def _read_rules(audit: _Audit) -> None:
    tx, book = audit.tx, audit.book
    try:
        audit.head = await head(tx, book)
        assert audit.head is not None
        audit.tariffs = await tariff_versions_of(tx, book)
        if audit.head.tariff_version not in audit.tariffs:
            audit.add([Finding(law=3, where="head", what="The version of the tariff that it names does not exist.")])
        audit.policies = await policy_history(audit.ledger, tx, book, up_to=audit.head.policy_version)
    except (InvalidPolicy, *CORRUPT) as error:
        audit.add_unreadable(4, "head or the policy in force", error)


async def _check_lines(audit: _Audit) -> None:
    """The ledger in the order in which it was written."""
    last = first_link(audit.book)
    try:
        async for row in rows_in_order(audit.tx, audit.book):
            _check_line(audit, last, row)
            last = Link(position=row["position"], hash=row["hash"], booked_at=row["booked_at"])
            audit.step()
    except CORRUPT as error:
        audit.add_unreadable(3, f"the lines after position {last.position}", error)
    try:
        audit.add(head_findings(audit.head, last) if audit.head else ())
    except CORRUPT as error:
        audit.add_unreadable(3, "head", error)


def _check_line(audit: _Audit, before: Link, row: Row) -> None:
    try:
        entry = entry_of(row)
        audit.add(line_findings(before, entry))
        if entry.tariff_version not in audit.tariffs:
            what = f"It was valued by version {entry.tariff_version} of the tariff, which does not exist."
            audit.add([Finding(law=3, where=f"position {entry.position}", what=what)])
    except CORRUPT as error:
        audit.add_unreadable(3, f"position {row['position']}", error)


async def _check_accounts(audit: _Audit) -> None:
    """Account by account, in batches for which what is stored beside the entries is read at once."""
    batch: list[list[Entry]] = []
    async for entries in _grouped(audit):
        batch.append(entries)
        if sum(map(len, batch)) >= BATCH_ENTRIES:
            await _try_batch(audit, batch)
            batch = []
    await _try_batch(audit, batch)


async def _grouped(audit: _Audit) -> AsyncGenerator[list[Entry]]:
    """Each account's entries that can be read; what cannot was found in the lines."""
    own: list[Entry] = []
    try:
        async for row in rows_by_account(audit.tx, audit.book):
            entry = _readable(row)
            if own and own[0].account_id != row["account_id"]:
                yield own
                own = []
            own += [entry] if entry else []
    except CORRUPT as error:
        audit.add_unreadable(2, f"accounts after {own[0].account_id if own else 'the first'}", error)
    if own:
        yield own


def _readable(row: Row) -> Entry | None:
    try:
        return entry_of(row)
    except CORRUPT:
        return None


async def _try_batch(audit: _Audit, batch: list[list[Entry]]) -> None:
    if not batch:
        return
    try:
        await _check_batch(audit, batch)
    except CORRUPT as error:
        where = f"accounts {batch[0][0].account_id} to {batch[-1][0].account_id}"
        audit.add_unreadable(5, where, error)


async def _check_batch(audit: _Audit, batch: list[list[Entry]]) -> None:
    account_ids = [entries[0].account_id for entries in batch]
    keys = await opened_keys(audit.ledger, audit.tx, audit.book, account_ids)
    audit.add(keys.findings)
    stored = await account_rows(audit.tx, audit.book, account_ids)
    recorded = await crossing_rows(audit.tx, audit.book, account_ids)
    changes = await segment_changes_of(audit.tx, audit.book, account_ids)
    promised = await promise_rows(audit.tx, audit.book, account_ids)
    audit.accounts += len(batch)
    for entries in batch:
        account_id = entries[0].account_id
        audit.add(promise_findings(entries, promised.get(account_id, [])))
        try:
            kept = _kept(account_id, stored, recorded)
        except CORRUPT as error:
            audit.add_unreadable(5, f"account {account_id}", error)
        else:
            kept = Kept(account=kept.account, recorded=kept.recorded, changes=changes.get(account_id, []))
            audit.add(account_findings(entries, kept, audit.policies))
        for entry in entries:
            audit.add(content_findings(audit.book, keys.opened.get(account_id), entry))
            audit.step()


def _kept(account_id: UUID, stored: dict[UUID, Row], recorded: dict[UUID, list[Row]]) -> Kept:
    row = stored.get(account_id)
    return Kept(
        account=account_of(row) if row else None,
        recorded=[(each["ordinal"], crossing_of(each)) for each in recorded.get(account_id, [])],
        changes=(),
    )


async def _check_orphans(audit: _Audit) -> None:
    """Nothing is stored of an account that has no entries."""
    for table, law in ((accounts, 2), (crossings, 5), (segment_changes, 5), (promises, 5)):
        for account_id in await without_entries(audit.tx, audit.book, table, limit=FINDINGS_KEPT_MAX):
            what = f"No entry belongs to it, yet it has a row in {table.name}."
            audit.add([Finding(law=law, where=f"account {_dashed(account_id)}", what=what)])


def _dashed(account_id: str) -> str:
    """SQLite keeps an account's id without dashes."""
    try:
        return str(UUID(account_id))
    except ValueError:
        return account_id
