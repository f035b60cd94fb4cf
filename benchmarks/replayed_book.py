"""What the benchmarks on real orders share: a file replayed by `goodwill import` into a book of its own."""

import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from app.domain.instant import Instant
from app.main import Opened
from app.operations.ledger import Ledger
from app.operations.open_book import open_book
from app.operations.tick import advance_due
from app.settings import Settings
from app.store.books import lock_head

BOOK = "replayed"


@asynccontextmanager
async def replayed_book(file: Path, mapping: Path, *, watched_for: Instant) -> AsyncGenerator[Ledger]:
    """The file replayed into a temporary SQLite book, and what its clock recorded until `watched_for` after the last
    entry; the ledger's present is that instant. Rows that are refused end it."""
    with tempfile.TemporaryDirectory() as folder:
        service = Opened(Settings(data_dir=Path(folder)))
        ledger = await service.ledger()
        await open_book(ledger, BOOK)
        _import(file, mapping, folder)
        async with ledger.database.write(BOOK) as tx:
            end = (await lock_head(tx, BOOK)).booked_at + watched_for
        then = replace(ledger, now=lambda: end)
        while (await advance_due(then, BOOK)).advanced:
            pass
        yield then
        await service.close()


def _import(file: Path, mapping: Path, folder: str) -> None:
    command = [sys.executable, "-m", "app", "import", str(file), "--mapping", str(mapping), "--replay", "--book", BOOK]
    environment = {**os.environ, "GOODWILL_DATA_DIR": folder}
    subprocess.run(command, env=environment, check=True)  # noqa: S603 - the program is this one
