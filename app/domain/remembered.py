"""What is remembered of a book that was verified: where it stood, and how far a verification came that was cut off.

Kept elsewhere it shows what no chain can show by itself: a tail that was cut, a ledger written anew, an older backup.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from app.domain.audit import Finding
from app.domain.entry import Head
from app.domain.instant import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Where a book stood; `messages` is the number of its last message."""

    position: int
    hash: bytes
    booked_at: Instant
    policy_version: int
    messages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Halfway:
    """How far a verification came that began at `mark` and was cut off, sound so far.

    The lines up to the position `lines`, whose hash is `lines_hash`, and the accounts with ids below `accounts`; of all
    there is if it `is_whole`, else of what was new.
    """

    mark: Mark
    is_whole: bool
    lines: int
    lines_hash: bytes
    accounts: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What is remembered of a book: where it stood when it was last found sound, and what was begun since.

    `noted` is where it stood when somebody looked who did not verify, as a backup does.
    """

    noted: Mark | None = None
    sound: Mark | None = None
    halfway: Halfway | None = None

    @property
    def whole(self) -> "Remembered":
        """What counts for a verification of everything: only what another of everything had done already."""
        return Remembered(halfway=self.halfway if self.halfway and self.halfway.is_whole else None)

    @property
    def going_on(self) -> "Remembered":
        """What counts for a verification that goes on: as the one that was cut off, or from the last sound head."""
        return self.whole if self.halfway and self.halfway.is_whole else self

    @property
    def hashes(self) -> dict[int, bytes]:
        """The hash of each position that is remembered; the genesis of an empty book is no entry's."""
        known = {mark.position: mark.hash for mark in (self.noted, self.sound) if mark is not None}
        if self.halfway is not None:
            known[self.halfway.lines] = self.halfway.lines_hash
        return {position: own for position, own in known.items() if position > 0}


def mark_of(head: Head) -> Mark:
    """Where a book stands."""
    return Mark(**{name: getattr(head, name) for name in Mark.__dataclass_fields__})


def remembered_findings(known: Mapping[int, bytes], stored: Mapping[int, bytes], last: int) -> Iterator[Finding]:
    """What is remembered and does not hold; `stored` are the hashes at those positions now, `last` the last of all."""
    for position, own in sorted(known.items()):
        where = f"position {position}"
        if position not in stored:
            what = (
                f"It is remembered, and is gone; the last line is at position {last}: "
                "the tail was cut, or an older backup was put in its place."
            )
            yield Finding(law=3, where=where, what=what)
        elif stored[position] != own:
            what = (
                "It has another hash than is remembered: the ledger was written anew, or went on from an older backup."
            )
            yield Finding(law=3, where=where, what=what)
