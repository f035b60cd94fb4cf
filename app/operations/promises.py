"""The promises of one append: those that were read, as its entries leave them."""

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from uuid import UUID

from app.domain.entry import Entry
from app.domain.instant import Instant
from app.domain.promise import Promise, PromiseName
from app.domain.promise_fold import applied


class Promises:
    """Promises by name and by account; what entries change is kept to be written."""

    def __init__(self, read: Iterable[Promise]) -> None:
        self.by_name: dict[PromiseName, Promise] = {promise.name: promise for promise in read}
        self._names: dict[UUID, set[PromiseName]] = {}
        self._changed: set[PromiseName] = set()
        self._steps: list[tuple[Instant, PromiseName]] = []
        for promise in self.by_name.values():
            self._keep(promise)

    @property
    def changed(self) -> list[Promise]:
        """What is to be written."""
        return [self.by_name[name] for name in self._changed]

    def of_account(self, account_id: UUID) -> Iterator[Promise]:
        """The account's promises, as far as they were read."""
        return (self.by_name[name] for name in self._names.get(account_id, ()))

    def pop_due(self, by: Instant) -> Promise | None:
        """The promise of which a step is to be posted first, if that is by then; it is given once for each step."""
        while self._steps and self._steps[0][0] <= by:
            at, name = heappop(self._steps)
            if self.by_name[name].next_step_at == at:
                return self.by_name[name]
        return None

    def apply(self, entry: Entry) -> None:
        """Let an entry do to a promise what it says, if it says anything."""
        promise = applied(self.by_name, entry)
        if promise is None:
            return
        self.by_name[promise.name] = promise
        self._changed.add(promise.name)
        self._keep(promise)

    def _keep(self, promise: Promise) -> None:
        self._names.setdefault(promise.account_id, set()).add(promise.name)
        if promise.next_step_at is not None:
            heappush(self._steps, (promise.next_step_at, promise.name))
