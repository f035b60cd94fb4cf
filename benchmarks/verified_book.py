"""A book of a million entries to verify: built once through the append, kept in a folder, copied to PostgreSQL.

Half of it is replayed history, half was posted live, in batches, over a year; the clock ran between. Few accounts have
many entries and many have few, as customers do; one entry in a hundred is reversed.
"""

import asyncio
import os
import random
import sqlite3
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from app.database import Database
from app.domain.instant import DAY, SECOND, Instant
from app.domain.interaction import Interaction, ReversalRequest
from app.operations.ledger import Ledger
from app.operations.open_book import open_book
from app.operations.outcome import Posted
from app.operations.record import record
from app.operations.replay import begin_replay, end_replay
from app.operations.tick import advance_due
from app.sealing.keys import MasterKey
from app.tables import metadata
from app.upgrade import upgrade

BOOK = "acme"
BATCH = 5_000
SEED = 5
BEGIN: Instant = 1_700_000_000 * SECOND
KINDS = ("moment.unexpected_gift", "apology.first", "product.failed", "data.breach", "contact.neutral", "refund.fast")
WEIGHTS = (2, 4, 6, 1, 20, 8)
COPIED_ROWS = 20_000


@dataclass
class Built:
    """The ledger while it is built, on a clock of its own."""

    path: Path
    entries: int
    accounts: int
    now: Instant = BEGIN

    def __post_init__(self) -> None:
        self.random = random.Random(SEED)
        self.ledger = Ledger(
            database=Database(f"sqlite:///{self.path}"),
            master_key=master_key(self.path),
            now=lambda: self.now,
            new_id=lambda: uuid.UUID(bytes=self.random.randbytes(16), version=4),
            entropy=self.random.randbytes,
        )
        self.some: list[uuid.UUID] = []

    async def build(self) -> None:
        """History, then a year of live batches."""
        database = self.ledger.database
        await upgrade(database)
        await open_book(self.ledger, BOOK)
        await begin_replay(self.ledger, BOOK)
        span = 365 * DAY // self.entries
        begin = self.now
        self.now += 365 * DAY
        for first in range(0, self.entries // 2, BATCH):
            await self._post(first, begin + 2 * first * span, 2 * span)
        await end_replay(self.ledger, BOOK)
        for first in range(self.entries // 2, self.entries, BATCH):
            self.now += 2 * BATCH * span
            while (await advance_due(self.ledger, BOOK)).advanced:
                pass
            await self._post(first, None, 0)
        await database.close()

    async def _post(self, first: int, begin: Instant | None, step: Instant) -> None:
        items: list[Interaction | ReversalRequest] = [
            self._item(n, None if begin is None else begin + (n - first) * step) for n in range(first, first + BATCH)
        ]
        outcomes = await record(self.ledger, BOOK, items, api_key_id="bench", replay=begin is not None)
        posted = [each.entry for each in outcomes if isinstance(each, Posted)]
        assert len(posted) == BATCH, [each for each in outcomes if not isinstance(each, Posted)][:3]
        reversible = [entry.entry_id for entry in posted if entry.reverses is None]
        self.some = self.random.sample(reversible, BATCH // 100) if begin is None else []

    def _item(self, n: int, value_at: Instant | None) -> Interaction | ReversalRequest:
        if self.some and n % 100 == 0:
            return ReversalRequest(source="crm", entry_id=self.some.pop(), reason="a mistake", replacement=None)
        whose = int(self.accounts * self.random.random() ** 2)
        return Interaction(
            source="crm",
            id=f"interaction-{n}",
            customer=f"customer-{whose}@example.com",
            kind=self.random.choices(KINDS, WEIGHTS)[0],
            value_at=value_at,
            note="Called about the delivery; was told that somebody looks into it.",
            context={"channel": "phone", "case": f"case-{n // 3}"},
        )


def master_key(path: Path) -> MasterKey:
    """The key that was made beside the file."""
    kept = path.with_suffix(".key")
    if not kept.exists():
        kept.write_bytes(os.urandom(32))
    return MasterKey(kept.read_bytes())


def built(folder: Path, entries: int) -> Path:
    """The SQLite file of a book with so many entries; built if it is not there."""
    path = folder / f"verified-{entries}.sqlite3"
    if not path.exists():
        begun, unready = time.perf_counter(), path.with_suffix(".unready")
        unready.unlink(missing_ok=True)
        asyncio.run(Built(path=unready, entries=entries, accounts=max(entries // 20, 1)).build())
        unready.rename(path)
        print(f"built {entries:,} entries in {time.perf_counter() - begun:.0f} s", flush=True)
    return path


async def copied(path: Path, url: str) -> None:
    """The same rows in an empty, migrated PostgreSQL."""
    target = await asyncpg.connect(url)
    source = sqlite3.connect(path)
    for table in metadata.sorted_tables:
        names = [column.name for column in table.c]
        await target.copy_records_to_table(table.name, records=_rows(source, table.name, names), columns=names)
    await target.execute("ANALYZE")
    await target.close()


def _rows(source: sqlite3.Connection, table: str, names: list[str]) -> Iterator[tuple[object, ...]]:
    columns = metadata.tables[table].c
    readers = [columns[name].type.python_type for name in names]
    for row in source.execute(f"SELECT {', '.join(names)} FROM {table}"):  # noqa: S608 - our own names
        yield tuple(
            None if value is None else uuid.UUID(value) if kind is uuid.UUID else kind(value)
            for kind, value in zip(readers, row, strict=True)
        )
