"""The model of who holds what while customers are merged, released and forgotten: sets of lines, and nothing else."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import fsum
from typing import Any

Json = dict[str, Any]
LIVES = {"lasting": 180, "passing": 90, "deep": 365, "observed": 120}


@dataclass(slots=True, eq=False)
class Own:
    """An account of its own. `held` are the lines that count in it, by id; `carried` are those of its last merge."""

    name: str
    held: dict[str, Json] = field(default_factory=dict[str, Json])
    carried: dict[str, Json] = field(default_factory=dict[str, Json])
    into: "Own | None" = None

    @property
    def home(self) -> "Own":
        """Where it leads."""
        return self.into.home if self.into else self

    def felt(self, at: int) -> float:
        """The brute-force sum, in points; instants in microseconds."""
        return fsum(
            line["points"] * 0.5 ** ((at - line["at"]) / 86_400_000_000 / LIVES[line["memory"]])
            for line in self.held.values()
        )


@dataclass(slots=True)
class Holders:
    """All accounts of a book by name; `posted_on` says of each line on which it stands."""

    owns: dict[str, Own] = field(default_factory=dict[str, Own])
    posted_on: dict[str, Own] = field(default_factory=dict[str, Own])
    reversed: set[str] = field(default_factory=set[str])
    forgotten: list[Own] = field(default_factory=list[Own])

    def read(self, lines: Iterable[Json]) -> None:
        """The next lines of the feed but those of merges, which the model makes up itself."""
        for line in lines:
            if line["kind"].startswith("account."):
                continue
            own = self.owns.setdefault(line["customer"], Own(line["customer"]))
            self.posted_on[line["id"]] = own
            if line["reverses"]:
                holder = self.posted_on[line["reverses"]].home
                self.reversed.add(line["reverses"])
                holder.held.pop(line["reverses"], None)
            else:
                own.held[line["id"]] = line

    def merge(self, customer: str, into: str) -> tuple[int, str]:
        """The status and the code that a merge is answered."""
        if customer not in self.owns or into not in self.owns:
            return 404, "unknown_customer"
        source, target = self.owns[customer].home, self.owns[into].home
        if source is target:
            is_done = self.owns[customer].into is not None and customer != into
            return (200, "") if is_done else (409, "same_customer")
        source.carried, source.held, source.into = source.held, {}, target
        target.held = {**target.held, **source.carried}
        return 201, ""

    def are_apart(self, customer: str, other: str) -> bool:
        """Whether both are known, and lead to two accounts."""
        both = [self.owns[name].home for name in (customer, other) if name in self.owns]
        return len(both) == 2 and both[0] is not both[1]

    def unmerge(self, customer: str) -> tuple[int, str]:
        """The same of its undoing."""
        own = self.owns.get(customer)
        if own is None:
            return 404, "unknown_customer"
        if own.into is None:
            return 409, "not_merged"
        if own.into.into is not None:
            return 409, "merged_further"
        taken = own.carried.keys() & self.reversed
        if any(self.posted_on[each] is not own for each in taken):
            return 409, "taken_meanwhile"
        own.held = {name: line for name, line in own.carried.items() if name not in taken}
        for name in own.held:
            del own.into.held[name]
        own.into = None
        return 201, ""

    def forget(self, customer: str) -> tuple[int, str]:
        """The same of an erasure."""
        if customer not in self.owns:
            return 404, "unknown_customer"
        home = self.owns[customer].home
        gone = [own for own in self.owns.values() if own.home is home]
        self.forgotten += gone
        for own in gone:
            del self.owns[own.name]
        return 200, ""

    def again(self, customer: str, line_id: str) -> tuple[int, str]:
        """The same of an interaction of that customer that is sent once more."""
        own = self.posted_on[line_id]
        if own in self.forgotten or own.home in self.forgotten:
            return 410, "interaction_erased"
        is_same = customer in self.owns and self.owns[customer].home is own.home
        return (200, "") if is_same else (409, "interaction_conflict")
