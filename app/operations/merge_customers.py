"""Merge a customer into another, and undo that: two lines in one append carry over all that the one held."""

from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import uninterrupted
from app.domain.account import Account, LastEffective
from app.domain.entry import Entry, Head
from app.domain.errors import Fault, UnknownCustomer
from app.domain.fold import fold
from app.domain.interaction import SYSTEM_SOURCE
from app.domain.memory import rebased
from app.domain.merge_errors import MergedFurther, NotMerged, SameCustomer, TakenMeanwhile
from app.domain.merging import MERGED_FROM, MERGED_INTO, Carried, Merged, carried_from, carried_of, undoing
from app.domain.policy import Memory
from app.domain.share import carry_of
from app.operations.append import Append, Posting
from app.operations.break_due import break_due
from app.operations.ledger import Ledger, announce_due, announce_messages, policy_history
from app.operations.load import load
from app.operations.record import live_instant, write_append
from app.operations.weigh import heaviest_in_each
from app.queries.accounts import keys_of, own_accounts
from app.queries.customer_changes import customer_changes_of
from app.queries.entries import last_effective
from app.queries.ledger_lines import lines_of_account
from app.queries.merges import entries_at, last_that_came, members_of, merge_of, taken_since
from app.sealing.keys import book_place
from app.store.books import lock_book
from app.store.merges import absorb, release


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a merge or its undoing wrote, or had written before: both lines in order; the account of who was named."""

    entries: tuple[Entry, Entry]
    account: Account
    replayed: bool = False


@uninterrupted
async def merge_customers(ledger: Ledger, book: str, customer: str, into: str, *, api_key_id: str) -> Done:
    """Carry all that a customer holds to another, where the name leads from then on.

    Again, it is replayed. Raises UnknownCustomer, SameCustomer, ClockBehind or Replaying.
    """
    async with ledger.database.write(book) as tx:
        before, append = await _begun(ledger, tx, book, (customer, into), api_key_id)
        source = _account_of(append, customer, "/customer")
        target = _account_of(append, into, "/into")
        if source is target:
            return await _merged_before(tx, append, customer, into)
        carried = await _carried(tx, append, source, target.account_id)
        first = _post(append, source.account_id, MERGED_INTO, -carried.points, carried)
        second = _post(append, target.account_id, MERGED_FROM, carried.points, carried)
        await write_append(tx, append)
        await absorb(tx, book, Merged(source.account_id, target.account_id, target.account_id, second.position))
    _announce(ledger, before, append)
    return Done(entries=(first, second), account=append.accounts[target.account_id])


@uninterrupted
async def unmerge_customer(ledger: Ledger, book: str, customer: str, *, api_key_id: str) -> Done:
    """Give a customer's own account back what it carried into another, faded since; later postings stay there.

    Raises UnknownCustomer, NotMerged, MergedFurther, TakenMeanwhile, ClockBehind or Replaying.
    """
    async with ledger.database.write(book) as tx:
        before, append = await _begun(ledger, tx, book, (customer,), api_key_id)
        merged = await _merge_of(tx, append, customer)
        others = await members_of(tx, book, [merged.survivor_id])
        members = _through(merged.account_id, others)
        taken = await taken_since(tx, book, [merged.account_id], position=merged.position)
        if await taken_since(tx, book, members, position=merged.position):
            raise TakenMeanwhile
        lines = await entries_at(tx, book, [merged.position - 1, merged.position])
        closing, opening = lines[merged.position - 1], lines[merged.position]
        assert opening.carried is not None
        carried = undoing(carried_of(opening.carried), taken)
        await _reopen(tx, append, merged.account_id, customer)
        came = [own for own in await _effective(tx, append, merged.survivor_id) if not _came_from(own, carried)]
        append.effective[merged.survivor_id] = came
        first = _post(append, merged.survivor_id, MERGED_FROM, -carried.balance, carried, opening)
        second = _post(append, merged.account_id, MERGED_INTO, carried.balance, carried, closing)
        await write_append(tx, append)
        await release(tx, book, merged, members=members)
    _announce(ledger, before, append)
    return Done(entries=(first, second), account=append.accounts[merged.account_id])


async def _begun(
    ledger: Ledger, tx: AsyncConnection, book: str, customers: tuple[str, ...], api_key_id: str
) -> tuple[Head, Append]:
    """An append under the lock that knows these customers, whose promises are broken as far as they are due."""
    locked = await lock_book(tx, book)
    own = ledger.master_key.unwrap(locked.wrapped_key, book_place(book))
    now = ledger.present(locked.head)
    append, head = None, locked.head
    while append is None or append.entries:  # what is due is written first: a merge carries what is on the ledger
        booked_at = live_instant(head, now)
        append = await load(ledger, tx, head, (), own_key=own, now=now, booked_at=booked_at, customers=customers)
        append.api_key_id = api_key_id
        for account_id in [*append.accounts]:
            break_due(append, account_id, booked_at)
        if append.entries:
            await write_append(tx, append)
            head = append.head
    return locked.head, append


def _account_of(append: Append, customer: str, pointer: str) -> Account:
    account_id = append.account_id_of(customer)
    if account_id is None:
        fault = Fault(pointer=pointer, code="unknown_customer", detail="nothing was ever posted about this customer")
        raise UnknownCustomer(faults=(fault,))
    append.customers.setdefault(account_id, customer)
    return append.accounts[account_id]


async def _merged_before(tx: AsyncConnection, append: Append, customer: str, into: str) -> Done:
    """The first answer again, if the customer's own account was merged, and that leads to the other's."""
    hashes = [append.alias_hash(customer), append.alias_hash(into)]
    own = await own_accounts(tx, append.book, hashes)
    merged = await merge_of(tx, append.book, own[hashes[0]])
    if merged is None or own[hashes[0]] == own[hashes[1]]:
        raise SameCustomer
    lines = await entries_at(tx, append.book, [merged.position - 1, merged.position])
    entries = lines[merged.position - 1], lines[merged.position]
    return Done(entries=entries, account=append.accounts[merged.survivor_id], replayed=True)


async def _merge_of(tx: AsyncConnection, append: Append, customer: str) -> Merged:
    hashed = append.alias_hash(customer)
    own = (await own_accounts(tx, append.book, [hashed])).get(hashed)
    if own is None:
        raise UnknownCustomer
    merged = await merge_of(tx, append.book, own)
    if merged is None:
        raise NotMerged
    if merged.into_id != merged.survivor_id:
        raise MergedFurther
    return merged


async def _carried(tx: AsyncConnection, append: Append, source: Account, into: UUID) -> Carried:
    assert append.booked_at is not None
    lives = append.policy.half_lives
    (heaviest,) = await heaviest_in_each(tx, append.book, [source], lives)
    last_id, _ = max(await _effective(tx, append, source.account_id), key=lambda each: each[1], default=(None, None))
    aged = replace(source, masses=rebased(source.masses, lives, append.booked_at))
    return carried_from(aged, into, carry_of(heaviest), last_id)


async def _effective(tx: AsyncConnection, append: Append, account_id: UUID) -> list[tuple[UUID, LastEffective]]:
    """The last effective entry of its own, and of each that was merged into it."""
    came = await last_that_came(tx, append.book, [account_id])
    return [*await last_effective(tx, append.book, account_id, limit=1), *came.get(account_id, ())]


def _came_from(own: tuple[UUID, LastEffective], carried: Carried) -> bool:
    return carried.last is not None and own[0] == carried.last[0]


async def _reopen(tx: AsyncConnection, append: Append, account_id: UUID, customer: str) -> None:
    """Make an account of the lines of one that was closed, as the append would have found it."""
    book, ledger = append.book, append.ledger
    lines = [line.entry for line in await lines_of_account(tx, book, account_id)]
    changes = (await customer_changes_of(tx, book, [account_id])).get(account_id, [])
    policies = await policy_history(ledger, tx, book, up_to=append.head.policy_version)
    folded = fold(account_id, lines, changes, *policies.from_line(lines[0].position))
    append.accounts[account_id] = folded.account
    append.keys |= await keys_of(tx, book, [account_id], ledger.master_key)
    append.customers[account_id] = customer
    append.effective[account_id] = await _effective(tx, append, account_id)


def _through(account_id: UUID, others: list[Merged]) -> list[UUID]:
    """Those that were merged into an account, through however many others. Requires them in the order of merging."""
    found = {account_id}
    for each in reversed(others):
        if each.into_id in found:
            found.add(each.account_id)
    return [*(found - {account_id})]


def _post(
    append: Append, account_id: UUID, kind: str, points: int, carried: Carried, original: Entry | None = None
) -> Entry:
    assert append.booked_at is not None
    posting = Posting(
        kind=kind,
        points=points,
        memory=Memory.LASTING,
        value_at=append.booked_at,
        source=SYSTEM_SOURCE,
        external_id=None,
        tariff_version=append.head.tariff_version,
        api_key_id=append.api_key_id,
        reverses=original.entry_id if original else None,
        carried=carried.text(),
    )
    return append.post(account_id, posting, {}, booked_at=append.booked_at)


def _announce(ledger: Ledger, before: Head, append: Append) -> None:
    announce_due(ledger, append.head, append.posted.values(), append.promises.changed)
    announce_messages(ledger, before, append.head)
