"""The import's one loop: rows become what is recorded, and batches of them entries."""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

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

IN_A_ROW = 25  # rows that are read before the batch that is being written gets its turn: half a millisecond


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How rows are posted: as history, told of, so many in a transaction, of this source if they name none.

    `reads_ahead`: the next batch is read while the last is being written, for which reading may not have to wait.
    """

    is_replay: bool
    is_announced: bool
    batch_size: int
    source: str | None
    reads_ahead: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """What is imported where and how: a mapping or none, and where the counts go."""

    ledger: Ledger
    book: str
    mapping: Mapping | None
    how: How
    tally: Tally
    rejects: Rejects


@dataclass(slots=True, kw_only=True)
class _Batch:
    """Rows that go into one transaction, and those that were read with them and do not."""

    ready: list[Prepared] = field(default_factory=list[Prepared])
    refused: list[tuple[int, Refusal]] = field(default_factory=list[tuple[int, Refusal]])
    skipped: int = 0

    @property
    def kept(self) -> int:
        return len(self.ready) + len(self.refused)

    @property
    def read(self) -> int:
        return self.kept + self.skipped


async def post_rows(work: Import, rows: Iterable[Row], show: Show) -> None:
    """Post all rows, in batches; a row that is refused is noted and stops nothing. Memory holds two batches."""
    coming = iter(rows)
    following = await _next_batch(work, coming)
    while following.read:
        posting = asyncio.create_task(_post(work, following))
        if not work.how.reads_ahead:
            await posting
            await asyncio.sleep(PAUSE_SECONDS)
        try:
            following = await _next_batch(work, coming)
        finally:
            await posting
        show(work.tally)


async def _next_batch(work: Import, coming: Iterator[Row]) -> _Batch:
    batch = _Batch()
    for row in coming:
        _prepare(work, row, batch)
        if batch.kept == work.how.batch_size:
            break
        if batch.read % IN_A_ROW == 0:
            await asyncio.sleep(0)
    return batch


def _prepare(work: Import, row: Row, batch: _Batch) -> None:
    try:
        ready = prepared(row, work.mapping, source=work.how.source)
    except Refusal as refusal:
        batch.refused.append((row.line, refusal))
        return
    if ready is None:
        batch.skipped += 1
    else:
        batch.ready.append(ready)


async def _post(work: Import, batch: _Batch) -> None:
    work.tally.read += batch.read
    work.tally.skipped += batch.skipped
    work.tally.shifted += sum(ready.is_shifted for ready in batch.ready)
    for line, refusal in batch.refused:
        _reject(work, line, refusal)
    if batch.ready:
        await _record(work, batch.ready)


async def _record(work: Import, batch: list[Prepared]) -> None:
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
