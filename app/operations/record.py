"""The append: the only way onto the ledger. One interaction is a batch of one."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.account import LastEffective
from app.domain.entry import Entry, Head
from app.domain.errors import ClockBehind, NotReplayable, Replaying
from app.domain.instant import SECOND, Instant
from app.domain.interaction import Interaction, ReversalRequest
from app.operations.append import Append
from app.operations.decide import Item, decide
from app.operations.ledger import Ledger, policy_in_force, tariff_in_force
from app.operations.outcome import Outcome
from app.queries.accounts import accounts_by_alias, accounts_by_id, keys_of, names_of
from app.queries.books import book_key
from app.queries.entries import Pair, entries_by_id, entries_by_interaction, last_effective, reversals_of
from app.store.accounts import insert_crossings, insert_openings, save_accounts
from app.store.books import lock_head, save_head
from app.store.entries import append_entries

BEHIND_MAX = 60 * SECOND


async def record(
    ledger: Ledger, book: str, batch: Sequence[Item], *, api_key_id: str, replay: bool = False
) -> list[Outcome]:
    """Append a batch, durably, and answer each item in order; a refused item never touches its neighbours.

    `replay` books history on a simulated clock. Raises ClockBehind, Replaying or NotReplayable for the whole.
    """
    async with ledger.database.write() as tx:
        head = await lock_head(tx, book)
        now = ledger.now()
        booked_at = None if replay else live_instant(head, now)
        append = await _load(ledger, tx, head, batch, now=now, booked_at=booked_at, api_key_id=api_key_id)

        outcomes = [decide(append, item) for item in batch]

        if append.entries:
            await _write(tx, append)
    return outcomes


def live_instant(head: Head, now: Instant) -> Instant:
    """The one instant of a live write: monotone, whatever the clock does. Requires the head to be locked."""
    if head.replaying:
        raise Replaying
    if head.booked_at - now > BEHIND_MAX:
        raise ClockBehind
    return max(now, head.booked_at + 1)


async def _load(
    ledger: Ledger,
    tx: AsyncConnection,
    head: Head,
    batch: Sequence[Item],
    *,
    now: Instant,
    booked_at: Instant | None,
    api_key_id: str,
) -> Append:
    """Everything that deciding needs, in a handful of set-wise reads."""
    if booked_at is None and not head.replaying:
        raise NotReplayable
    book = head.book
    own_key = await book_key(tx, book, ledger.master_key)
    known = await entries_by_interaction(tx, book, _pairs(batch))
    targets = await entries_by_id(tx, book, [item.entry_id for item in _reversals(batch) if item.entry_id])
    to_reverse = [*targets.values(), *_known_targets(batch, known)]
    hashes = {own_key.digest(interaction.customer.encode()) for interaction in _interactions(batch)}
    account_ids = await accounts_by_alias(tx, book, hashes)
    touched = {*account_ids.values(), *(entry.account_id for entry in (*known.values(), *to_reverse))}
    keys = await keys_of(tx, book, touched, ledger.master_key)
    reversing = {entry.account_id: keys[entry.account_id] for entry in (*known.values(), *to_reverse)}
    return Append(
        ledger=ledger,
        head=head,
        now=now,
        booked_at=booked_at,
        api_key_id=api_key_id,
        tariff=await tariff_in_force(ledger, tx, book, head.tariff_version),
        policy=await policy_in_force(ledger, tx, book, head.policy_version),
        book_key=own_key,
        known=known,
        targets=targets,
        reversals=await reversals_of(tx, book, [entry.entry_id for entry in to_reverse]),
        account_ids=account_ids,
        accounts=await accounts_by_id(tx, book, touched),
        keys=keys,
        customers=await names_of(tx, book, reversing),
        effective=await _effective(tx, book, to_reverse),
    )


async def _write(tx: AsyncConnection, append: Append) -> None:
    """Entries, accounts, crossings, keys and names set-wise; the head once."""
    await append_entries(tx, append.book, append.entries)
    await insert_openings(tx, append.book, append.openings)
    await save_accounts(tx, append.book, list(append.posted.values()))
    await insert_crossings(tx, append.book, append.crossings)
    await save_head(tx, append.head)


async def _effective(
    tx: AsyncConnection, book: str, to_reverse: Sequence[Entry]
) -> dict[UUID, list[tuple[UUID, LastEffective]]]:
    """One more than can be reversed, so that the last effective entry is among those that remain."""
    limit = len(to_reverse) + 1
    account_ids = {entry.account_id for entry in to_reverse}
    return {account_id: await last_effective(tx, book, account_id, limit=limit) for account_id in account_ids}


def _interactions(batch: Sequence[Item]) -> list[Interaction]:
    direct = [item for item in batch if isinstance(item, Interaction)]
    return direct + [item.replacement for item in _reversals(batch) if item.replacement]


def _reversals(batch: Sequence[Item]) -> list[ReversalRequest]:
    return [item for item in batch if isinstance(item, ReversalRequest)]


def _pairs(batch: Sequence[Item]) -> list[Pair]:
    """Every (source, id) that the batch names: its own, and those it wants reversed."""
    own = [(interaction.source, interaction.id) for interaction in _interactions(batch)]
    reversing = [(item.source, item.id) for item in _reversals(batch) if item.id is not None]
    return own + reversing + [item.interaction for item in _reversals(batch) if item.interaction]


def _known_targets(batch: Sequence[Item], known: dict[Pair, Entry]) -> list[Entry]:
    return [known[item.interaction] for item in _reversals(batch) if item.interaction in known]
