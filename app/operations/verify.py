"""Verify a live book: laws 1 to 6 of DESIGN section 7, in one read snapshot and bounded memory."""

from dataclasses import dataclass
from uuid import UUID

from app.domain.audit import CORRUPT, LAWS, Finding, Link, first_link, head_findings, line_findings
from app.domain.entry import Head
from app.domain.errors import InvalidPolicy
from app.operations.audit import FINDINGS_KEPT_MAX, Audit, Progress, unwatched
from app.operations.audit_accounts import check_accounts
from app.operations.audit_content import opened_book_key
from app.operations.audit_messages import check_messages_of_book
from app.operations.ledger import Ledger, policy_history
from app.queries.audit import rows_in_order, tariff_versions_of, without_entries
from app.queries.books import head
from app.queries.ledger_lines import count_entries
from app.rows import Row, entry_of
from app.tables import account_keys, accounts, aliases, crossings, customer_changes, messages, promises


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


async def verify(ledger: Ledger, book: str, *, progress: Progress = unwatched) -> Report:
    """Check laws 1 to 6 on everything that is stored of a book. Never raises for what it finds.

    Requires an existing book. An account's entries are held at once, and no others but those of its batch.
    """
    async with ledger.database.read() as tx:
        audit = Audit(ledger=ledger, tx=tx, book=book, total=2 * await count_entries(tx, book), progress=progress)
        await _read_rules(audit)

        await _check_lines(audit)
        await check_accounts(audit)
        await check_messages_of_book(audit)
        await _check_orphans(audit)
    return Report(
        book=book,
        head=audit.head,
        entries=audit.total // 2,
        accounts=audit.accounts,
        counts={law: audit.counts[law] for law in LAWS},
        findings=tuple(audit.findings),
    )


async def _read_rules(audit: Audit) -> None:
    tx, book = audit.tx, audit.book
    audit.own_key = await opened_book_key(audit.ledger, tx, book)
    if audit.own_key is None:
        audit.add([Finding(law=3, where="head", what="The master key does not open the book's key.")])
    try:
        audit.head = await head(tx, book)
        assert audit.head is not None
        audit.tariffs = await tariff_versions_of(tx, book)
        if audit.head.tariff_version not in audit.tariffs:
            audit.add([Finding(law=3, where="head", what="The version of the tariff that it names does not exist.")])
        audit.policies = await policy_history(audit.ledger, tx, book, up_to=audit.head.policy_version)
    except (InvalidPolicy, *CORRUPT) as error:
        audit.add_unreadable(4, "head or the policy in force", error)


async def _check_lines(audit: Audit) -> None:
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


def _check_line(audit: Audit, before: Link, row: Row) -> None:
    try:
        entry = entry_of(row)
        audit.add(line_findings(before, entry))
        if entry.tariff_version not in audit.tariffs:
            what = f"It was valued by version {entry.tariff_version} of the tariff, which does not exist."
            audit.add([Finding(law=3, where=f"position {entry.position}", what=what)])
    except CORRUPT as error:
        audit.add_unreadable(3, f"position {row['position']}", error)


async def _check_orphans(audit: Audit) -> None:
    """Nothing is stored of an account that has no entries."""
    for table, law in (
        (aliases, 3),
        (account_keys, 3),
        (accounts, 2),
        (crossings, 5),
        (customer_changes, 5),
        (promises, 5),
        (messages, 6),
    ):
        for account_id in await without_entries(audit.tx, audit.book, table, limit=FINDINGS_KEPT_MAX):
            what = f"No entry belongs to it, yet it has a row in {table.name}."
            audit.add([Finding(law=law, where=f"account {_dashed(account_id)}", what=what)])


def _dashed(account_id: str) -> str:
    """SQLite keeps an account's id without dashes."""
    try:
        return str(UUID(account_id))
    except ValueError:
        return account_id
