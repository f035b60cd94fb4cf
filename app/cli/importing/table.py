"""The rows of a file, CSV or JSON lines: one at a time, each with the number of the line on which it begins."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.api.strict_json import strict_json
from app.cli.importing.file_lines import LINE_BYTES_MAX, Lines, UnreadableFile
from app.domain.errors import Fault, InvalidRequest, Refusal

DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row: the line on which it begins, and its values by name, or why it has none."""

    line: int
    values: Any | Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The rows of a file. `columns` None: JSON lines, which name their own; empty: a file with nothing in it."""

    columns: tuple[str, ...] | None
    rows: Iterator[Row]


def read_table(lines: Lines, *, delimiter: str | None = None) -> Table:
    """The file as rows: JSON lines if the first begins with a brace, else CSV with a header.

    Raises UnreadableFile if it is neither; a row that cannot be read is given with its refusal.
    """
    first = lines.peek().lstrip()
    if first.startswith(b"{"):
        return Table(columns=None, rows=_json_rows(lines))
    if first.startswith(b"["):
        raise UnreadableFile("write one JSON object a line, not an array")
    return _csv_table(lines, delimiter or _sniffed(lines.peek()))


def _json_rows(lines: Lines) -> Iterator[Row]:
    for line in lines:
        if line.strip():
            yield Row(line=lines.number, values=_json(line))


def _json(line: bytes) -> Any | Refusal:
    if len(line) >= LINE_BYTES_MAX:
        return _refusal("too_long", f"a line holds at most {LINE_BYTES_MAX} bytes.")
    try:
        return strict_json(line)
    except Refusal as refusal:
        return refusal


def _csv_table(lines: Lines, delimiter: str) -> Table:
    text = _Text(lines)
    reader = csv.reader(text, delimiter=delimiter)
    try:
        header = _first_row(reader)
    except csv.Error as error:
        raise UnreadableFile(f"the header is no CSV: {error}") from None
    if (flaw := text.take_flaw()) is not None:
        raise UnreadableFile(f"the header is not readable: {flaw.detail}")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise UnreadableFile(f"the header names a column twice: {', '.join(twice)}")
    return Table(columns=tuple(header), rows=_csv_rows(lines, text, reader, header))


def _csv_rows(lines: Lines, text: "_Text", reader: Iterator[list[str]], header: list[str]) -> Iterator[Row]:
    while True:
        begins = lines.number + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            detail = f"no CSV up to line {lines.number}, perhaps a quote that is never closed: {error}."
            yield Row(line=begins, values=text.take_flaw() or _refusal("csv_invalid", detail))
            continue
        if cells is None:
            return
        if cells:
            yield Row(line=begins, values=text.take_flaw() or _named(header, cells))


def _first_row(reader: Iterator[list[str]]) -> list[str]:
    """The first row that is not blank; none in an empty file."""
    for cells in reader:
        if cells:
            return cells
    return []


def _named(header: list[str], cells: list[str]) -> dict[str, str] | Refusal:
    if len(cells) != len(header):
        return _refusal("csv_invalid", f"the row has {len(cells)} fields, the header {len(header)}.")
    return dict(zip(header, cells, strict=True))


def _sniffed(line: bytes) -> str:
    """The delimiter that cuts the header into most pieces."""
    header = line.decode(errors="replace")
    return max(DELIMITERS, key=lambda delimiter: len(_first_row(csv.reader([header], delimiter=delimiter))))


class _Text:
    """Lines as text. A line that is none is given all the same, so that quotes stay in step, and leaves a flaw."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._flaw: Refusal | None = None

    def take_flaw(self) -> Refusal | None:
        """What is wrong with the lines since this was asked last."""
        flaw, self._flaw = self._flaw, None
        return flaw

    def __iter__(self) -> "_Text":
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        if len(line) >= LINE_BYTES_MAX:
            self._flaw = _refusal("too_long", f"a line holds at most {LINE_BYTES_MAX} bytes.")
        if b"\0" in line:
            self._flaw = _refusal("text_invalid", "text may not hold NUL.")
        try:
            return line.decode()
        except UnicodeDecodeError:
            self._flaw = _refusal("text_invalid", "the line is not in UTF-8.")
            return line.decode(errors="replace")


def _refusal(code: str, detail: str) -> InvalidRequest:
    return InvalidRequest(detail, faults=(Fault(pointer="", code=code, detail=detail),))
