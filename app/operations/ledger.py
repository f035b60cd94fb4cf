"""What every operation is handed by the root: the database, the master key, the clock and chance."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import Database
from app.domain.account import Account
from app.domain.api_key import ApiKey
from app.domain.checkpoint import Rhythm
from app.domain.entry import Head
from app.domain.instant import SECOND, Instant
from app.domain.policy import Policy, PolicyHistory, PolicySwitch
from app.domain.policy_document import parse_policy
from app.domain.promise import Promise
from app.domain.tariff import Tariff
from app.domain.tariff_document import parse_tariff
from app.queries.books import policy_document, policy_switches, tariff_document
from app.sealing.keys import Entropy, Key, MasterKey, book_place
from app.traces import NO_TRACES, Traces
from app.webhooks.guard import Resolve
from app.webhooks.resolve import SystemResolver

_Name = TypeVar("_Name")
_Value = TypeVar("_Value")

BREATH_SECONDS = 0.005  # between two batches: on SQLite another process gets the file only in a gap
TESTS_AT_ONCE_MAX = 8  # messages sent for a test; more wait for these
CLOCK_SLEEP_MAX = 5 * SECOND  # what another process posted is seen by then; until then it is late, never wrong
BOOKS_KEPT_MAX = 1_000
KEYS_KEPT_MAX = 1_000  # callers' keys; they are kept for a second
RULES_KEPT_MAX = 1_000  # versions never change, so keeping them costs memory only


@dataclass(frozen=True, slots=True)
class OpenKey:
    """A key that was looked up lately, and until when that is held to be so, on the clock of the event loop."""

    key: ApiKey
    until: float


@dataclass(frozen=True, slots=True)
class BookKey:
    """A book's own key, and as it is kept in the book. A sandbox that was emptied has another."""

    wrapped: bytes
    key: Key


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The services of one process. `now` reads the real clock, `new_id` and `entropy` are chance.

    `soon_due` is set when this process wrote something that is due sooner than a sleeping clock would look,
    `soon_deliver` when it wrote deliveries; `owed` holds the number of each book's last message that is owed to
    anyone, whether or not it is committed. `testing` bounds what is sent for a test at once. `allow_loopback`: whether
    a webhook may be on this machine; `resolve` finds the addresses of its name. `rhythm` says when a checkpoint is due.
    `open_keys`, by hashed credentials, are those that were looked up lately; `book_keys` are those that books had when
    they were read last.
    """

    database: Database
    master_key: MasterKey
    now: Callable[[], Instant]
    new_id: Callable[[], UUID]
    entropy: Entropy
    new_ordered_id: Callable[[], UUID] | None = None
    soon_due: asyncio.Event = field(default_factory=asyncio.Event)
    soon_deliver: asyncio.Event = field(default_factory=asyncio.Event)
    owed: dict[str, int] = field(default_factory=dict[str, int])
    testing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(TESTS_AT_ONCE_MAX))
    allow_loopback: bool = False
    resolve: Resolve = field(default_factory=SystemResolver)
    rhythm: Rhythm = Rhythm()  # noqa: RUF009 - it is frozen
    tariffs: dict[tuple[str, int], Tariff] = field(default_factory=dict[tuple[str, int], Tariff])
    policies: dict[tuple[str, int], Policy] = field(default_factory=dict[tuple[str, int], Policy])
    open_keys: dict[bytes, OpenKey] = field(default_factory=dict[bytes, OpenKey])
    book_keys: dict[str, BookKey] = field(default_factory=dict[str, BookKey])
    traces: Traces = NO_TRACES

    def new_line_id(self) -> UUID:
        """An id for what is written in order and never moves: one that sorts so, where the root hands such in."""
        return (self.new_ordered_id or self.new_id)()

    def keep_open(self, credentials: bytes, key: ApiKey, *, until: float) -> None:
        """Let the credentials, hashed, open the key until then, on the clock of the event loop, without a look."""
        _keep(self.open_keys, credentials, OpenKey(key, until), most=KEYS_KEPT_MAX)

    def keep_book_key(self, book: str, wrapped: bytes) -> BookKey:
        """Open a book's own key, and keep it; MasterKeyMismatch if the master key does not open it."""
        opened = BookKey(wrapped, self.master_key.unwrap(wrapped, book_place(book)))
        _keep(self.book_keys, book, opened, most=BOOKS_KEPT_MAX)
        return opened

    def present(self, head: Head) -> Instant:
        """The present instant of a book: a sandbox may be ahead of the clock. For a write, of the locked head."""
        return self.now() + head.clock_ahead


def announce_due(ledger: Ledger, head: Head, saved: Iterable[Account], promises: Iterable[Promise] = ()) -> None:
    """Wake this process's clock if one of these, once committed, is due before it would look by itself."""
    soon = ledger.present(head) + CLOCK_SLEEP_MAX
    dues = [*(account.look_again_at for account in saved), *(promise.next_step_at for promise in promises)]
    if any(due_at is not None and due_at < soon for due_at in dues):
        ledger.soon_due.set()


def announce_messages(ledger: Ledger, before: Head, after: Head) -> None:
    """Wake this process's deliverer if between these heads messages were written, and are committed, that are owed."""
    if after.messages > before.messages and ledger.owed.get(after.book, 0) > before.messages:
        ledger.soon_deliver.set()


def new_generation(ledger: Ledger) -> int:
    """A number for a generation of accounts, by chance: so that none is ever taken for one that is being swept away."""
    return ledger.new_id().int >> 65  # 63 bits, as many as a BIGINT has for us


async def tariff_in_force(ledger: Ledger, tx: AsyncConnection, book: str, version: int) -> Tariff:
    """One version of a book's tariff, compiled; read once a process."""
    known = ledger.tariffs.get((book, version))
    if known is None:
        # Compiling takes up to seconds: the event loop has better things to do meanwhile.
        known = await asyncio.to_thread(parse_tariff, await tariff_document(tx, book, version))
        _keep(ledger.tariffs, (book, version), known, most=RULES_KEPT_MAX)
    return known


async def policy_in_force(ledger: Ledger, tx: AsyncConnection, book: str, version: int) -> Policy:
    """One version of a book's policy; read once a process."""
    known = ledger.policies.get((book, version))
    if known is None:
        document = await policy_document(tx, book, version)
        if document is None:
            raise LookupError(f"the book has no version {version} of the policy")
        known = parse_policy(document, version)
        _keep(ledger.policies, (book, version), known, most=RULES_KEPT_MAX)
    return known


async def policy_history(ledger: Ledger, tx: AsyncConnection, book: str, *, up_to: int) -> PolicyHistory:
    """Every policy that a book had up to a version, with its switches: what a fold needs."""
    switches = [
        PolicySwitch(
            policy=await policy_in_force(ledger, tx, book, version), from_position=from_position, adopted_at=adopted_at
        )
        for version, from_position, adopted_at in await policy_switches(tx, book, up_to=up_to)
    ]
    if not switches or switches[-1].policy.version != up_to:
        raise LookupError(f"the book has no version {up_to} of the policy")
    return PolicyHistory(tuple(switches))


def _keep(kept: dict[_Name, _Value], key: _Name, value: _Value, *, most: int) -> None:
    if len(kept) >= most:
        kept.clear()
    kept[key] = value
