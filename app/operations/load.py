"""What an append needs to know, read under the lock in a handful of set-wise queries."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.account import Account, LastEffective
from app.domain.entry import Entry, Head
from app.domain.instant import Instant
from app.domain.interaction import SYSTEM_SOURCE, Interaction, ReversalRequest
from app.domain.promise import Promise, step_name
from app.domain.promise_request import MakePromise, PromiseRequest, SettlePromise, own_pairs
from app.operations.append import Append, Item
from app.operations.ledger import Ledger, policy_in_force, tariff_in_force
from app.operations.promises import Promises
from app.queries.accounts import Opened, accounts_by_id, finding_opened, keys_of, names_of, opened_of
from app.queries.entries import Pair, entries_by_id, finding_named, last_effective, named_of, reversals_of
from app.queries.promises import due_promises_of, promises_by_name
from app.sealing.keys import Key
from app.sql import run


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """The entries that a batch names: `known` by (source, id), `targets` by id; `to_reverse` are among them."""

    known: dict[Pair, Entry]
    targets: dict[UUID, Entry]
    to_reverse: list[Entry]
    promises: Collection[Promise]

    @property
    def account_ids(self) -> set[UUID]:
        entries = {entry.account_id for entry in (*self.known.values(), *self.to_reverse)}
        return entries | {promise.account_id for promise in self.promises}


async def load(
    ledger: Ledger,
    tx: AsyncConnection,
    head: Head,
    batch: Sequence[Item],
    *,
    own_key: Key,
    now: Instant,
    booked_at: Instant | None,
    promises: Collection[Promise] = (),
) -> Append:
    """What an append of a batch and of `promises` needs. Requires the locked head; `booked_at` None replays history."""
    book, by = head.book, booked_at or now
    asked = await promises_by_name(tx, book, [item.name for item in _promise_requests(batch)])
    hashes = {name: own_key.digest(name.encode()) for name in _customers(batch)}
    known, opened = await _known_and_opened(ledger, tx, head, hashes.values(), batch, asked, by=by)
    named = await _named(tx, book, batch, known, asked)
    account_ids = {hashed: each.account.account_id for hashed, each in opened.items()}
    more = {*named.account_ids, *(promise.account_id for promise in promises)} - set(account_ids.values())
    accounts, keys = await _accounts_and_keys(ledger, tx, book, opened.values(), more)
    due = await due_promises_of(tx, book, _are_due(opened.values()) | more, by=by)
    return Append(
        ledger=ledger,
        head=head,
        now=now,
        booked_at=booked_at,
        tariff=await tariff_in_force(ledger, tx, book, head.tariff_version),
        policy=await policy_in_force(ledger, tx, book, head.policy_version),
        book_key=own_key,
        known=known,
        targets=named.targets,
        reversals=await reversals_of(tx, book, [entry.entry_id for entry in named.to_reverse]),
        alias_hashes=hashes,
        account_ids=account_ids,
        accounts=accounts,
        keys=keys,
        customers=await names_of(tx, book, {account_id: keys[account_id] for account_id in named.account_ids}),
        effective=await _effective(tx, book, _reversing(batch, named, account_ids, own_key)),
        promises=Promises([*asked, *promises, *due]),
    )


def _are_due(opened: Iterable[Opened]) -> set[UUID]:
    return {each.account.account_id for each in opened if each.is_due}


async def _accounts_and_keys(
    ledger: Ledger, tx: AsyncConnection, book: str, opened: Collection[Opened], more: Collection[UUID]
) -> tuple[dict[UUID, Account], dict[UUID, Key]]:
    """Of the accounts that are opened, and of some more."""
    accounts = {each.account.account_id: each.account for each in opened}
    keys = {each.account.account_id: each.key for each in opened}
    return (
        accounts | await accounts_by_id(tx, book, more),
        keys | await keys_of(tx, book, more, ledger.master_key),
    )


async def _known_and_opened(
    ledger: Ledger,
    tx: AsyncConnection,
    head: Head,
    hashes: Collection[bytes],
    batch: Sequence[Item],
    promises: Collection[Promise],
    *,
    by: Instant,
) -> tuple[dict[Pair, Entry], dict[bytes, Opened]]:
    """What of the batch is on the ledger already, and the accounts of its customers: two statements in the common case.

    Of `promises` also their posted steps, which keeping may reverse.
    """
    steps = finding_named(head.book, [*_pairs(batch), *_posted_steps(promises)])
    *found, opened = await run(tx, *steps, finding_opened(head, hashes, by=by))
    return named_of(found), opened_of(head.book, opened, ledger.master_key)


def latest(batch: Sequence[Item]) -> Instant:
    """The latest instant that an item says it mattered at: no item of history is booked later, nor the head before."""
    return max([item.value_at or 0 for item in (*_interactions(batch), *_promise_requests(batch))], default=0)


async def _named(
    tx: AsyncConnection,
    book: str,
    batch: Sequence[Item],
    known: dict[Pair, Entry],
    promises: Collection[Promise],
) -> _Named:
    """Of promises also what was last asked of them."""
    reversals = _reversals(batch)
    last = [entry_id for each in promises for entry_id in (each.moved_by, each.settled_by) if entry_id]
    targets = await entries_by_id(tx, book, [*(item.entry_id for item in reversals if item.entry_id), *last])
    by_interaction = [known[item.interaction] for item in reversals if item.interaction in known]
    by_keeping = [known[step] for step in _posted_steps(promises)]
    return _Named(
        known=known, targets=targets, to_reverse=[*targets.values(), *by_interaction, *by_keeping], promises=promises
    )


def _posted_steps(promises: Collection[Promise]) -> list[Pair]:
    return [(SYSTEM_SOURCE, step_name(each, n)) for each in promises for n in range(1, each.posted + 1)]


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
    wanted |= {item.name for item in _promise_requests(batch) if isinstance(item, SettlePromise)}
    made = [item.customer for item in batch if isinstance(item, MakePromise) and item.name in wanted]
    customers = made + [item.customer for item in _interactions(batch) if (item.source, item.id) in wanted]
    hashes = [own_key.digest(customer.encode()) for customer in customers]
    posted_here = [account_ids[hashed] for hashed in hashes if hashed in account_ids]
    kept_here = [promise.account_id for promise in named.promises]  # whose steps the batch may post, and reverse
    return Counter([*(entry.account_id for entry in named.to_reverse), *posted_here, *kept_here])


def _pairs(batch: Sequence[Item]) -> list[Pair]:
    """Every (source, id) that the batch names: its own, and those it wants reversed."""
    own = [(interaction.source, interaction.id) for interaction in _interactions(batch)]
    reversing = [(item.source, item.id) for item in _reversals(batch) if item.id is not None]
    promises = [pair for item in _promise_requests(batch) for pair in own_pairs(item)]
    return own + reversing + promises + [item.interaction for item in _reversals(batch) if item.interaction]


def _customers(batch: Sequence[Item]) -> list[str]:
    made = [item.customer for item in batch if isinstance(item, MakePromise)]
    return made + [interaction.customer for interaction in _interactions(batch)]


def _interactions(batch: Sequence[Item]) -> list[Interaction]:
    direct = [item for item in batch if isinstance(item, Interaction)]
    return direct + [item.replacement for item in _reversals(batch) if item.replacement]


def _reversals(batch: Sequence[Item]) -> list[ReversalRequest]:
    return [item for item in batch if isinstance(item, ReversalRequest)]


def _promise_requests(batch: Sequence[Item]) -> list[PromiseRequest]:
    return [item for item in batch if isinstance(item, PromiseRequest)]
