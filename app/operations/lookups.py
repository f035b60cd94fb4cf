"""Look-ups: what many callers ask of a book at once is read in one statement.

Of each book few look-ups are under way at a time, so that one is answered while another is read; whoever asks meanwhile
goes together into the next, and so never sees less than was there when it asked. Nobody waits where nothing is under
way. Each statement sees a snapshot of its own.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.domain.errors import InternalError
from app.operations.ledger import Ledger
from app.operations.read_customer import Looked, look_up

TOGETHER_MAX = 1_000
"""Customers of one look-up, unless a single caller asks for more. Who waits is bounded as all requests are."""

AT_ONCE_MAX = 2
"""Look-ups of a book under way: the database works on the one while the other is answered. A third gains nothing."""

LOOK_UPS_MAX = 50
"""In one transaction, some 100 ms: a migration waits for its end, and so many share the price of its beginning."""

_Asked = tuple[Sequence[str], "asyncio.Future[Looked]"]


@dataclass(slots=True)
class _Book:
    """Who asks, and how many look-ups are under way."""

    asked: deque[_Asked] = field(default_factory=deque[_Asked])
    readers: int = 0


class Lookups:
    """The look-ups of one process, in all its books."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._books: dict[str, _Book] = {}
        self._reading: set[asyncio.Task[None]] = set()

    async def of(self, book: str, customers: Sequence[str]) -> Looked:
        """The customers as they are now, perhaps among others; see `look_up`."""
        answer: asyncio.Future[Looked] = asyncio.get_running_loop().create_future()
        own = self._books.get(book) or self._books.setdefault(book, _Book())
        if not own.asked and own.readers < AT_ONCE_MAX:  # who asks in the same turn of the loop comes along
            own.readers += 1
            task = asyncio.create_task(self._read(book, own))
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)
        own.asked.append((customers, answer))
        return await answer

    async def _read(self, book: str, own: _Book) -> None:
        """Read until nobody asks."""
        group: list[_Asked] = []
        try:
            while own.asked:
                group, looks = _next_group(own.asked), 0
                try:
                    async with self.ledger.database.glance(book) as tx:
                        while group:
                            _answer(group, await look_up(self.ledger, tx, book, _customers(group)))
                            looks += 1
                            group = _next_group(own.asked) if looks < LOOK_UPS_MAX else []
                except Exception as error:  # noqa: BLE001 - each who asked gets it
                    _fail(group, error)
        finally:
            own.readers -= 1
            if not own.readers:
                del self._books[book]
                group += own.asked
            _fail(group, InternalError())  # those who have no answer: this was cut off


def _customers(group: list[_Asked]) -> set[str]:
    return {customer for customers, _ in group for customer in customers}


def _answer(group: list[_Asked], looked: Looked) -> None:
    for _, answer in group:
        if not answer.cancelled():
            answer.set_result(looked)


def _fail(group: list[_Asked], error: Exception) -> None:
    for _, answer in group:
        if not answer.done():
            answer.set_exception(error)


def _next_group(asked: deque[_Asked]) -> list[_Asked]:
    """Whoever goes into the next look-up together, in the order in which they asked; at least one if any asks."""
    group: list[_Asked] = []
    count = 0
    while asked and (not group or count + len(asked[0][0]) <= TOGETHER_MAX):
        group.append(asked.popleft())
        count += len(group[-1][0])
    return group
