"""How far an import is: a bar with rate and time left on a terminal, a plain line now and then elsewhere."""

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from app.cli.importing.file_lines import Lines
from app.cli.importing.tally import Tally

PLAIN_EVERY_SECONDS = 10  # a log that is read later wants to see that it went on, not how


class Show(Protocol):
    """Shows how far it is."""

    def __call__(self, tally: Tally) -> None:
        """Show it now."""


@contextmanager
def progress(lines: Lines) -> Generator[Show]:
    """What to call after each batch. How many rows a file has is unknown: the time left goes by its bytes."""
    if not sys.stderr.isatty():
        yield _Plain()
        return
    columns = (BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[told]}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("import", total=lines.bytes_total, told="")

        def show(tally: Tally) -> None:
            bar.update(task, completed=lines.bytes_read, told=_told(tally))

        yield show


class _Plain:
    def __init__(self) -> None:
        self._told = time.monotonic()

    def __call__(self, tally: Tally) -> None:
        if time.monotonic() - self._told >= PLAIN_EVERY_SECONDS:
            self._told = time.monotonic()
            print(_told(tally), file=sys.stderr, flush=True)


def _told(tally: Tally) -> str:
    return f"{tally.read:,} rows, {tally.rate:,.0f} rows/s"
