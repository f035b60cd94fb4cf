"""The lines of all accounts that were ever merged with one: what a check or a fold of it may have to look at."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.entry import Entry
from app.domain.merging import carried_of
from app.queries.ledger_lines import entries_by_account
from app.rows import entry_of
from app.tables import entries

Kin = dict[UUID, list[Entry]]
"""The lines of each account, by sequence."""


async def kin_of(tx: AsyncConnection, book: str, own: Sequence[Entry]) -> Kin:
    """The account of these lines, all that it has, and every other one that a merge leads to from there."""
    kin: Kin = {own[0].account_id: [*own]}
    asked = _named(own) - kin.keys()
    while asked:
        found = {lines[0].account_id: lines async for lines in entries_by_account(tx, book, account_ids=asked)}
        kin |= found
        asked = {each for lines in found.values() for each in _named(lines)} - kin.keys()
    return kin


async def kin_of_each(tx: AsyncConnection, book: str, accounts: Iterable[Sequence[Entry]]) -> dict[UUID, Kin]:
    """Of the accounts that were ever merged; read once for all that were merged with one another."""
    kin: dict[UUID, Kin] = {}
    for own in accounts:
        if own[0].account_id not in kin and any(entry.carried is not None for entry in own):
            found = await kin_of(tx, book, own)
            kin |= dict.fromkeys(found, found)
    return kin


async def carrying_lines(tx: AsyncConnection, book: str) -> list[Entry]:
    """All lines of a book that carry something, by position."""
    query = select(entries).where(entries.c.book == book, entries.c.carried.is_not(None))
    return [entry_of(row) for row in (await tx.execute(query.order_by(entries.c.position))).mappings()]


def _named(lines: Sequence[Entry]) -> set[UUID]:
    carried = [carried_of(line.carried) for line in lines if line.carried is not None]
    return {each.source for each in carried} | {each.into for each in carried}
