"""Verify a live book: laws 1 to 6 of DESIGN section 7, in one read snapshot and bounded memory."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from uuid import UUID

from app.domain.audit import CORRUPT, LAWS, Finding, head_findings
from app.domain.audit_merges import merge_findings
from app.domain.entry import Head
from app.domain.remembered import Halfway, Mark, Remembered, mark_of, remembered_findings
from app.operations.audit import FINDINGS_KEPT_MAX, Audit, Found, Progress, unwatched
from app.operations.audit_checkpoints import check_checkpoints
from app.operations.audit_messages import check_messages_of_book
from app.operations.audit_parts import Check
from app.operations.audit_plan import ACCOUNT_IDS, Lines, Plan, full_plan, plan_since
from app.operations.audit_processes import opened_crew
from app.operations.ledger import Ledger
from app.queries.audit import count_rows, without_entries
from app.queries.audit_since import hashes_at, last_position, link_at
from app.queries.kin import carrying_lines
from app.queries.merges import all_merges
from app.tables import account_keys, accounts, aliases, crossings, customer_changes, entries, messages, promises

Keep = Callable[[Halfway], None]
"""Told how far a verification has come that is sound so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a book is found to be. `counts` has every law and all its findings, `findings` the first of them.

    Of `entries` and `accounts`, which is all there are, so many were looked at: those newer than `since`, or than what
    an earlier run that was cut off had `resumed`; all of them without either.
    """

    book: str
    head: Head | None
    entries: int
    accounts: int
    entries_seen: int
    accounts_seen: int
    counts: dict[int, int]
    findings: tuple[Finding, ...]
    since: Mark | None = None
    resumed: Halfway | None = None

    @property
    def is_sound(self) -> bool:
        """Whether no law is broken."""
        return not any(self.counts.values())

    @property
    def mark(self) -> Mark | None:
        """What to remember of the book; None unless it is sound."""
        return mark_of(self.head) if self.head and self.is_sound else None


async def verify(
    ledger: Ledger,
    book: str,
    *,
    progress: Progress = unwatched,
    remembered: Remembered | None = None,
    full: bool = False,
    processes: int = 1,
    keep: Keep | None = None,
) -> Report:
    """Check laws 1 to 6 on everything that is stored of a book. Never raises for what it finds.

    Of a book that is `remembered` only what is new, unless `full`, or unless what is remembered does not hold.
    Requires an existing book. Each process holds an account's entries at once, and no others but those of its batch.
    """
    async with opened_crew(ledger, book, processes) as (audit, checks):
        count = await count_rows(audit.tx, book, entries)
        plan = await _plan(audit, count, remembered or Remembered(), full=full)
        course = _Course(audit=audit, plan=plan, total=2 * count, progress=progress, keep=keep)
        await course.run(checks)
        await _check_head(audit)
        await check_checkpoints(audit, since=plan.since.position if plan.since else 0)
        await check_messages_of_book(audit)
        await _check_orphans(audit)
        await _check_merges(audit)
        is_whole = plan.since is None and plan.resumed is None
        found = audit.found
        return Report(
            book=book,
            head=audit.head,
            entries=count,
            accounts=found.accounts if is_whole else await count_rows(audit.tx, book, accounts),
            entries_seen=found.lines,
            accounts_seen=found.accounts,
            counts={law: found.counts[law] for law in LAWS},
            findings=tuple(found.findings),
            since=plan.since,
            resumed=plan.resumed,
        )


async def _plan(audit: Audit, count: int, remembered: Remembered, *, full: bool) -> Plan:
    """All, where what is remembered does not hold."""
    known = remembered.hashes
    stored = await hashes_at(audit.tx, audit.book, known)
    audit.found.add(remembered_findings(known, stored, await last_position(audit.tx, audit.book)))
    if audit.found.findings or audit.head is None:
        return full_plan(count)
    return await plan_since(audit.tx, audit.head, count, remembered.whole if full else remembered.going_on)


@dataclass(slots=True, kw_only=True)
class _Course:
    """The parts of a plan as they are done: in any order, counted in theirs."""

    audit: Audit
    plan: Plan
    total: int
    progress: Progress
    keep: Keep | None
    done: dict[int, Found] = field(default_factory=dict[int, Found])
    merged: int = 0

    async def run(self, checks: list[Check]) -> None:
        waiting = iter(enumerate(self.plan.parts))

        async def work(check: Check) -> None:
            for n, part in waiting:
                self.done[n] = await check(part)
                self._merge()

        await asyncio.gather(*[work(check) for check in checks])

    def _merge(self) -> None:
        while self.merged in self.done:
            self.audit.found.merge(self.done.pop(self.merged))
            self.merged += 1
        found = self.audit.found
        self.progress(found.lines + found.entries, max(found.lines + found.entries, self.total))
        halfway = self._halfway()
        if self.keep and halfway and not found.counts.total():
            self.keep(halfway)

    def _halfway(self) -> Halfway | None:
        """What is known now; None before all that is repeated was repeated."""
        halfway, found = self.plan.halfway, self.audit.found
        if halfway is None or self.merged < self.plan.known_after:
            return None
        for part in self.plan.parts[self.plan.known_after : self.merged]:
            if isinstance(part, Lines):
                position, own = found.last_line or (halfway.lines, halfway.lines_hash)
                halfway = replace(halfway, lines=position, lines_hash=own)
            else:
                halfway = replace(halfway, accounts=part.below or UUID(int=ACCOUNT_IDS - 1))
        return halfway


async def _check_head(audit: Audit) -> None:
    try:
        last = await link_at(audit.tx, audit.book, await last_position(audit.tx, audit.book))
        audit.found.add(head_findings(audit.head, last) if audit.head else ())
    except CORRUPT as error:
        audit.found.add_unreadable(3, "head", error)


async def _check_orphans(audit: Audit) -> None:
    """Nothing is stored of an account that has no entries."""
    tables = ((aliases, 3), (account_keys, 3), (accounts, 2), (crossings, 5), (customer_changes, 5), (promises, 5))
    for table, law in (*tables, (messages, 6)):
        for account_id in await without_entries(audit.tx, audit.book, table, limit=FINDINGS_KEPT_MAX):
            what = f"No entry belongs to it, yet it has a row in {table.name}."
            audit.found.add([Finding(law=law, where=f"account {_dashed(account_id)}", what=what)])


async def _check_merges(audit: Audit) -> None:
    try:
        lines = await carrying_lines(audit.tx, audit.book)
        audit.found.add(merge_findings(lines, await all_merges(audit.tx, audit.book)))
    except CORRUPT as error:
        audit.found.add_unreadable(5, "merges", error)


def _dashed(account_id: str) -> str:
    """SQLite keeps an account's id without dashes."""
    try:
        return str(UUID(account_id))
    except ValueError:
        return account_id
