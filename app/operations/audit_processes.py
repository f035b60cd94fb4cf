"""Verify in several processes: each has a connection of its own, on the very same snapshot."""

import asyncio
import contextlib
import multiprocessing
import signal
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial
from multiprocessing.connection import Connection
from typing import NoReturn

from app.database import Database
from app.domain.errors import DatabaseUnavailable
from app.garbage import leave_alone_what_stays
from app.operations.audit import Audit, Found, begun_audit
from app.operations.audit_parts import Check, check_part
from app.operations.audit_plan import Part
from app.operations.ledger import Ledger
from app.queries.audit import count_rows
from app.sealing.keys import MasterKey
from app.tables import entries

TOGETHER_FROM_ENTRIES = 50_000
"""A book of fewer is verified by this process alone, before another would have begun."""
END_TIMEOUT_SECONDS = 5


@asynccontextmanager
async def opened_crew(ledger: Ledger, book: str, processes: int) -> AsyncGenerator[tuple[Audit, list[Check]]]:
    """An audit on one snapshot, and who checks its parts: so many processes, or this one alone."""
    if processes == 1 or await _count(ledger, book) < TOGETHER_FROM_ENTRIES:
        async with ledger.database.read(book) as tx:
            audit = await begun_audit(ledger, tx, book)
            yield audit, [partial(check_part, audit)]
        return
    crew = [_Process(ledger, book) for _ in range(processes)]
    try:
        await asyncio.gather(*[each.answer() for each in crew])
        async with ledger.database.read(book) as tx:
            async with ledger.database.shared(tx) as snapshot:
                audit = await begun_audit(ledger, tx, book)
                await asyncio.gather(*[each.ask(snapshot) for each in crew])
            yield audit, [each.check for each in crew]
    finally:
        await asyncio.gather(*[asyncio.to_thread(each.end) for each in crew])


async def _count(ledger: Ledger, book: str) -> int:
    async with ledger.database.read(book) as tx:
        return await count_rows(tx, book, entries)


class _Process:
    """Another process that checks parts, one at a time."""

    def __init__(self, ledger: Ledger, book: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, its = context.Pipe()
        at = ledger.database
        same = partial(Database, at.url.render_as_string(hide_password=False), role=at.role, schema=at.schema)
        self._process = context.Process(target=_serve, args=(its, same, ledger.master_key, book), daemon=True)
        self._process.start()
        its.close()  # so that the pipe ends when the process does

    async def check(self, part: Part) -> Found:
        found = await self.ask(part)
        assert isinstance(found, Found)
        return found

    async def ask(self, question: Part | str | None) -> object:
        self._pipe.send(question)
        return await self.answer()

    async def answer(self) -> object:
        try:
            said: object = await asyncio.to_thread(self._pipe.recv)
        except EOFError:
            raise RuntimeError("a process of the verification ended before its work was done") from None
        if isinstance(said, Exception):
            raise said
        return said

    def end(self) -> None:
        self._process.terminate()
        self._process.join(END_TIMEOUT_SECONDS)
        self._pipe.close()


def _serve(pipe: Connection, opened: Callable[[], Database], master_key: MasterKey, book: str) -> None:
    """Answer parts with what is found in them, until nobody asks any more. An interrupt is the asker's affair."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    leave_alone_what_stays()
    with contextlib.suppress(EOFError, BrokenPipeError):
        asyncio.run(_answer(pipe, opened(), master_key, book))


async def _answer(pipe: Connection, database: Database, master_key: MasterKey, book: str) -> None:
    ledger = Ledger(database=database, master_key=master_key, now=_unasked, new_id=_unasked, entropy=_unasked)
    pipe.send("ready")
    try:
        async with database.read(book, snapshot=pipe.recv()) as tx:
            audit = await begun_audit(ledger, tx, book)
            pipe.send("begun")
            while True:
                pipe.send(await check_part(audit, pipe.recv()))
    except DatabaseUnavailable as error:
        pipe.send(error)
    finally:
        await database.close()


def _unasked(*_: object) -> NoReturn:
    """Who only reads asks neither the clock nor chance."""
    raise AssertionError
