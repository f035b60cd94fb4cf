"""What a write did to accounts, cause by cause: the crossings to record, and what messages may tell of."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from uuid import UUID

from app.domain.account import Account
from app.domain.crossing import Crossing
from app.domain.entry import Entry
from app.domain.instant import Instant
from app.store.accounts import Recorded


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

    def passed(self, account: Account, crossings: Iterable[Crossing], *, recorded_at: Instant | None) -> None:
        """Time alone moved the account, as it was before."""
        for ordinal, crossing in enumerate(crossings, start=account.crossings + 1):
            before, after = (replace(account, place=place) for place in (crossing.before, crossing.after))
            own = [(ordinal, crossing)]
            self.listed.append(
                Cause(at=crossing.at, before=before, after=after, recorded_at=recorded_at, crossings=own)
            )

    def resegmented(self, before: Account, after: Account, crossing: Crossing) -> None:
        """Another segment moved the account, advanced to the change's instant before."""
        own = [(after.crossings, crossing)]
        self.listed.append(Cause(at=crossing.at, before=before, after=after, recorded_at=crossing.at, crossings=own))

    def posted(
        self, before: Account, entry: Entry, after: Account, crossing: Crossing | None, *, is_live: bool
    ) -> None:
        """An entry was posted on the account, advanced to its `booked_at` before."""
        at = entry.booked_at
        group = self.groups.get((entry.account_id, at))
        if group is None:
            group = Cause(at=at, before=before, after=after, recorded_at=at if is_live else None)
            self.groups[entry.account_id, at] = group
            self.listed.append(group)
        group.after = after
        group.entries.append(entry)
        if crossing is not None:
            group.crossings.append((before.crossings + 1, crossing))

    def recorded(self) -> list[Recorded]:
        """The crossings to record."""
        return [
            Recorded(
                account_id=cause.account_id,
                ordinal=ordinal,
                crossing=crossing,
                recorded_at=cause.recorded_at,
                announced=ordinal in cause.announced,
            )
            for cause in self.listed
            for ordinal, crossing in cause.crossings
        ]
