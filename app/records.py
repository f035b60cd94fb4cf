"""What `rows` does, for the hot paths: a record holds a table's columns by place, in the order of `app/tables`.

Laid out by hand, since here a microsecond counts; a test holds each layout against its table.
"""

from functools import lru_cache
from typing import Any

from app.domain.account import Account, LastEffective
from app.domain.crossing import Crossing
from app.domain.entry import Entry, Head
from app.domain.instant import Instant
from app.domain.memory import Masses
from app.domain.policy import Memory
from app.domain.standing import Depth, Direction, Place, Standing
from app.rows import heaviest_of_column
from app.sql import Record, uuid_of

_account_id_of = lru_cache(maxsize=1)(uuid_of)  # lines often come account by account
_MEMORY = {each.value: each for each in Memory}
_DIRECTION = {each.value: each for each in Direction}
_PLACE = {
    (standing.value, depth.value if depth else None): Place(standing=standing, depth=depth)
    for standing in Standing
    for depth in (None, *Depth)
}


def head_of_record(record: Record) -> Head:
    """The head of a book; `record` is a row of `books`."""
    book, _created_at, position, last_hash, booked_at, tariff, policy, generation, replaying, replayed_to = record[:10]
    messages, _wrapped_key, clock_ahead = record[10:]
    return Head(
        book=book,
        position=position,
        hash=last_hash,
        booked_at=booked_at,
        tariff_version=tariff,
        policy_version=policy,
        generation=generation,
        replaying=bool(replaying),
        replayed_to=replayed_to,
        messages=messages,
        clock_ahead=clock_ahead,
    )


def wrapped_key_of_record(record: Record) -> bytes:
    """The book's own key, wrapped."""
    wrapped: bytes = record[11]
    return wrapped


def entry_of_record(record: Record) -> Entry:
    """One line of the ledger; `record` is a row of `entries`."""
    return Entry(
        position=record[1],
        account_id=_account_id_of(record[2]),
        sequence=record[3],
        entry_id=uuid_of(record[4]),
        kind=record[5],
        points=record[6],
        balance_after=record[7],
        value_at=record[8],
        booked_at=record[9],
        memory=_MEMORY[record[10]],
        source=record[11],
        external_id=record[12],
        tariff_version=record[13],
        api_key_id=record[14],
        reverses=uuid_of(record[15]),
        context=record[16],
        sealed=record[17],
        content_hash=record[18],
        hash=record[19],
        silent=bool(record[20]),
        carried=record[21],
    )


def entry_record(book: str, entry: Entry) -> Record:
    """The row of an entry."""
    return (
        book,
        entry.position,
        entry.account_id,
        entry.sequence,
        entry.entry_id,
        entry.kind,
        entry.points,
        entry.balance_after,
        entry.value_at,
        entry.booked_at,
        entry.memory.value,
        entry.source,
        entry.external_id,
        entry.tariff_version,
        entry.api_key_id,
        entry.reverses,
        entry.context,
        entry.sealed,
        entry.content_hash,
        entry.hash,
        entry.silent,
        entry.carried,
    )


def account_of_record(record: Record) -> Account:
    """An account as it is stored; `record` is a row of `accounts`."""
    _, _, account_id, opened_at, sequence, position, balance, *felt = record[:21]
    at, a, b, c, d, e, f, g, h, i, j, k, m, fresh = felt
    last_value_at, last_sequence, last_direction, last_entry_at, standing, depth, since = record[21:28]
    crossings, crossed_at, look_again_at, touched_at, segment, value, heaviest = record[28:35]
    return Account(
        account_id=uuid_of(account_id),
        opened_at=opened_at,
        sequence=sequence,
        position=position,
        balance=balance,
        masses=Masses(at, (a, b, c, d), (e, f, g, h), (i, j, k, m), fresh),
        last=None if last_sequence is None else LastEffective(last_value_at, last_sequence, _DIRECTION[last_direction]),
        last_entry_at=last_entry_at,
        place=_PLACE[standing, depth],
        standing_since=since,
        crossings=crossings,
        crossed_at=crossed_at,
        look_again_at=look_again_at,
        touched_at=touched_at,
        segment=segment,
        value=value,
        heaviest=heaviest_of_column(heaviest, sequence=sequence),
    )


def account_record(book: str, generation: int, account: Account) -> Record:
    """The row of an account that waits for no switch of the policy."""
    masses, last, place = account.masses, account.last, account.place
    return (
        book,
        generation,
        account.account_id,
        account.opened_at,
        account.sequence,
        account.position,
        account.balance,
        masses.at,
        *masses.credits,
        *masses.debits,
        *masses.big,
        masses.fresh,
        *((last.value_at, last.sequence, last.direction.value) if last else (None, None, None)),
        account.last_entry_at,
        place.standing.value,
        place.depth.value if place.depth else None,
        account.standing_since,
        account.crossings,
        account.crossed_at,
        account.look_again_at,
        account.touched_at,
        account.segment,
        account.value,
        account.heaviest and f"{account.sequence} {account.heaviest}",
        None,
        None,
    )


def crossing_record(
    book: str, account_id: Any, ordinal: int, crossing: Crossing, *, announced: bool, recorded_at: Instant | None
) -> Record:
    """The row of a crossing."""
    before, after = crossing.before, crossing.after
    return (
        book,
        account_id,
        ordinal,
        crossing.at,
        crossing.cause.value,
        before.standing.value,
        before.depth.value if before.depth else None,
        after.standing.value,
        after.depth.value if after.depth else None,
        crossing.position,
        announced,
        recorded_at,
    )
