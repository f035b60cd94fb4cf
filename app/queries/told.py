"""What has to be known of accounts before anybody is told of them: what was told and booked just before."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable
from uuid import UUID

from app.domain.announcing import Told
from app.domain.entry import Entry, Head
from app.domain.instant import Instant
from app.domain.message import ACCOUNT_PREFIX, MessageType
from app.domain.standing import Depth
from app.records import entry_of_record
from app.sql import Record, Sql, Step, columns_of, uuid_of
from app.tables import entries

_TOLD = Sql(
    "SELECT account_id, at, types, to_depth FROM messages"
    " WHERE book = :book AND account_id IN :account_ids AND at > :since AND types LIKE :about ORDER BY number"
)
_LAST_LINES = Sql(
    f"SELECT {columns_of(entries, 'e')} FROM accounts a"  # noqa: S608 - of our own columns
    " JOIN entries e ON e.book = a.book AND e.account_id = a.account_id AND e.sequence > a.sequence - :limit"
    " WHERE a.book = :book AND a.generation = :generation AND a.account_id IN :account_ids"
    " AND e.booked_at >= :since ORDER BY e.position"
)


def finding_told(head: Head, account_ids: Collection[UUID], *, since: Instant) -> Step:
    """The step that reads the messages of these accounts that tell of a place and whose cause lies after `since`.

    Others are never quiet and silence nobody, and a busy account may have thousands.
    """
    about = f'%"{ACCOUNT_PREFIX}%'
    return _TOLD, {"book": head.book, "account_ids": list(account_ids), "since": since, "about": about}


def told_of(rows: Iterable[Record]) -> dict[UUID, list[Told]]:
    """What each account was told, in order."""
    found: dict[UUID, list[Told]] = defaultdict(list)
    for account_id, at, types, depth in rows:
        told = Told(
            at=at, types=tuple(map(MessageType, json.loads(types))), depth=None if depth is None else Depth(depth)
        )
        found[uuid_of(account_id)].append(told)
    return found


def finding_last_lines(head: Head, account_ids: Collection[UUID], *, since: Instant, limit: int) -> Step:
    """The step that reads of the last `limit` lines of each of these accounts those booked at `since` or later.

    Requires the accounts to be stored with their last lines.
    """
    given = {"book": head.book, "generation": head.generation, "account_ids": list(account_ids)}
    return _LAST_LINES, {**given, "since": since, "limit": limit}


def lines_of(rows: Iterable[Record]) -> dict[UUID, list[Entry]]:
    """The lines of each account, in order."""
    found: dict[UUID, list[Entry]] = defaultdict(list)
    for row in rows:
        entry = entry_of_record(row)
        found[entry.account_id].append(entry)
    return found
