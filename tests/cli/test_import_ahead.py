"""An import reads the next batch while the last is being written, and no further."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.cli.importing.file_lines import UnreadableFile
from app.cli.importing.posting import How, Import, post_rows
from app.cli.importing.rejects import Rejects
from app.cli.importing.table import Row
from app.cli.importing.tally import Tally
from tests.conftest import Bench
from tests.operations.posting import ledger_of

BATCH_SIZE = 4


def row(number: int) -> Row:
    """A row; of each seven one can be no interaction, and one is none that the tariff knows."""
    kind = "no.such.kind" if number % 7 == 3 else "apology.first"
    return Row(line=number, values={} if number % 7 == 5 else {"id": f"{number}", "customer": "ada", "kind": kind})


def unseen(tally: Tally) -> None:
    """Nobody watches."""


def importing(bench: Bench, rejects: Path, *, reads_ahead: bool) -> Import:
    how = How(is_replay=False, is_announced=False, batch_size=BATCH_SIZE, source="file", reads_ahead=reads_ahead)
    return Import(ledger=bench.ledger, book=bench.book, mapping=None, how=how, tally=Tally(), rejects=Rejects(rejects))


@pytest.mark.parametrize("reads_ahead", [False, True])
async def test_memory_holds_the_batch_that_is_written_and_the_next(
    bench: Bench, tmp_path: Path, *, reads_ahead: bool
) -> None:
    work, furthest = importing(bench, tmp_path / "rejects", reads_ahead=reads_ahead), 0

    def rows() -> Iterator[Row]:
        nonlocal furthest
        for number in range(60):
            settled = work.tally.created + work.tally.refused
            furthest = max(furthest, number + 1 - settled)
            yield row(number)

    await post_rows(work, rows(), unseen)
    work.rejects.close()

    assert BATCH_SIZE * (1 + reads_ahead) - 2 <= furthest <= BATCH_SIZE * (1 + reads_ahead)
    assert (work.tally.read, work.tally.created, work.tally.refused) == (60, 43, 17)
    assert [entry.external_id for entry in await ledger_of(bench)] == [f"{n}" for n in range(60) if n % 7 not in (3, 5)]
    assert len({entry.booked_at for entry in await ledger_of(bench)}) == 60 // BATCH_SIZE


async def test_where_the_file_ends_in_ruin_what_was_read_before_the_last_batch_is_posted_and_told(
    bench: Bench, tmp_path: Path
) -> None:
    work = importing(bench, tmp_path / "rejects", reads_ahead=True)

    def rows() -> Iterator[Row]:
        yield from map(row, range(6))
        raise UnreadableFile("damaged")

    with pytest.raises(UnreadableFile):
        await post_rows(work, rows(), unseen)
    work.rejects.close()

    assert (work.tally.read, work.tally.created, work.tally.refused) == (4, 3, 1)
    assert len(await ledger_of(bench)) == 3
    assert '"line": 3' in (tmp_path / "rejects").read_text()
