"""Adoptions of policies that this process carries on while it serves; any process takes over what another left."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from app.domain.errors import Refusal
from app.operations.adopt_policy import carry_adoption
from app.operations.ledger import Ledger
from app.queries.adoptions import books_adopting

RETRY_SECONDS = 1.0  # the book replays history, or the database is away
_log = logging.getLogger(__name__)


class Adopting:
    """The tasks of one process; stop them with `await stop()`."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._resuming: asyncio.Task[None] | None = None

    def resume(self, opening: Callable[[], Awaitable[Ledger]]) -> None:
        """Carry on, once the ledger can be had, every adoption that a process before this one left."""
        self._resuming = asyncio.create_task(self._resume(opening))

    async def carried(self, ledger: Ledger, book: str, *, wait_seconds: float) -> None:
        """Carry a book's adoption on in the background, and wait a little for its end."""
        task = self._tasks.get(book)
        if task is None or task.done():
            task = self._tasks[book] = asyncio.create_task(_carry(ledger, book))
        await asyncio.wait({task}, timeout=wait_seconds)

    async def stop(self) -> None:
        """Leave what is under way to the next process."""
        tasks = [task for task in (self._resuming, *self._tasks.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _resume(self, opening: Callable[[], Awaitable[Ledger]]) -> None:
        while (found := await _left_over(opening)) is None:  # noqa: ASYNC110 - nobody tells when a database is back
            await asyncio.sleep(RETRY_SECONDS)
        ledger, books = found
        for book in books:
            await self.carried(ledger, book, wait_seconds=0)


async def _left_over(opening: Callable[[], Awaitable[Ledger]]) -> tuple[Ledger, list[str]] | None:
    """The ledger and the books in which an adoption is under way; None as long as it cannot be had."""
    try:
        ledger = await opening()
        async with ledger.database.read() as tx:
            return ledger, await books_adopting(tx)
    except Refusal:
        return None


async def _carry(ledger: Ledger, book: str) -> None:
    while True:
        try:
            await carry_adoption(ledger, book)
        except Refusal as refusal:
            _log.warning("the adoption of a policy waits", extra={"book": book, "code": refusal.code})
            await asyncio.sleep(RETRY_SECONDS)
        except Exception:  # noqa: BLE001 - nobody awaits this task: what ends it must be told
            _log.exception("the adoption of a policy stopped; cancel it, or start again", extra={"book": book})
            return
        else:
            return
