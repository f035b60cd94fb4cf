"""The heaviest entries of accounts: as they keep them, or read from the lines of those of which only these tell."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.account import Account
from app.domain.policy import HalfLives
from app.domain.share import NOTHING_YET, Heavy, heaviest_among
from app.queries.entries import effective_by_account

if TYPE_CHECKING:
    from uuid import UUID


async def heaviest_in_each(
    tx: AsyncConnection, book: str, accounts: Sequence[Account], half_lives: HalfLives
) -> list[str]:
    """What each of these accounts keeps, or would if it knew, up to its own last entry; in order.

    No lines are read of one that knows, and in one query of all the others.
    """
    asked: defaultdict[UUID, set[int]] = defaultdict(set)
    for account in accounts:
        if account.heaviest is None:
            asked[account.account_id].add(account.sequence)
    found: dict[tuple[UUID, int], str] = {}
    if asked:
        async for account_id, lines in effective_by_account(tx, book, asked):
            for sequence in asked[account_id]:
                found[account_id, sequence] = heaviest_among(_left(lines, sequence), half_lives)
    return [
        found.get((each.account_id, each.sequence), NOTHING_YET) if each.heaviest is None else each.heaviest
        for each in accounts
    ]


def _left(lines: Sequence[tuple[Heavy, int | None]], sequence: int) -> Iterator[Heavy]:
    """Those up to a sequence that nothing up to it reversed."""
    for line, reversed_by in lines:
        if line.sequence <= sequence and (reversed_by is None or reversed_by > sequence):
            yield line
