"""What a write did to accounts, cause by cause: the crossings to record, and what messages may tell of."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from uuid import UUID

from app.domain.account import Account
from app.domain.api_key import is_sandbox
from app.domain.crossing import Crossing
from app.domain.entry import Entry, Head
from app.domain.instant import Instant
from app.store.accounts import NewCrossing


@dataclass(slots=True, kw_only=True)
class Cause:
    """What befell one account at one instant: `entries` of one append, or a crossing by time or by segment.

    `before` and `after` are the account just before, advanced to `at`, and just after. `crossings` come with their
    ordinals; `recorded_at` is None if they are history. `announced` once a message tells of the change of place.
    """

    at: Instant
    before: Account
    after: Account
    recorded_at: Instant | None
    entries: list[Entry] = field(default_factory=list[Entry])
    crossings: list[tuple[int, Crossing]] = field(default_factory=list[tuple[int, Crossing]])
    announced: set[int] = field(default_factory=set[int])

    @property
    def account_id(self) -> UUID:
        """Whose it is."""
        return self.before.account_id


@dataclass(slots=True)
class Causes:
    """The causes of one write, in order; what one append posts on one account at one instant is one of them."""

    listed: list[Cause] = field(default_factory=list[Cause])
    groups: dict[tuple[UUID, Instant], Cause] = field(default_factory=dict[tuple[UUID, Instant], Cause])

    def passed(self, account: Account, crossings: Iterable[Crossing], head: Head, now: Instant) -> None:
        """Time alone moved the account, as it was before, and that is recorded now.

        While history is replayed that is history. In a sandbox it counts as recorded at once: its clock is never late.
        """
        for ordinal, crossing in enumerate(crossings, start=account.crossings + 1):
            before, after = (replace(account, place=place) for place in (crossing.before, crossing.after))
            recorded_at = None if head.replaying else crossing.at if is_sandbox(head.book) else now
            own = [(ordinal, crossing)]
            cause = Cause(at=crossing.at, before=before, after=after, recorded_at=recorded_at, crossings=own)
            self.listed.append(cause)

    def resegmented(self, before: Account, after: Account, crossing: Crossing) -> None:
        """Another segment moved the account, advanced to the change's instant before."""
        own = [(after.crossings, crossing)]
        self.listed.append(Cause(at=crossing.at, before=before, after=after, recorded_at=crossing.at, crossings=own))

    def posted(self, before: Account, entry: Entry, after: Account, crossing: Crossing | None) -> None:
        """An entry was posted on the account, advanced to its `booked_at` before."""
        at = entry.booked_at
        group = self.groups.get((entry.account_id, at))
        if group is None:
            group = Cause(at=at, before=before, after=after, recorded_at=None if entry.silent else at)
            self.groups[entry.account_id, at] = group
            self.listed.append(group)
        group.after = after
        group.entries.append(entry)
        if crossing is not None:
            group.crossings.append((before.crossings + 1, crossing))

    def recorded(self) -> list[NewCrossing]:
        """The crossings to record."""
        return [
            NewCrossing(
                account_id=cause.account_id,
                ordinal=ordinal,
                crossing=crossing,
                recorded_at=cause.recorded_at,
                announced=ordinal in cause.announced,
            )
            for cause in self.listed
            for ordinal, crossing in cause.crossings
        ]
