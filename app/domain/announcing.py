"""Which messages an account's causes are worth: pure, for the append, the clock, and law 6.

A *group* is what one append posts on one account; a crossing by time or by segment is a cause of its own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from app.domain.crossing import Crossing
from app.domain.entry import Entry
from app.domain.immutable import immutable
from app.domain.instant import DAY, Instant
from app.domain.interaction import SYSTEM_SOURCE
from app.domain.memory import Masses, fading, felt_at
from app.domain.merging import MERGED_FROM, is_merged
from app.domain.message import ACCOUNT_TYPES, MessageType, by_gravity
from app.domain.policy import MEMORIES, Memory, Policy
from app.domain.promise import STEP_PREFIX
from app.domain.standing import Depth, Place, Standing

LATELY = DAY
LATELY_ENTRIES_MAX = 200  # so that no posting ever reads more of an account, however busy that is
DROPPED_POINTS = -30
TINY = 1e-6  # of points, more than float noise

_WELL = frozenset({Standing.STEADY, Standing.ABOUT_TO_BE_DELIGHTED, Standing.DELIGHTED})
_ALARMING = (None, Depth.SLIGHT, Depth.MARKED, Depth.DEEP)
"""From the mildest to the worst; above water comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An earlier message of the account, as far as quiet goes: `depth` is the one in which it ended."""

    at: Instant
    types: tuple[MessageType, ...]
    depth: Depth | None


@immutable
class Group:
    """What one append posted on one account: `entries` in order, one at least, of one `booked_at`.

    `lately` is what was booked before on the account within LATELY, at most the last LATELY_ENTRIES_MAX of its lines,
    in order; `crossings` are those that the entries caused; `after` is where the account is now.
    """

    entries: Sequence[Entry]
    lately: Sequence[Entry]
    crossings: Sequence[Crossing]
    after: Place

    @property
    def booked_at(self) -> Instant:
        """The group's one instant."""
        return self.entries[-1].booked_at


def group_types(group: Group, told: Sequence[Told], policy: Policy) -> tuple[MessageType, ...]:
    """The types of the one message that the group is worth, gravest first; none if it is worth none.

    `told` are the account's messages in order, those of the last `quiet_for` at least.
    """
    fresh = [entry for entry in group.entries if is_announceable(entry, policy)]
    if not fresh:
        return ()
    standing = _unreversed(fresh, group.entries)
    found = [
        *([MessageType.DEBIT_DEEP] if any(map(_is_deep_debit, standing)) else []),
        *([MessageType.PROMISE_BROKEN] if any(map(_is_broken_promise, standing)) else []),
        *([MessageType.BALANCE_DROPPED] if _dropped(group, policy) else []),
        *_moved_types(group, policy),
        *_merged_types(fresh),
    ]
    return _but_quiet(found, told, policy, at=group.booked_at, depth=group.after.depth)


def crossing_types(
    crossing: Crossing, recorded_at: Instant | None, told: Sequence[Told], policy: Policy
) -> tuple[MessageType, ...]:
    """The types of the message that a crossing by time or by segment is worth; none for one of history."""
    if recorded_at is None or recorded_at - crossing.at > policy.alert_within:
        return ()
    return _but_quiet(_way_types([crossing]), told, policy, at=crossing.at, depth=crossing.after.depth)


def is_announceable(entry: Entry, policy: Policy) -> bool:
    """Whether an entry may be told of at all: it was booked live, and soon after it mattered."""
    return not entry.silent and entry.booked_at - entry.value_at <= policy.alert_within


def causing(group: Group, policy: Policy) -> tuple[Entry, ...]:
    """The entries that the group's message is about, in order: those announceable that the group leaves standing."""
    fresh = [entry for entry in group.entries if is_announceable(entry, policy)]
    gone = {entry.reverses for entry in group.entries}
    here = {entry.entry_id for entry in group.entries}
    left = [entry for entry in fresh if entry.points and entry.entry_id not in gone and entry.reverses not in here]
    return tuple(left or fresh)


def counting(group: Group, policy: Policy) -> list[Crossing]:
    """Those of the group's crossings that may be told of."""
    if is_merged(group.entries):
        return []
    positions = {entry.position for entry in group.entries if is_announceable(entry, policy)}
    return [crossing for crossing in group.crossings if crossing.position in positions]


def may_have_dropped(entries: Sequence[Entry], before: Masses, policy: Policy) -> bool:
    """Whether what was booked lately on the account matters to the group of these entries; one at least.

    What counts of that mattered so lately that it is felt still: more of it than `before` holds there cannot be.
    """
    debits = sum(entry.points for entry in entries if _is_debit(entry) and is_announceable(entry, policy))
    left = min(fading(policy.half_lives.of(memory), policy.alert_within + LATELY) for memory in MEMORIES)
    felt = felt_at(before, policy.half_lives, entries[-1].booked_at).debits
    return debits < 0 and debits * left - felt < DROPPED_POINTS * left + TINY


def _moved_types(group: Group, policy: Policy) -> list[MessageType]:
    """What the group's whole way is called, as far as the entries that may be told of go that way too.

    So what a stale entry of the same append did is neither told nor kept silent about by calling it the opposite.
    """
    if not group.crossings or is_merged(group.entries):
        return []
    fresh = _way_types(counting(group, policy))
    return [each for each in _way_types(group.crossings) if each in fresh]


def _merged_types(entries: Iterable[Entry]) -> list[MessageType]:
    """What is told of the account that another was merged into, wherever that leaves it."""
    kinds = {entry.reverses is None for entry in entries if entry.kind == MERGED_FROM}
    types = {True: MessageType.ACCOUNT_MERGED, False: MessageType.ACCOUNT_UNMERGED}
    return [types[is_merge] for is_merge in kinds]


def _way_types(crossings: Sequence[Crossing]) -> list[MessageType]:
    """What the way from before the first to after the last of these crossings is called."""
    if not crossings:
        return []
    before, after = crossings[0].before, crossings[-1].after
    found: list[MessageType] = []
    if after.depth in (Depth.MARKED, Depth.DEEP) and _is_worse(after.depth, before.depth):
        found.append(MessageType.ACCOUNT_OVERDRAWN)
    if before.standing is Standing.OVERDRAWN and after.standing in _WELL:
        found.append(MessageType.ACCOUNT_RECOVERED)
    if after.standing is not before.standing:
        found += _arrived(before.standing, after.standing)
        found = found or [MessageType.ACCOUNT_STANDING_CHANGED]
    return found


def _arrived(before: Standing, after: Standing) -> list[MessageType]:
    if after is Standing.DELIGHTED:
        return [MessageType.ACCOUNT_DELIGHTED]
    if after is Standing.ABOUT_TO_BE_DELIGHTED and before is not Standing.DELIGHTED:
        return [MessageType.ACCOUNT_ABOUT_TO_BE_DELIGHTED]
    return []


def _is_worse(depth: Depth | None, than: Depth | None) -> bool:
    return _ALARMING.index(depth) > _ALARMING.index(than)


def _is_deep_debit(entry: Entry) -> bool:
    return entry.memory is Memory.DEEP and _is_debit(entry)


def _is_broken_promise(entry: Entry) -> bool:
    """What takes a step out again has points above 0."""
    is_step = entry.source == SYSTEM_SOURCE and (entry.external_id or "").startswith(STEP_PREFIX)
    return is_step and entry.points < 0


def _is_debit(entry: Entry) -> bool:
    return entry.is_effective and entry.points < 0


def _dropped(group: Group, policy: Policy) -> bool:
    """Whether the debits of the last day pass DROPPED_POINTS with this group; above it they may pass it again."""
    if _debits(group.entries, policy) == 0:
        return False
    since = group.booked_at - LATELY
    lately = [entry for entry in group.lately if entry.booked_at >= since]
    before, after = (_debits(entries, policy) for entries in (lately, [*lately, *group.entries]))
    return before > DROPPED_POINTS >= after


def _debits(entries: Sequence[Entry], policy: Policy) -> int:
    standing = _unreversed(entries, entries)
    return sum(entry.points for entry in standing if _is_debit(entry) and is_announceable(entry, policy))


def _unreversed(entries: Iterable[Entry], among: Iterable[Entry]) -> list[Entry]:
    gone = {entry.reverses for entry in among}
    return [entry for entry in entries if entry.entry_id not in gone]


def _but_quiet(
    types: Iterable[MessageType], told: Sequence[Told], policy: Policy, *, at: Instant, depth: Depth | None
) -> tuple[MessageType, ...]:
    """What is left once everything is quiet that a message told of just now, unless the depth has worsened since."""
    return by_gravity(each for each in types if not _is_quiet(each, told, policy, at=at, depth=depth))


def _is_quiet(each: MessageType, told: Sequence[Told], policy: Policy, *, at: Instant, depth: Depth | None) -> bool:
    if each not in ACCOUNT_TYPES:
        return False
    just_now = takewhile(lambda message: at - message.at < policy.quiet_for, reversed(told))
    latest = next((message for message in just_now if each in message.types), None)
    return latest is not None and not _is_worse(depth, latest.depth)
