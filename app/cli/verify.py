"""`goodwill verify`: checks laws 1 to 6 on a live book."""

import json
import os
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from app.cli.progress import progress_bar
from app.cli.remembering import HeadsFile
from app.cli.session import Book, existing_book, fail, opened_ledger, run
from app.cli.verify_files import Files, verify_files
from app.domain.audit import LAWS
from app.garbage import leave_alone_what_stays
from app.operations.ledger import Ledger
from app.operations.verify import Report
from app.operations.verify import verify as verify_book
from app.queries.audit import all_books

PROCESSES_MAX = 8  # more would wait for the database

All = Annotated[bool, typer.Option("--all", help="every book of the database")]
AsJson = Annotated[bool, typer.Option("--json", help="one JSON object a line for each book")]
Remember = Annotated[
    Path | None,
    typer.Option("--remember", help="a file that remembers the head: shows a cut tail, and saves looking twice"),
]
Export = Annotated[
    Path | None,
    typer.Option("--export", help="a file of `goodwill export`, - for standard input: laws 1 to 3, without a database"),
]
Receipt = Annotated[Path | None, typer.Option("--receipt", help="a customer's receipt, - for standard input")]
Checkpoints = Annotated[
    Path | None,
    typer.Option("--checkpoints", help="a file of `goodwill export --checkpoints`, or of messages: held against those"),
]
Keys = Annotated[
    list[str] | None,
    typer.Option("--key", help="the public key that you trust; repeat for several, if it was replaced"),
]
Full = Annotated[bool, typer.Option("--full", help="look at everything, whatever is remembered")]


def verify(
    book: Book = None,
    every: All = False,
    as_json: AsJson = False,
    remember: Remember = None,
    full: Full = False,
    export: Export = None,
    receipt: Receipt = None,
    checkpoints: Checkpoints = None,
    key: Keys = None,
) -> None:
    """Check everything that is stored of a book against its laws; exit code 1 if one is broken."""
    leave_alone_what_stays()
    files = Files(export, receipt, checkpoints, key or ())
    if files.are_given:
        if book or every or as_json or full or (export and receipt) or (remember and not export):
            fail("files are verified by themselves, --export with --remember perhaps: what is verified is in them")
        if not verify_files(files, HeadsFile(remember) if remember else None):
            raise typer.Exit(1)
        return
    run(_verify(book, HeadsFile(remember) if remember else None, every=every, as_json=as_json, full=full))


async def _verify(book: str | None, file: HeadsFile | None, *, every: bool, as_json: bool, full: bool) -> None:
    is_sound = True
    async with opened_ledger() as ledger:
        names = await _names(ledger, book, every=every)
        _want_known(file, names, every=every, full=full)
        for name in names:
            begun, before = time.monotonic(), file.verified_at(name) if file else "never"
            with progress_bar(f"verifying {name}") as progress:
                report = await verify_book(
                    ledger,
                    name,
                    progress=progress,
                    remembered=file.of(name) if file else None,
                    full=full,
                    processes=min(len(os.sched_getaffinity(0)), PROCESSES_MAX),
                    keep=partial(file.keep_halfway, name) if file else None,
                )
            _remember(file, report)
            seconds = time.monotonic() - begun
            print(json.dumps(_document(report, seconds)) if as_json else _text(report, seconds, before), flush=True)
            is_sound = is_sound and report.is_sound
    if not is_sound:
        raise typer.Exit(1)


async def _names(ledger: Ledger, book: str | None, *, every: bool) -> list[str]:
    if not every:
        return [await existing_book(ledger, book)]
    async with ledger.database.oversee() as tx:
        return await all_books(tx) or fail("there is no book yet")


def _want_known(file: HeadsFile | None, names: list[str], *, every: bool, full: bool) -> None:
    """A file of other books is a mistake rather than a wish to begin another; a book that is gone is worse."""
    known = file.books if file else []
    gone = [name for name in known if every and name not in names]
    if gone:
        fail(f"the database has no book {', '.join(gone)}, which the file remembers", code=1)
    if known and not every and not full and names[0] not in known:
        fail(f"the file remembers {', '.join(known)}, not {names[0]}: use another file, or --full to add the book")


def _remember(file: HeadsFile | None, report: Report) -> None:
    """A head is remembered only of a sound book; what is wrong is found again, from the last sound one on."""
    if file and report.mark:
        file.keep_sound(report.book, report.mark)
    elif file:
        file.keep_halfway(report.book, None)


def _document(report: Report, seconds: float) -> dict[str, object]:
    head = report.head
    return {
        "book": report.book,
        "ok": report.is_sound,
        "entries": report.entries,
        "accounts": report.accounts,
        "entries_seen": report.entries_seen,
        "accounts_seen": report.accounts_seen,
        "since": report.since.position if report.since else None,
        "position": head.position if head else None,
        "hash": head.hash.hex() if head else None,
        "seconds": round(seconds, 3),
        "laws": {str(law): count for law, count in report.counts.items()},
        "findings": [asdict(finding) for finding in report.findings],
    }


def _text(report: Report, seconds: float, before: str) -> str:
    lines = [f"book {report.book}: {report.entries:,} entries, {report.accounts:,} accounts", *_seen(report, before)]
    for law, count in report.counts.items():
        lines.append(f"  law {law}  {f'{count:,} broken' if count else 'ok':<12} {LAWS[law]}")
    lines += [f"  law {found.law}, {found.where}: {found.what}" for found in report.findings]
    unsaid = sum(report.counts.values()) - len(report.findings)
    if unsaid:
        lines.append(f"  … and {unsaid:,} more")
    rate = report.entries_seen / seconds if seconds else 0.0
    said = "sound" if report.is_sound else "NOT SOUND"
    return "\n".join([*lines, f"  {said}, in {seconds:.1f} s ({rate:,.0f} entries/s)"])


def _seen(report: Report, before: str) -> list[str]:
    """What was looked at, and what was not, where that is not everything."""
    said: list[str] = []
    if report.resumed:
        said.append(f"  goes on after position {report.resumed.lines:,}, where an earlier run was cut off")
    if report.since:
        said.append(f"  since position {report.since.position:,}, found sound at {before}")
    if said:
        entries, accounts = report.entries - report.entries_seen, report.accounts - report.accounts_seen
        said += [
            f"  looked at: the {report.entries_seen:,} entries after it, and all of {report.accounts_seen:,} accounts",
            f"  not looked at again: {entries:,} entries and {accounts:,} accounts (--full looks at all)",
        ]
    return said
