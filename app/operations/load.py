"""What an append needs to know, read under the lock in a handful of set-wise queries."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.account import LastEffective
from app.domain.entry import Entry, Head
from app.domain.instant import Instant
from app.domain.interaction import Interaction, ReversalRequest
from app.operations.append import Append, Item
from app.operations.ledger import Ledger, policy_in_force, tariff_in_force
from app.queries.accounts import accounts_by_alias, accounts_by_id, keys_of, names_of
from app.queries.books import book_key
from app.queries.entries import Pair, entries_by_id, entries_by_interaction, last_effective, reversals_of
from app.sealing.keys import Key


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """The entries that a batch names: `known` by (source, id), `targets` by id; `to_reverse` are among them."""

    known: dict[Pair, Entry]
    targets: dict[UUID, Entry]
    to_reverse: list[Entry]

    @property
    def account_ids(self) -> set[UUID]:
        return {entry.account_id for entry in (*self.known.values(), *self.to_reverse)}


async def load(
    ledger: Ledger,
    tx: AsyncConnection,
    head: Head,
    batch: Sequence[Item],
    *,
    now: Instant,
    booked_at: Instant | None,
    api_key_id: str,
) -> Append:
    """The working set of a batch. Requires the head to be locked; `booked_at` None replays history."""
    book = head.book
    own_key = await book_key(tx, book, ledger.master_key)
    named = await _named(tx, book, batch)
    hashes = {own_key.digest(interaction.customer.encode()) for interaction in _interactions(batch)}
    account_ids = await accounts_by_alias(tx, book, hashes)
    touched = {*account_ids.values(), *named.account_ids}
    keys = await keys_of(tx, book, touched, ledger.master_key)
    return Append(
        ledger=ledger,
        head=head,
        now=now,
        booked_at=booked_at,
        api_key_id=api_key_id,
        tariff=await tariff_in_force(ledger, tx, book, head.tariff_version),
        policy=await policy_in_force(ledger, tx, book, head.policy_version),
        book_key=own_key,
        known=named.known,
        targets=named.targets,
        reversals=await reversals_of(tx, book, [entry.entry_id for entry in named.to_reverse]),
        account_ids=account_ids,
        accounts=await accounts_by_id(tx, book, touched),
        keys=keys,
        customers=await names_of(tx, book, {account_id: keys[account_id] for account_id in named.account_ids}),
        effective=await _effective(tx, book, _reversing(batch, named, account_ids, own_key)),
    )


async def _named(tx: AsyncConnection, book: str, batch: Sequence[Item]) -> _Named:
    reversals = _reversals(batch)
    known = await entries_by_interaction(tx, book, _pairs(batch))
    targets = await entries_by_id(tx, book, [item.entry_id for item in reversals if item.entry_id])
    by_interaction = [known[item.interaction] for item in reversals if item.interaction in known]
    return _Named(known=known, targets=targets, to_reverse=[*targets.values(), *by_interaction])


async def _effective(
    tx: AsyncConnection, book: str, reversing: Mapping[UUID, int]
) -> dict[UUID, list[tuple[UUID, LastEffective]]]:
    """One more than can be reversed, so that the last effective entry is among those that remain."""
    return {
        account_id: await last_effective(tx, book, account_id, limit=reversals + 1)
        for account_id, reversals in reversing.items()
    }


def _reversing(batch: Sequence[Item], named: _Named, account_ids: Mapping[bytes, UUID], own_key: Key) -> Counter[UUID]:
    """How many entries of which accounts the batch may reverse, those included that it posts itself."""
    wanted = {item.interaction for item in _reversals(batch)}
    customers = [item.customer for item in _interactions(batch) if (item.source, item.id) in wanted]
    hashes = [own_key.digest(customer.encode()) for customer in customers]
    posted_here = [account_ids[hashed] for hashed in hashes if hashed in account_ids]
    return Counter([*(entry.account_id for entry in named.to_reverse), *posted_here])


def _pairs(batch: Sequence[Item]) -> list[Pair]:
    """Every (source, id) that the batch names: its own, and those it wants reversed."""
    own = [(interaction.source, interaction.id) for interaction in _interactions(batch)]
    reversing = [(item.source, item.id) for item in _reversals(batch) if item.id is not None]
    return own + reversing + [item.interaction for item in _reversals(batch) if item.interaction]


def _interactions(batch: Sequence[Item]) -> list[Interaction]:
    direct = [item for item in batch if isinstance(item, Interaction)]
    return direct + [item.replacement for item in _reversals(batch) if item.replacement]


def _reversals(batch: Sequence[Item]) -> list[ReversalRequest]:
    return [item for item in batch if isinstance(item, ReversalRequest)]
