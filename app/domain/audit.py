"""Laws 1 and 3 as checks on what is stored: each breach becomes a finding."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from app.domain.api_key import is_sandbox
from app.domain.chain import genesis
from app.domain.entry import Head
from app.domain.instant import Instant
from app.domain.interaction import EARLIEST

LAWS = {
    1: "positions and sequences are gapless, booked_at never falls",
    2: "every balance is the one before plus the points",
    3: "the chain recomputes, and what is sealed opens",
    4: "the masses equal the fold and the brute-force sum",
    5: "the crossings, standings and promises equal the fold",
    6: "every message that the fold implies exists once",
}
"""The laws of DESIGN section 7 that can be checked on a live book."""

CORRUPT = (AssertionError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What may be raised on the way by a row that no append ever wrote."""


class LedgerBroken(Exception):
    """The entries themselves are not what was appended: no projection can be made of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A breach of a law: `where` names the row ("position 17"), `what` is a sentence about it."""

    law: int
    where: str
    what: str


class Link(NamedTuple):
    """What a line of the ledger hands on to the next."""

    position: int
    hash: bytes
    booked_at: Instant


def first_link(book: str) -> Link:
    """What the first line of a book continues."""
    return Link(position=0, hash=genesis(book), booked_at=EARLIEST)


def line_findings(before: Link, line: Link, canonical: bytes) -> Iterator[Finding]:
    """What is wrong with a line that follows `before`, as it is stored."""
    where = f"position {line.position}"
    if line.position != before.position + 1:
        yield Finding(law=1, where=where, what=f"The line before it is position {before.position}: some are missing.")
    if line.booked_at < before.booked_at:
        yield Finding(law=1, where=where, what="It is booked earlier than the line before it.")
    if sha256(before.hash + canonical).digest() != line.hash:
        yield Finding(law=3, where=where, what="Its hash is not that of the line before it and its own content.")


def head_findings(head: Head, last: Link) -> Iterator[Finding]:
    """What is wrong with a book's head, `last` being the last line of its ledger."""
    if head.position != last.position:
        what = f"It says that the last position is {head.position}; the last line is at {last.position}."
        yield Finding(law=3, where="head", what=what)
    if head.hash != last.hash:
        yield Finding(law=3, where="head", what="Its hash is not that of the last line.")
    if head.booked_at < last.booked_at:
        yield Finding(law=1, where="head", what="Its booked_at is earlier than that of the last line.")
    if head.replayed_to > head.position:
        what = f"History is said to be replayed up to position {head.replayed_to}, beyond the last one."
        yield Finding(law=1, where="head", what=what)
    if head.clock_ahead and not is_sandbox(head.book):
        yield Finding(law=1, where="head", what="Its clock is not the real one, and it is no sandbox.")
