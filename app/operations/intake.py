"""The intake: what many callers post on a book at once becomes one append (group commit).

Of each book one append is under way at a time. What comes meanwhile, and until the next one has locked the book, goes
into that together: so nobody waits where nothing is under way, and the busier a book is the less each posting costs.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextvars import Context
from dataclasses import dataclass, field
from functools import partial

from app.domain.errors import InternalError, MasterKeyMismatch, Refusal
from app.domain.request_errors import TooManyRequests
from app.operations.append import Item
from app.operations.ledger import Ledger
from app.operations.outcome import Outcome, last_position
from app.operations.record import Recorded, Sent, record_all
from app.passing import note_position

WAITING_MAX = 10_000
"""Items of one book that wait for an append; whoever comes beyond that is told to come again."""
TOGETHER_MAX = 1_000
"""Items of one append, unless the first caller sends more: beyond it an item costs no less."""
BESIDE_MAX = 100
"""Items that an append takes along from others where the first caller fills it alone."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of what one caller sent, and the rules under which it was."""

    outcomes: list[Outcome]
    recorded: Recorded


_Waiting = tuple[Sent, "asyncio.Future[Answer]"]


@dataclass(slots=True)
class _Queue:
    """Who waits for an append to one book."""

    waiting: deque[_Waiting] = field(default_factory=deque[_Waiting])
    items: int = 0

    def add(self, sent: Sent) -> "asyncio.Future[Answer]":
        if self.items and self.items + len(sent.items) > WAITING_MAX:
            raise TooManyRequests(f"{self.items} interactions of this book wait to be written: send the same again.")
        answer = asyncio.get_running_loop().create_future()
        self.waiting.append((sent, answer))
        self.items += len(sent.items)
        return answer

    def next_group(self) -> list[_Waiting]:
        """Whoever goes into the next append together: who came first, and those who fit in beside."""
        group = [self.waiting.popleft()]
        self.items -= len(group[0][0].items)
        self.join(group)
        return group

    def join(self, group: list[_Waiting]) -> list[Sent]:
        """Let whoever fits in beside the group join it, in the order in which they came; what those sent.

        A batch that does not fit keeps nobody waiting who came after it with less.
        """
        first, *beside = [len(sent.items) for sent, _ in group]
        room = max(TOGETHER_MAX - first, BESIDE_MAX) - sum(beside)
        joining, staying = list[_Waiting](), deque[_Waiting]()
        for each in self.waiting:
            fits = len(each[0].items) <= room
            room -= len(each[0].items) if fits else 0
            (joining if fits else staying).append(each)
        self.waiting = staying
        self.items -= sum(len(sent.items) for sent, _ in joining)
        group += joining
        return [sent for sent, _ in joining]


class Intake:
    """The intake of one process, over all its books."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._queues: dict[str, _Queue] = {}
        self._appending: set[asyncio.Task[None]] = set()

    async def post(self, book: str, items: Sequence[Item], *, api_key_id: str) -> Answer:
        """Append the items, durably, together with whatever else is waiting; see `record`.

        What was taken in is appended even if the caller goes away. Raises TooManyRequests, taking nothing in, if too
        much is waiting.
        """
        queue, sent = self._queues.get(book), Sent(items=items, api_key_id=api_key_id, origin=self.ledger.traces.here())
        if queue is None:
            queue = self._queues[book] = _Queue()
            answer = queue.add(sent)
            task = asyncio.create_task(self._append(book, queue), context=Context())  # it is no one request's
            self._appending.add(task)
            task.add_done_callback(self._appending.discard)
        else:
            answer = queue.add(sent)
        answered = await answer  # who goes away cancels this, and not what was taken in
        note_position(last_position(answered.outcomes))
        return answered

    async def drained(self) -> None:
        """All that was taken in is appended or refused, and its answers are known."""
        while self._appending:
            await asyncio.wait(self._appending)

    async def _append(self, book: str, queue: _Queue) -> None:
        """Append until nobody waits."""
        try:
            while queue.waiting:
                await asyncio.sleep(0)  # whoever is in the same turn of the loop comes along
                group = queue.next_group()
                await self._append_group(book, group, joining=partial(queue.join, group))
        finally:
            del self._queues[book]
            _fail(queue.waiting, InternalError())  # if this was cut off
            queue.waiting.clear()  # who was told so joins no append that goes on by itself

    async def _append_group(
        self, book: str, group: list[_Waiting], *, joining: Callable[[], Sequence[Sent]] = tuple
    ) -> None:
        """Append what the group sent; by `joining` it grows by whoever comes until the book is locked."""
        try:
            recorded = await record_all(self.ledger, book, [sent for sent, _ in group], joining=joining)
            for (_, answer), outcomes in zip(group, recorded.outcomes, strict=True):
                if not answer.cancelled():
                    answer.set_result(Answer(outcomes, recorded))
        except MasterKeyMismatch as refusal:  # perhaps of a single account's key
            await self._append_apart(book, group, refusal)
        except Refusal as refusal:  # of the append as a whole: each is told
            _fail(group, refusal)
        except Exception as error:  # noqa: BLE001 - whoever is at fault alone gets it
            await self._append_apart(book, group, error)
        finally:
            _fail(group, InternalError())  # those that even so have no answer: this was cut off

    async def _append_apart(self, book: str, group: list[_Waiting], error: Exception) -> None:
        """One of them broke the append: the others are not to suffer for it."""
        if len(group) == 1:
            _fail(group, error)
            return
        for each in group:
            await self._append_group(book, [each])


def _fail(group: Iterable[_Waiting], error: Exception) -> None:
    """Tell those who have no answer yet."""
    for _, answer in group:
        if not answer.done():
            answer.set_exception(error)
