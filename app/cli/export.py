"""`goodwill export`: the ledger as NDJSON, with all that a stranger needs to recompute the chain."""

import json
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from app.cli.session import Book, existing_book, fail, opened_ledger, run
from app.domain.chain import CANONICAL_VERSION, genesis
from app.domain.checkpoint import checkpoint_shown
from app.domain.entry import Head
from app.domain.exported import EXPORT_VERSION, entry_exported
from app.operations.ledger import Ledger
from app.queries.books import head
from app.queries.checkpoints import checkpoints_after
from app.queries.ledger_lines import entries_in_order

CHECKPOINTS_AT_ONCE = 1_000

Checkpoints = Annotated[bool, typer.Option("--checkpoints", help="its signed checkpoints instead of its entries")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="a file; standard output if left out")]


def export(book: Book = None, output: Output = None, checkpoints: Checkpoints = False) -> None:
    """Write a book's ledger as NDJSON, as docs/verification.md describes it; what is personal stays sealed."""
    run(_export(book, output, write_checkpoints if checkpoints else write_export))


async def _export(
    book: str | None, output: Path | None, write: Callable[[Ledger, str, TextIO], Awaitable[int]]
) -> None:
    async with opened_ledger() as ledger:
        name = await existing_book(ledger, book)
        try:
            with nullcontext(sys.stdout) if output is None else output.open("w", encoding="utf-8") as file:
                count = await write(ledger, name, file)
        except OSError as error:
            fail(f"{output or 'standard output'}: {error.strerror}")
    typer.echo(f"book {name}: {count:,} {'entries' if write is write_export else 'checkpoints'} exported", err=True)


async def write_export(ledger: Ledger, book: str, file: TextIO) -> int:
    """Write a book's head and its entries in one snapshot, streaming; says how many entries there are."""
    count, previous = 0, genesis(book)
    async with ledger.database.read(book) as tx:
        found = await head(tx, book)
        assert found is not None
        _write(file, _manifest(found))
        async for entry in entries_in_order(tx, book):
            _write(file, entry_exported(entry, previous))
            count, previous = count + 1, entry.hash
    return count


async def write_checkpoints(ledger: Ledger, book: str, file: TextIO) -> int:
    """Write a book's checkpoints in order; says how many there are."""
    number = count = 0
    async with ledger.database.read(book) as tx:
        while page := await checkpoints_after(tx, book, number, limit=CHECKPOINTS_AT_ONCE):
            for each in page:
                _write(file, checkpoint_shown(each))
            number, count = page[-1].number, count + len(page)
    return count


def _write(file: TextIO, line: dict[str, Any]) -> None:
    try:
        file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
    except BrokenPipeError:  # the reader has seen enough, as `head` does; it is not the database that is gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), file.fileno())
        raise typer.Exit(1) from None


def _manifest(found: Head) -> dict[str, Any]:
    return {
        "export": EXPORT_VERSION,
        "canonical": CANONICAL_VERSION,
        "book": found.book,
        "position": found.position,
        "hash": found.hash.hex(),
    }
