"""The ledger's lines: they are appended, and nothing else is ever done to them."""

from collections.abc import Sequence

from app.domain.entry import Entry
from app.records import entry_record
from app.sql import Insert, Step
from app.tables import entries

_APPEND = Insert(entries)


def appending(book: str, appended: Sequence[Entry]) -> Step:
    """The step that appends lines in order. Requires the book's head to be locked."""
    return _APPEND, [entry_record(book, entry) for entry in appended]
