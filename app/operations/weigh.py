"""The heaviest entries of accounts: as they keep them, or read from the lines of those of which only these tell."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.account import Account
from app.domain.policy import HalfLives
from app.domain.share import NOTHING_YET, Heavy, heaviest_among, heaviest_in
from app.queries.entries import effective_by_account, reversals_of

_Asked = tuple[UUID, int]
"""An account as it was at one of its entries: its id, and the sequence."""


async def heaviest_in_each(
    tx: AsyncConnection, book: str, accounts: Sequence[Account], half_lives: HalfLives
) -> list[str]:
    """What each of these accounts keeps, or would if it knew, up to its own last entry; in order.

    No lines are read of one that knows, and in one query of all the others.
    """
    asked: defaultdict[UUID, dict[int, int]] = defaultdict(dict)
    for account in accounts:
        if account.heaviest is None:
            asked[account.account_id][account.sequence] = account.position
    found = await _found(tx, book, asked, half_lives) if asked else {}
    return [
        found.get((each.account_id, each.sequence), NOTHING_YET) if each.heaviest is None else each.heaviest
        for each in accounts
    ]


async def _found(
    tx: AsyncConnection, book: str, asked: Mapping[UUID, Mapping[int, int]], half_lives: HalfLives
) -> dict[_Asked, str]:
    """What the lines tell of each account at some of its entries, each given with its position."""
    found: dict[_Asked, str] = {}
    came: dict[_Asked, list[Heavy]] = {}
    async for each in effective_by_account(tx, book, asked):
        for sequence, position in asked[each.account_id].items():
            own = each.account_id, sequence
            found[own] = heaviest_among(_left(each.lines, sequence, position), half_lives)
            if by_then := [heavy for heavy in each.came if heavy.sequence <= sequence]:
                came[own] = [*heaviest_in(found[own]), *by_then]
    return found | await _with_what_came(tx, book, came, half_lives)


async def _with_what_came(
    tx: AsyncConnection, book: str, came: Mapping[_Asked, Sequence[Heavy]], half_lives: HalfLives
) -> dict[_Asked, str]:
    """Of what was merged into an account nothing says in one query which was reversed since."""
    gone = await reversals_of(tx, book, {UUID(each.entry_id) for heavies in came.values() for each in heavies})
    return {
        asked: heaviest_among((each for each in heavies if UUID(each.entry_id) not in gone), half_lives)
        for asked, heavies in came.items()
    }


def _left(lines: Sequence[tuple[Heavy, int | None]], sequence: int, position: int) -> Iterator[Heavy]:
    """Those up to a line that nothing up to it reversed; what was merged may be reversed on another account."""
    for line, reversed_by in lines:
        if line.sequence <= sequence and (reversed_by is None or reversed_by > position):
            yield line
