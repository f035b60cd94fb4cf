"""What a verification has to look at, in parts that can be checked by themselves, in any order and several at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.entry import Head
from app.domain.remembered import Halfway, Mark, Remembered, mark_of
from app.queries.audit_since import touched_since

PART_ENTRIES = 20_000
"""A part takes a second or less, so that little is done again after a run that was cut off."""
PART_ACCOUNTS = 500
NO_ACCOUNT, ACCOUNT_IDS = UUID(int=0), 1 << 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """The ledger's lines after a position (None: from the first on), up to and with another (None: to the last)."""

    after: int | None
    up_to: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """The accounts whose ids are not below one and below another; None where the id does not matter."""

    first: UUID | None
    below: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """These accounts. All with ids under `below` are done once this and the parts before are; None for a repetition."""

    account_ids: tuple[UUID, ...]
    below: UUID | None


Part = Lines | Accounts | Named


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The parts in order; what is known once the first `known_after` of them are done, from `halfway` on.

    `since` is where the book stood when it was last found sound, if only what is newer is looked at.
    """

    parts: Sequence[Part]
    halfway: Halfway | None
    known_after: int
    since: Mark | None = None
    resumed: Halfway | None = None


def full_plan(count: int) -> Plan:
    """Everything of a book of so many entries, with nothing to remember halfway."""
    return Plan(parts=[*_lines(None, count), *_accounts(None, count)], halfway=None, known_after=0)


async def plan_since(tx: AsyncConnection, head: Head, count: int, remembered: Remembered) -> Plan:
    """What is newer than what is remembered, which must hold; all accounts if there is another policy since."""
    since, halfway = remembered.sound, remembered.halfway
    begun = Halfway(mark=mark_of(head), is_whole=since is None, lines=0, lines_hash=b"", accounts=NO_ACCOUNT)
    again: list[UUID] = []
    lines, first = since.position if since else None, NO_ACCOUNT
    if halfway is not None:
        lines, first = halfway.lines, halfway.accounts
        again = [each for each in await _touched(tx, head, halfway.mark) or () if each < first]
        if halfway.mark.policy_version != head.policy_version:
            first = NO_ACCOUNT
        begun = replace(halfway, mark=mark_of(head), accounts=first)
    elif since is not None:
        begun = replace(begun, lines=since.position, lines_hash=since.hash)
    touched = None if since is None else await _touched(tx, head, since)
    accounts: Iterator[Part] = (
        _accounts(first if first.int else None, count)
        if touched is None
        else _named([each for each in touched if each >= first])
    )
    repeated = [replace(part, below=None) for part in _named(again)]
    return Plan(
        parts=[*repeated, *_lines(lines, count), *accounts],
        halfway=begun,
        known_after=len(repeated),
        since=since,
        resumed=halfway,
    )


async def _touched(tx: AsyncConnection, head: Head, mark: Mark) -> list[UUID] | None:
    """The ids in order; None for all, as a policy touches every account."""
    return None if mark.policy_version != head.policy_version else await touched_since(tx, head.book, mark)


def _lines(after: int | None, count: int) -> Iterator[Lines]:
    """By how many there are: a forged position may be any."""
    bounds = [after, *range((after or 0) + PART_ENTRIES, count, PART_ENTRIES), None]
    for begin, end in pairwise(bounds):
        yield Lines(after=begin, up_to=end)


def _accounts(first: UUID | None, count: int) -> Iterator[Accounts]:
    """Ids are random, so that equal ranges hold about as many."""
    ranges = 1 + count // PART_ENTRIES
    bounds = [UUID(int=ACCOUNT_IDS // ranges * n) for n in range(1, ranges)]
    for begin, end in pairwise([first, *(bound for bound in bounds if first is None or bound > first), None]):
        yield Accounts(first=begin, below=end)


def _named(account_ids: Sequence[UUID]) -> Iterator[Named]:
    for begin in range(0, len(account_ids), PART_ACCOUNTS):
        end = begin + PART_ACCOUNTS
        below = account_ids[end] if end < len(account_ids) else UUID(int=ACCOUNT_IDS - 1)
        yield Named(account_ids=tuple(account_ids[begin:end]), below=below)
