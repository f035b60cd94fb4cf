"""What has to be known of accounts before anybody is told of them: what was told and booked just before."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable
from operator import itemgetter
from uuid import UUID

from app.domain.announcing import Told
from app.domain.entry import Entry, Head
from app.domain.instant import Instant
from app.domain.message import ACCOUNT_PREFIX, MessageType
from app.domain.standing import Depth
from app.records import entry_of_record
from app.sql import Record, Sql, Step, columns_of, uuid_of
from app.tables import entries

# Neither is asked for in order: an index that gives the order alone may look cheap, and it is that of the whole book.
_TOLD = Sql(
    "SELECT number, account_id, at, types, to_depth FROM messages"
    " WHERE book = :book AND account_id IN :account_ids AND at > :since AND types LIKE :about"
)
_OF_THESE = "a.book = :book AND a.generation = :generation AND a.account_id IN :account_ids"
_LAST = (
    "e.account_id = a.account_id AND e.sequence > a.sequence - :limit AND e.booked_at >= :since"
    " AND (e.points < 0 OR e.reverses IS NOT NULL)"
)
_LINES = columns_of(entries, "e")
_LAST_LINES = Sql(
    f"SELECT {_LINES} FROM accounts a JOIN entries e ON e.book = a.book AND {_LAST} WHERE {_OF_THESE}",  # noqa: S608 - ours
    # In the order of the indexes that lead to an account and to its lines: while a table is empty others look as cheap.
    on_postgres=f"SELECT {_LINES} FROM (SELECT a.account_id, a.sequence FROM accounts a WHERE {_OF_THESE}"  # noqa: S608 - of our own names
    " ORDER BY a.book, a.generation, a.account_id) a, LATERAL ("
    f"SELECT e.* FROM entries e WHERE e.book = :book AND {_LAST}"
    " ORDER BY e.book, e.account_id, e.sequence LIMIT :limit) e",
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
    for _, account_id, at, types, depth in sorted(rows, key=itemgetter(0)):
        told = Told(
            at=at, types=tuple(map(MessageType, json.loads(types))), depth=None if depth is None else Depth(depth)
        )
        found[uuid_of(account_id)].append(told)
    return found


def finding_last_lines(head: Head, account_ids: Collection[UUID], *, since: Instant, limit: int) -> Step:
    """The step that reads of the last `limit` lines of each of these accounts those booked at `since` or later that
    take points away, or a line out: no other matters to what was lost lately.

    Of an account that is not saved yet with its last lines, these come on top.
    """
    given = {"book": head.book, "generation": head.generation, "account_ids": list(account_ids)}
    return _LAST_LINES, {**given, "since": since, "limit": limit}


def lines_of(rows: Iterable[Record], posted: Iterable[Entry]) -> dict[UUID, list[Entry]]:
    """The lines of each account, in order; with those that were just posted, whether or not they were written yet."""
    lines = {entry.position: entry for entry in (*map(entry_of_record, rows), *posted)}
    found: dict[UUID, list[Entry]] = defaultdict(list)
    for _, entry in sorted(lines.items()):
        found[entry.account_id].append(entry)
    return found
