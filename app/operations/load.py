"""What an append needs to know, read under the lock in a handful of set-wise queries."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.account import Account, LastEffective
from app.domain.entry import Entry, Head
from app.domain.erasure import Erasure
from app.domain.instant import Instant
from app.domain.interaction import SYSTEM_SOURCE, Interaction, ReversalRequest
from app.domain.promise import Promise, step_name
from app.domain.promise_request import MakePromise, PromiseRequest, SettlePromise, named_pairs
from app.operations.append import Append, Item, Merges
from app.operations.ledger import Ledger, policy_in_force, tariff_in_force
from app.operations.promises import Promises
from app.queries.accounts import Opened, accounts_by_id, finding_opened, keys_of, names_of, opened_of
from app.queries.entries import Pair, entries_by_id, finding_named, last_effective, named_of, reversals_of
from app.queries.merges import last_that_came, members_of, merges_of
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
    customers: Collection[str] = (),
) -> Append:
    """What an append of all these needs. Requires the locked head; `booked_at` None replays history."""
    book, by = head.book, booked_at or now
    hashes = {name: own_key.digest(name.encode()) for name in (*_customers(batch), *customers)}
    named, opened = await _named(ledger, tx, head, hashes.values(), batch, by=by)
    account_ids = {hashed: each.account.account_id for hashed, each in opened.items()}
    accounts, keys, homes = await _accounts_and_keys(ledger, tx, book, opened.values(), named, promises)
    due = await due_promises_of(tx, book, _are_due(opened.values()) | (accounts.keys() - account_ids.values()), by=by)
    return Append(
        ledger=ledger,
        head=head,
        now=now,
        booked_at=booked_at,
        tariff=await tariff_in_force(ledger, tx, book, head.tariff_version),
        policy=await policy_in_force(ledger, tx, book, head.policy_version),
        book_key=own_key,
        known=named.known,
        targets=named.targets,
        reversals=await reversals_of(tx, book, [entry.entry_id for entry in named.to_reverse]),
        alias_hashes=hashes,
        account_ids=account_ids,
        accounts=accounts,
        keys=keys,
        merges=await _merges(tx, book, batch, hashes, opened, homes),
        sealed_names={each.own_id: each.sealed_name for each in opened.values()},
        customers=await names_of(tx, book, {each: keys[each] for each in _at_home(named, homes) & accounts.keys()}),
        effective=await _effective(tx, book, _reversing(batch, named, account_ids, own_key), homes),
        promises=Promises([*named.promises, *promises, *due]),
    )


def _at_home(named: _Named, homes: Mapping[UUID, UUID]) -> set[UUID]:
    return {homes.get(account_id, account_id) for account_id in named.account_ids}


async def _merges(
    tx: AsyncConnection,
    book: str,
    batch: Sequence[Item],
    hashes: Mapping[str, bytes],
    opened: Mapping[bytes, Opened],
    homes: Mapping[UUID, UUID],
) -> Merges:
    found = {name: opened[hashed] for name, hashed in hashes.items() if hashed in opened}
    merged = {name: each for name, each in found.items() if each.own_id != each.account.account_id}
    names = await names_of(tx, book, {each.account.account_id: each.key for each in merged.values()})
    erased = [found[name].account.account_id for name in _erased(batch) if name in found]
    members: dict[UUID, list[UUID]] = {}
    for each in await members_of(tx, book, erased) if erased else ():
        members.setdefault(each.survivor_id, []).append(each.account_id)
    by_name = {name: names[each.account.account_id] for name, each in merged.items()}
    return Merges(homes=homes, names=by_name, members=members)


def _are_due(opened: Iterable[Opened]) -> set[UUID]:
    return {each.account.account_id for each in opened if each.is_due}


async def _accounts_and_keys(
    ledger: Ledger,
    tx: AsyncConnection,
    book: str,
    opened: Collection[Opened],
    named: _Named,
    promises: Collection[Promise],
) -> tuple[dict[UUID, Account], dict[UUID, Key], dict[UUID, UUID]]:
    """Of the accounts that are opened, and of those named or promised to; where the merged ones lead, and theirs."""
    accounts = {each.account.account_id: each.account for each in opened}
    keys = {each.account.account_id: each.key for each in opened}
    more = (named.account_ids | {promise.account_id for promise in promises}) - accounts.keys()
    accounts |= await accounts_by_id(tx, book, more)
    keys |= await keys_of(tx, book, more, ledger.master_key)
    merged = more - accounts.keys()
    homes = {each.account_id: each.survivor_id for each in await merges_of(tx, book, merged)} if merged else {}
    if homes:
        accounts |= await accounts_by_id(tx, book, set(homes.values()))
        keys |= await keys_of(tx, book, set(homes.values()), ledger.master_key)
    return accounts, keys, homes


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
    ledger: Ledger, tx: AsyncConnection, head: Head, hashes: Collection[bytes], batch: Sequence[Item], *, by: Instant
) -> tuple[_Named, dict[bytes, Opened]]:
    """What a batch names, and the accounts of its customers. Of promises also what was last asked of them."""
    promises = await promises_by_name(tx, head.book, [item.name for item in _promise_requests(batch)])
    known, opened = await _known_and_opened(ledger, tx, head, hashes, batch, promises, by=by)
    reversals = _reversals(batch)
    last = [entry_id for each in promises for entry_id in (each.moved_by, each.settled_by) if entry_id]
    targets = await entries_by_id(tx, head.book, [*(item.entry_id for item in reversals if item.entry_id), *last])
    by_interaction = [known[item.interaction] for item in reversals if item.interaction in known]
    by_keeping = [known[step] for step in _posted_steps(promises)]
    to_reverse = [*targets.values(), *by_interaction, *by_keeping]
    return _Named(known=known, targets=targets, to_reverse=to_reverse, promises=promises), opened


def _posted_steps(promises: Collection[Promise]) -> list[Pair]:
    return [(SYSTEM_SOURCE, step_name(each, n)) for each in promises for n in range(1, each.posted + 1)]


async def _effective(
    tx: AsyncConnection, book: str, reversing: Mapping[UUID, int], homes: Mapping[UUID, UUID]
) -> dict[UUID, list[tuple[UUID, LastEffective]]]:
    """One more than can be reversed, so that the last effective entry is among those that remain."""
    at_home: Counter[UUID] = Counter()
    for account_id, reversals in reversing.items():
        at_home[homes.get(account_id, account_id)] += reversals
    came = await last_that_came(tx, book, at_home.keys())
    return {
        account_id: [*await last_effective(tx, book, account_id, limit=reversals + 1), *came.get(account_id, ())]
        for account_id, reversals in at_home.items()
    }


def _reversing(batch: Sequence[Item], named: _Named, account_ids: Mapping[bytes, UUID], own_key: Key) -> Counter[UUID]:
    """How many entries of which accounts the batch may reverse, those included that it posts itself."""
    wanted = {item.interaction for item in _reversals(batch)}
    wanted |= {item.name for item in _promise_requests(batch) if isinstance(item, SettlePromise)}
    made = [item.customer for item in batch if isinstance(item, MakePromise) and item.name in wanted]
    own = _interactions(batch)  # a name may become another's account's in this very batch
    is_wanted = any((item.source, item.id) in wanted for item in own)
    customers = made + [name for item in own for name in item.names if is_wanted]
    hashes = [own_key.digest(customer.encode()) for customer in customers]
    posted_here = [account_ids[hashed] for hashed in hashes if hashed in account_ids]
    kept_here = [promise.account_id for promise in named.promises]  # whose steps the batch may post, and reverse
    return Counter([*(entry.account_id for entry in named.to_reverse), *posted_here, *kept_here])


def _pairs(batch: Sequence[Item]) -> list[Pair]:
    """Every (source, id) that the batch names: its own, and those it wants reversed."""
    own = [(interaction.source, interaction.id) for interaction in _interactions(batch)]
    reversing = [(item.source, item.id) for item in _reversals(batch) if item.id is not None]
    promises = [pair for item in _promise_requests(batch) for pair in named_pairs(item)]
    return own + reversing + promises + [item.interaction for item in _reversals(batch) if item.interaction]


def _customers(batch: Sequence[Item]) -> list[str]:
    made = [item.customer for item in batch if isinstance(item, MakePromise)]
    return made + _erased(batch) + [name for interaction in _interactions(batch) for name in interaction.names]


def _erased(batch: Sequence[Item]) -> list[str]:
    return [item.customer for item in batch if isinstance(item, Erasure)]


def _interactions(batch: Sequence[Item]) -> list[Interaction]:
    direct = [item for item in batch if isinstance(item, Interaction)]
    return direct + [item.replacement for item in _reversals(batch) if item.replacement]


def _reversals(batch: Sequence[Item]) -> list[ReversalRequest]:
    return [item for item in batch if isinstance(item, ReversalRequest)]


def _promise_requests(batch: Sequence[Item]) -> list[PromiseRequest]:
    return [item for item in batch if isinstance(item, PromiseRequest)]
