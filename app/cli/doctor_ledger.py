"""The doctor looks into the books: keys, master key, clock, and replays that were cut off."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from app.cli.doctor_check import Check, fail, ok, warn
from app.domain.api_key import ApiKey
from app.domain.entry import Head
from app.domain.errors import MasterKeyMismatch
from app.domain.instant import DAY, SECOND, Instant, moment_of
from app.main import clock
from app.operations.record import BEHIND_MAX
from app.queries.heads import all_heads
from app.queries.keys import keys_of_all_books
from app.sealing.keys import MasterKey, book_place
from app.sealing.master_key import FILE_NAME, parsed_master_key, read_master_key
from app.settings import Settings

EXPIRES_SOON_DAYS = 14


async def ledger_checks(settings: Settings, tx: AsyncConnection, *, is_sqlite: bool) -> list[Check]:
    """What the books say. Requires the schema of this release."""
    now, books, keys = clock(), await all_heads(tx), await keys_of_all_books(tx)
    heads = [head for head, _ in books]
    return [
        *_master_key(settings, books, is_sqlite=is_sqlite),
        *_keys(keys, now),
        *_clock(heads, now),
        *_replays(heads),
    ]


def _master_key(settings: Settings, books: Sequence[tuple[Head, bytes]], *, is_sqlite: bool) -> list[Check]:
    try:
        master_key = _found(settings, is_sqlite=is_sqlite)
    except (MasterKeyMismatch, OSError, ValueError) as error:
        return [fail("master key", str(error), _restore(settings))]
    if master_key is None:
        return _no_master_key(settings, has_books=bool(books), is_sqlite=is_sqlite)
    closed = [head.book for head, wrapped in books if not _opens(master_key, head.book, wrapped)]
    if closed:
        return [fail("master key", f"does not open {', '.join(closed)}", _restore(settings))]
    opened = f"opens {_many(len(books), 'book')}" if books else "has no book to open yet"
    return [ok("master key", f"{_place(settings)} {opened}"), *_mode(settings)]


def _found(settings: Settings, *, is_sqlite: bool) -> MasterKey | None:
    if settings.master_key is not None:
        found: MasterKey | None = parsed_master_key(settings.master_key.get_secret_value())
    else:
        found = read_master_key(settings.key_folder) if is_sqlite else None
    return found and replace(found, others=settings.other_secrets)


def _no_master_key(settings: Settings, *, has_books: bool, is_sqlite: bool) -> list[Check]:
    if not is_sqlite:
        return [fail("master key", "GOODWILL_MASTER_KEY is not set", _restore(settings))]
    if has_books:
        return [
            fail("master key", f"{FILE_NAME} is not beside the database, which holds sealed data", _restore(settings))
        ]
    return [ok("master key", "made at the first start")]


def _mode(settings: Settings) -> list[Check]:
    path = settings.key_folder / FILE_NAME
    if settings.master_key is not None or not path.exists():
        return []
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        return [fail("master key", f"others may read {path} (mode {mode:o})", f"chmod 600 {path}")]
    return []


def _keys(keys: Sequence[ApiKey], now: Instant) -> list[Check]:
    live = [key for key in keys if key.is_live(now)]
    soon = [key for key in live if key.expires_at is not None and key.expires_at - now < EXPIRES_SOON_DAYS * DAY]
    checks = [
        warn(
            "keys",
            f"key {key.key_id} ({key.name}, book {key.book}) expires on {_day(key.expires_at or now)}",
            f"goodwill keys create --book {key.book}, hand it out, then revoke this one",
        )
        for key in soon
    ]
    if not live:
        says = "no API key exists" if not keys else "every API key is revoked or expired"
        return [warn("keys", says, "goodwill keys create")]
    return [ok("keys", f"{_many(len(live), 'live key')} of {_many(len({key.book for key in live}), 'book')}"), *checks]


def _clock(heads: Sequence[Head], now: Instant) -> list[Check]:
    gaps = [(head.book, head.booked_at - head.clock_ahead - now) for head in heads]
    ahead = [(book, gap) for book, gap in gaps if gap > 0]
    late = [(book, gap) for book, gap in ahead if gap > BEHIND_MAX]
    if late:
        book, gap = max(late, key=lambda pair: pair[1])
        says = f"this machine is {gap / SECOND:,.0f} s behind the last entry of {book}: live posts are refused"
        return [fail("clock", says, "set it right (NTP); if it is right now, wait until it has passed that entry")]
    if ahead:
        says = f"up to {max(gap for _, gap in ahead) / SECOND:.1f} s behind the last entry"
        return [warn("clock", says, "synchronise it (NTP): beyond 60 s live posts are refused")]
    return [ok("clock", "not behind the last entry of any book")]


def _replays(heads: Sequence[Head]) -> list[Check]:
    return [
        fail(
            "replay",
            f"{head.book} is replaying history and takes no live posts",
            "if nothing is importing just now, it was cut off: run the same import --replay, or demo, again",
        )
        for head in heads
        if head.replaying
    ]


def _opens(master_key: MasterKey, book: str, wrapped: bytes) -> bool:
    try:
        master_key.unwrap(wrapped, book_place(book))
    except MasterKeyMismatch:
        return False
    return True


def _restore(settings: Settings) -> str:
    return f"restore the master key of this database to {_place(settings)}; a new one would not open what is there"


def _place(settings: Settings) -> str | Path:
    is_embedded = settings.master_key is None and settings.url.startswith("sqlite")
    return settings.key_folder / FILE_NAME if is_embedded else "GOODWILL_MASTER_KEY"


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _day(instant: Instant) -> str:
    return f"{moment_of(instant):%Y-%m-%d}"
