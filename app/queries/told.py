"""What has to be known of accounts before anybody is told of them: what was told and booked just before."""

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.announcing import Told
from app.domain.entry import Entry
from app.domain.instant import Instant
from app.domain.message import ACCOUNT_PREFIX
from app.rows import entry_of, told_of_row
from app.tables import accounts, current_accounts, entries, messages


async def told_of(
    tx: AsyncConnection, book: str, account_ids: Collection[UUID], *, since: Instant
) -> dict[UUID, list[Told]]:
    """The messages of these accounts that tell of a place and whose cause lies after `since`, in order.

    Others are never quiet and silence nobody, and a busy account may have thousands.
    """
    found: dict[UUID, list[Told]] = defaultdict(list)
    if not account_ids:
        return found
    own = messages.c
    query = select(own.account_id, own.at, own.types, own.to_depth).where(
        own.book == book,
        own.account_id.in_(account_ids),
        own.at > since,
        own.types.contains(f'"{ACCOUNT_PREFIX}', autoescape=True),
    )
    for row in (await tx.execute(query.order_by(own.number))).mappings():
        found[row["account_id"]].append(told_of_row(row))
    return found


async def last_lines_of(
    tx: AsyncConnection, book: str, account_ids: Collection[UUID], *, since: Instant, limit: int
) -> dict[UUID, list[Entry]]:
    """Of the last `limit` lines of each of these accounts those booked at `since` or later, in order.

    Requires the accounts to be stored with their last lines.
    """
    found: dict[UUID, list[Entry]] = defaultdict(list)
    if not account_ids:
        return found
    of_account = and_(current_accounts(book), accounts.c.account_id == entries.c.account_id)
    query = (
        select(entries)
        .join_from(entries, accounts, of_account)
        .where(
            entries.c.book == book,
            entries.c.account_id.in_(account_ids),
            entries.c.sequence > accounts.c.sequence - limit,
            entries.c.booked_at >= since,
        )
    )
    for row in (await tx.execute(query.order_by(entries.c.position))).mappings():
        found[row["account_id"]].append(entry_of(row))
    return found
