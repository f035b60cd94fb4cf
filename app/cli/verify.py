"""`goodwill verify`: checks laws 1 to 6 on a live book."""

import json
import time
from dataclasses import asdict
from typing import Annotated

import typer

from app.cli.progress import progress_bar
from app.cli.session import Book, existing_book, fail, opened_ledger, run
from app.domain.audit import LAWS
from app.operations.ledger import Ledger
from app.operations.verify import Report
from app.operations.verify import verify as verify_book
from app.queries.audit import all_books

All = Annotated[bool, typer.Option("--all", help="every book of the database")]
AsJson = Annotated[bool, typer.Option("--json", help="one JSON object a line for each book")]


def verify(book: Book = None, every: All = False, as_json: AsJson = False) -> None:
    """Check everything that is stored of a book against its laws; exit code 1 if one is broken."""
    run(_verify(book, every=every, as_json=as_json))


async def _verify(book: str | None, *, every: bool, as_json: bool) -> None:
    is_sound = True
    async with opened_ledger() as ledger:
        for name in await _names(ledger, book, every=every):
            begun = time.monotonic()
            with progress_bar(f"verifying {name}") as progress:
                report = await verify_book(ledger, name, progress=progress)
            seconds = time.monotonic() - begun
            print(json.dumps(_document(report, seconds)) if as_json else _text(report, seconds), flush=True)
            is_sound = is_sound and report.is_sound
    if not is_sound:
        raise typer.Exit(1)


async def _names(ledger: Ledger, book: str | None, *, every: bool) -> list[str]:
    if not every:
        return [await existing_book(ledger, book)]
    async with ledger.database.read() as tx:
        return await all_books(tx) or fail("there is no book yet")


def _document(report: Report, seconds: float) -> dict[str, object]:
    head = report.head
    return {
        "book": report.book,
        "ok": report.is_sound,
        "entries": report.entries,
        "accounts": report.accounts,
        "position": head.position if head else None,
        "hash": head.hash.hex() if head else None,
        "seconds": round(seconds, 3),
        "laws": {str(law): count for law, count in report.counts.items()},
        "findings": [asdict(finding) for finding in report.findings],
    }


def _text(report: Report, seconds: float) -> str:
    lines = [f"book {report.book}: {report.entries:,} entries, {report.accounts:,} accounts"]
    for law, count in report.counts.items():
        lines.append(f"  law {law}  {f'{count:,} broken' if count else 'ok':<12} {LAWS[law]}")
    lines += [f"  law {found.law}, {found.where}: {found.what}" for found in report.findings]
    unsaid = sum(report.counts.values()) - len(report.findings)
    if unsaid:
        lines.append(f"  … and {unsaid:,} more")
    rate = report.entries / seconds if seconds else 0.0
    said = "sound" if report.is_sound else "NOT SOUND"
    return "\n".join([*lines, f"  {said}, in {seconds:.1f} s ({rate:,.0f} entries/s)"])
