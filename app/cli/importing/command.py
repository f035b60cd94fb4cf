"""`goodwill import`: CSV or JSON lines onto the ledger; importing again adds nothing."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from app.api.batch import BATCH_MAX
from app.cli.importing.file_lines import STDIN, Lines, UnreadableFile, opened_lines
from app.cli.importing.mapping import Mapping, missing_columns
from app.cli.importing.mapping_document import InvalidMapping, parse_mapping
from app.cli.importing.posting import How, Import, post_rows
from app.cli.importing.preview import guess
from app.cli.importing.progress import progress
from app.cli.importing.rejects import Rejects
from app.cli.importing.table import Table, read_table
from app.cli.importing.tally import Tally
from app.cli.session import Book, existing_book, fail, opened_ledger, run
from app.operations.finish_import import tell_of_import
from app.operations.replay import begin_replay, end_replay

# A batch is one transaction: large enough that its commit weighs little, small enough that others wait half a second.
BATCH_SIZE = 1_000

EXIT_WITH_REJECTS = 3

_CUT_OFF = """\
The replay of book {book} was cut off, and the book refuses live postings until it is finished: run the same command
again, what is posted already is not posted twice. To leave it at what is posted:
  goodwill import - --replay --book {book} < /dev/null"""

File = Annotated[str, typer.Argument(help="CSV with a header, or JSON lines; perhaps gzip'd; - for standard input")]
MappingFile = Annotated[str | None, typer.Option("--mapping", help="TOML; without it rows are interactions already")]
Replay = Annotated[bool, typer.Option("--replay", help="book history when it happened; only without live entries")]
RejectsFile = Annotated[str | None, typer.Option("--rejects", help="default: FILE.rejects.ndjson, in this folder")]
Guess = Annotated[bool, typer.Option("--guess", help="propose a mapping, value five rows, and post nothing")]
BatchSize = Annotated[int, typer.Option("--batch-size", min=1, max=BATCH_MAX, help="rows a transaction")]
Announce = Annotated[bool, typer.Option("--announce", help="tell subscribers of what is posted; not of a replay")]
Source = Annotated[str | None, typer.Option("--source", help="the source of rows that name none")]


def import_file(
    file: File,
    mapping: MappingFile = None,
    book: Book = None,
    replay: Replay = False,
    rejects: RejectsFile = None,
    guess_mapping: Guess = False,
    batch_size: BatchSize = BATCH_SIZE,
    source: Source = None,
    announce: Announce = False,
) -> None:
    """Post the rows of a file; rows that are on the ledger already are replayed, so it can always be run again."""
    if announce and replay:
        fail("history that is replayed is never announced: leave --announce or --replay out")
    chosen = None if mapping is None else _read_mapping(mapping)
    rejected = Rejects(_rejects_path(file, rejects))
    if guess_mapping:
        run(_guess(file, chosen, book))
        return
    how = How(is_replay=replay, is_announced=announce, batch_size=batch_size, source=source)
    run(_import(file, chosen, book, rejected, how))
    if rejected.count:
        fail(f"{rejected.count:,} rows were not posted: see {rejected.path}", code=EXIT_WITH_REJECTS)


async def _import(file: str, mapping: Mapping | None, book: str | None, rejects: Rejects, how: How) -> None:
    try:
        with opened_lines(file) as lines:
            table = _table(lines, mapping)
            async with opened_ledger() as ledger:
                # What a pipe gives may be long in coming; and SQLite's file is to be free while the next batch is read.
                ahead = lines.bytes_total is not None and not ledger.database.is_sqlite
                work = Import(
                    ledger=ledger,
                    book=await existing_book(ledger, book),
                    mapping=mapping,
                    how=replace(how, reads_ahead=ahead),
                    tally=Tally(),
                    rejects=rejects,
                )
                await _work(work, table, lines)
    except UnreadableFile as error:
        fail(str(error))


async def _work(work: Import, table: Table, lines: Lines) -> None:
    """Post the table, within a replay if that is asked for, and say what it came to, however it ends."""
    if work.how.is_replay:
        await begin_replay(work.ledger, work.book)
    try:
        with progress(lines) as show:
            await post_rows(work, table.rows, show)
        if work.how.is_replay:
            await end_replay(work.ledger, work.book)
        await tell_of_import(
            work.ledger, work.book, source=work.how.source, is_announced=work.how.is_announced, rows=work.tally.rows
        )
    except BaseException:
        # Opening the book again by ourselves would let a live posting in, and no history after it, ever.
        if work.how.is_replay:
            typer.echo(_CUT_OFF.format(book=work.book), err=True)
        raise
    finally:
        work.rejects.close()
        print("\n".join(work.tally.lines()))


async def _guess(file: str, mapping: Mapping | None, book: str | None) -> None:
    try:
        with opened_lines(file) as lines:
            await guess(_table(lines, mapping, is_guess=True), mapping, file, book)
    except UnreadableFile as error:
        fail(str(error))


def _table(lines: Lines, mapping: Mapping | None, *, is_guess: bool = False) -> Table:
    """The rows of the file; ends the command if the mapping does not fit its header."""
    table = read_table(lines, delimiter=mapping.delimiter if mapping else None)
    if not table.columns:
        return table
    if mapping is None and not is_guess:
        fail("rows of CSV need a --mapping; `goodwill import FILE --guess` proposes one")
    for column, expression in (missing_columns(mapping, table.columns) if mapping else {}).items():
        fail(f"the mapping reads row.{column} in {expression}, which the file lacks: {', '.join(table.columns)}")
    return table


def _read_mapping(path: str) -> Mapping:
    try:
        return parse_mapping(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        fail(f"{path}: {error.strerror}")
    except (InvalidMapping, UnicodeDecodeError) as error:
        fail(f"{path}: {error}")


def _rejects_path(file: str, given: str | None) -> Path:
    name = "stdin" if file == STDIN else Path(file).name
    path = Path(given or f"{name}.rejects.ndjson")
    if path.exists() and file != STDIN and Path(file).exists() and path.samefile(file):
        fail("the rejects file may not be the file that is imported")
    return path
