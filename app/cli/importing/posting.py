"""The import's one loop: rows become what is recorded, and batches of them entries."""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from app.cli.importing.mapping import Mapping
from app.cli.importing.prepare import Prepared, prepared
from app.cli.importing.progress import Show
from app.cli.importing.rejects import Rejects
from app.cli.importing.table import Row
from app.cli.importing.tally import Tally
from app.domain.errors import Refusal
from app.operations.ledger import Ledger
from app.operations.outcome import Posted
from app.operations.record import record

IMPORTED_BY = "import"  # stands on each entry where a posting has its API key's id

# On SQLite a batch holds the file's only write lock for a third of a second. It is free while the next one is read
# (measured: a server beside an import waits 0.3 s in the median, 0.6 s at most); small batches need the pause for that.
PAUSE_SECONDS = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How rows are posted: as history, told of, so many in a transaction, of this source if they name none."""

    is_replay: bool
    is_announced: bool
    batch_size: int
    source: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """What is imported where and how: a mapping or none, and where the counts go."""

    ledger: Ledger
    book: str
    mapping: Mapping | None
    how: How
    tally: Tally
    rejects: Rejects


async def post_rows(work: Import, rows: Iterable[Row], show: Show) -> None:
    """Post all rows, in batches; a row that is refused is noted and stops nothing. Memory holds one batch."""
    pending = _prepared_rows(work, rows)
    while batch := list(islice(pending, work.how.batch_size)):
        await _post(work, batch)
        show(work.tally)
        await asyncio.sleep(PAUSE_SECONDS)


def _prepared_rows(work: Import, rows: Iterable[Row]) -> Iterator[Prepared]:
    tally = work.tally
    for row in rows:
        tally.read += 1
        try:
            ready = prepared(row, work.mapping, source=work.how.source)
        except Refusal as refusal:
            _reject(work, row.line, refusal)
            continue
        if ready is None:
            tally.skipped += 1
            continue
        tally.shifted += ready.is_shifted
        yield ready


async def _post(work: Import, batch: list[Prepared]) -> None:
    items = [ready.item for ready in batch]
    outcomes = await record(
        work.ledger,
        work.book,
        items,
        api_key_id=IMPORTED_BY,
        replay=work.how.is_replay,
        silent=not work.how.is_announced,
    )
    for ready, outcome in zip(batch, outcomes, strict=True):
        if isinstance(outcome, Posted):
            work.tally.post(outcome, is_replay=work.how.is_replay)
        else:
            _reject(work, ready.line, outcome.refusal)


def _reject(work: Import, line: int, refusal: Refusal) -> None:
    work.rejects.add(line, refusal)
    work.tally.reject(refusal)
