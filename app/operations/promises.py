"""The promises of one append: those that were read, as its entries leave them."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from app.domain.entry import Entry
from app.domain.promise import Promise, PromiseName
from app.domain.promise_fold import applied


class Promises:
    """Promises by name and by account; what entries change is kept to be written."""

    def __init__(self, read: Iterable[Promise]) -> None:
        self.by_name: dict[PromiseName, Promise] = {promise.name: promise for promise in read}
        self._names: dict[UUID, set[PromiseName]] = {}
        self._changed: set[PromiseName] = set()
        for promise in self.by_name.values():
            self._names.setdefault(promise.account_id, set()).add(promise.name)

    @property
    def changed(self) -> list[Promise]:
        """What is to be written."""
        return [self.by_name[name] for name in self._changed]

    def of_account(self, account_id: UUID) -> Iterator[Promise]:
        """The account's promises, as far as they were read."""
        return (self.by_name[name] for name in self._names.get(account_id, ()))

    def apply(self, entry: Entry) -> None:
        """Let an entry do to a promise what it says, if it says anything."""
        promise = applied(self.by_name, entry)
        if promise is None:
            return
        self.by_name[promise.name] = promise
        self._changed.add(promise.name)
        self._names.setdefault(promise.account_id, set()).add(promise.name)
