"""Look-ups: what many callers ask of a book at once is read in one statement.

Of each book one look-up is under way at a time; whoever asks meanwhile goes into one of the next, and so never sees
less than was there when it asked. Nobody waits where nothing is under way. Each statement sees a snapshot of its own.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

from app.domain.errors import InternalError
from app.operations.ledger import Ledger
from app.operations.read_customer import Looked, look_up

TOGETHER_MAX = 1_000
"""Customers of one look-up, unless a single caller asks for more. Who waits is bounded as all requests are."""

CALLERS_MIN = 16
"""Callers of one look-up, and more only if four times as many wait: while the database looks for a part of them, those
before are answered. All in one would wait for it together, and then it for all of them."""

LOOK_UPS_MAX = 50
"""In one transaction, 100 ms at most: a migration waits for its end, and so many share the price of its beginning."""

_Asked = tuple[Sequence[str], "asyncio.Future[Looked]"]


class Lookups:
    """The look-ups of one process, in all its books."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._asked: dict[str, deque[_Asked]] = {}
        self._reading: set[asyncio.Task[None]] = set()

    async def of(self, book: str, customers: Sequence[str]) -> Looked:
        """The customers as they are now, perhaps among others; see `look_up`."""
        answer: asyncio.Future[Looked] = asyncio.get_running_loop().create_future()
        asked = self._asked.get(book)
        if asked is None:
            asked = self._asked[book] = deque()
            task = asyncio.create_task(self._read(book, asked))
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)
        asked.append((customers, answer))
        return await answer

    async def _read(self, book: str, asked: deque[_Asked]) -> None:
        """Read until nobody asks. Whoever asks in the same turn of the loop counts: it began before this task."""
        group: list[_Asked] = []
        try:
            while asked:
                group, looks, is_begun = _next_group(asked), 0, False
                try:
                    async with self.ledger.database.glance(book) as tx:
                        is_begun = True
                        while group:
                            _answer(group, await look_up(self.ledger, tx, book, _customers(group)))
                            looks += 1
                            group = _next_group(asked) if looks < LOOK_UPS_MAX else []
                except Exception as error:  # noqa: BLE001 - each who asked gets it
                    if not is_begun:  # the database is away: nobody is to wait for one group after the other to see it
                        group += asked
                        asked.clear()
                    _fail(group, error)
        finally:
            del self._asked[book]
            _fail([*group, *asked], InternalError())  # those who have no answer: this was cut off


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
    count, callers_max = 0, max(CALLERS_MIN, len(asked) // 4)
    while asked and len(group) < callers_max and (not group or count + len(asked[0][0]) <= TOGETHER_MAX):
        group.append(asked.popleft())
        count += len(group[-1][0])
    return group
