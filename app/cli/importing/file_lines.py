"""The lines of a file, plain or gzip'd, or of standard input: one at a time, counted, within a limit."""

import gzip
import io
import os
import stat
import sys
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from typing import BinaryIO

# A line is a row or a part of one; an interaction with all its fields at their longest stays below 32 KiB.
LINE_BYTES_MAX = 1024 * 1024
STDIN = "-"

_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_FOREIGN = {b"PK": "a zip file or a spreadsheet: save it as CSV", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


class UnreadableFile(Exception):
    """The file cannot be read (on); the message says why."""


class Lines:
    """The lines of a file, as bytes; `number` is that of the last one given. A longer line is cut at the limit."""

    def __init__(self, file: BinaryIO, *, bytes_total: int | None = None) -> None:
        self.number = 0
        self.bytes_total = bytes_total
        self._counted = _Counted(file)
        raw = io.BufferedReader(self._counted)
        head = raw.peek(len(_BOM))
        # The magic bytes tell, not the name: exports are renamed, and standard input has none.
        self._file = gzip.GzipFile(fileobj=raw) if head.startswith(_GZIP) else raw
        self._first: bytes | None = self._read().removeprefix(_BOM)
        for magic, what in _FOREIGN.items():
            if self._first.startswith(magic):
                raise UnreadableFile(f"CSV or JSON lines in UTF-8 are read, perhaps gzip'd; this is {what}")

    @property
    def bytes_read(self) -> int:
        """How far into the file we are, as it is stored."""
        return self._counted.bytes_read

    def peek(self) -> bytes:
        """The first line, which stays to be read."""
        return self._first or b""

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> bytes:
        line = self._read() if self._first is None else self._first
        self._first = None
        if not line:
            raise StopIteration
        self.number += 1
        return line

    def _read(self) -> bytes:
        try:
            line = self._file.readline(LINE_BYTES_MAX)
            rest = line
            while len(rest) == LINE_BYTES_MAX and not rest.endswith(b"\n"):
                rest = self._file.readline(LINE_BYTES_MAX)
        except (EOFError, OSError, zlib.error) as error:
            raise UnreadableFile(f"the file is damaged after line {self.number}: {error}") from None
        return line


@contextmanager
def opened_lines(path: str) -> Generator[Lines]:
    """The lines of a file, or of standard input for `-`. Raises UnreadableFile."""
    if path == STDIN:
        yield Lines(sys.stdin.buffer)
        return
    try:
        file = open(path, "rb")  # noqa: SIM115 - the errors of opening alone are caught here
    except OSError as error:
        raise UnreadableFile(f"{path}: {error.strerror}") from None
    with file:
        status = os.fstat(file.fileno())
        yield Lines(file, bytes_total=status.st_size if stat.S_ISREG(status.st_mode) else None)


class _Counted(io.RawIOBase):
    """Counts the bytes that pass: pipes know no position, and gzip hides the one that tells the time left."""

    def __init__(self, file: BinaryIO) -> None:
        self.bytes_read = 0
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self.bytes_read += len(data)
        return len(data)
