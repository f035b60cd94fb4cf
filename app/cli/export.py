"""`goodwill export`: the ledger as NDJSON, with all that a stranger needs to recompute the chain."""

import base64
import json
import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from app.cli.session import Book, existing_book, fail, opened_ledger, run
from app.domain.chain import CANONICAL_VERSION, genesis
from app.domain.entry import Entry, Head
from app.operations.ledger import Ledger
from app.queries.books import head
from app.queries.ledger_lines import entries_in_order

EXPORT_VERSION = 1

Output = Annotated[Path | None, typer.Option("--output", "-o", help="a file; standard output if left out")]


def export(book: Book = None, output: Output = None) -> None:
    """Write a book's ledger as NDJSON, as docs/verification.md describes it; what is personal stays sealed."""
    run(_export(book, output))


async def _export(book: str | None, output: Path | None) -> None:
    async with opened_ledger() as ledger:
        name = await existing_book(ledger, book)
        try:
            with nullcontext(sys.stdout) if output is None else output.open("w", encoding="utf-8") as file:
                count = await write_export(ledger, name, file)
        except OSError as error:
            fail(f"{output or 'standard output'}: {error.strerror}")
    typer.echo(f"book {name}: {count:,} entries exported", err=True)


async def write_export(ledger: Ledger, book: str, file: TextIO) -> int:
    """Write a book's head and its entries in one snapshot, streaming; says how many entries there are."""
    count, previous = 0, genesis(book)
    async with ledger.database.read() as tx:
        found = await head(tx, book)
        assert found is not None
        _write(file, _manifest(found))
        async for entry in entries_in_order(tx, book):
            _write(file, _line(entry, previous))
            count, previous = count + 1, entry.hash
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


def _line(entry: Entry, previous: bytes) -> dict[str, Any]:
    """The fields of canonical form 1 under their names, in its order; contents where it has their hashes."""
    return {
        "position": entry.position,
        "account_id": str(entry.account_id),
        "sequence": entry.sequence,
        "entry_id": str(entry.entry_id),
        "kind": entry.kind,
        "points": entry.points,
        "balance_after": entry.balance_after,
        "value_at": entry.value_at,
        "booked_at": entry.booked_at,
        "memory": entry.memory.value,
        "source": entry.source,
        "external_id": entry.external_id,
        "tariff_version": entry.tariff_version,
        "api_key_id": entry.api_key_id,
        "reverses": None if entry.reverses is None else str(entry.reverses),
        "context": entry.context,
        "sealed": base64.b64encode(entry.sealed).decode(),
        "carried": None,
        "previous": previous.hex(),
        "hash": entry.hash.hex(),
    }
