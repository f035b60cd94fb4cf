"""Read one customer's account, exactly as it stands now, whether or not a clock runs."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import field, fields
from typing import Protocol, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.account import Account
from app.domain.crossing import Crossing, advance
from app.domain.entry import Head
from app.domain.errors import InvalidRequest, UnknownCustomer
from app.domain.immutable import immutable
from app.domain.instant import Instant
from app.domain.policy import Policy
from app.domain.share import Share, because
from app.domain.tariff import Tariff
from app.operations.ledger import Ledger, policy_in_force, tariff_in_force
from app.operations.weigh import heaviest_in_each
from app.queries.accounts import LookedUp, customers_by_id, looked_up
from app.queries.books import wrapped_key_of
from app.sealing.keys import Key


@immutable
class View:
    """One book at one instant: what every read of it needs. `now` is never before the last entry.

    Of the customers that were looked up, `merged` are the names of whom some were merged into, by theirs.
    """

    ledger: Ledger
    head: Head
    now: Instant
    policy: Policy
    book_key: Key
    merged: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def book(self) -> str:
        """The book that is read."""
        return self.head.book

    def advanced(self, account: Account) -> "Found":
        """The account at the view's instant."""
        advanced, unrecorded = advance(account, self.policy, max(self.now, account.masses.at))
        return Found(account=advanced, unrecorded=unrecorded)

    def read_on(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A transaction for what else there is to be read: a later one, to which the ledger may have more lines."""
        return self.ledger.database.read(self.book)


@immutable
class Reading(View):
    """The same with the snapshot that it was read from, for whoever reads on."""

    tx: AsyncConnection

    def read_on(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """The very same transaction."""
        return nullcontext(self.tx)


@immutable
class Found:
    """An account advanced to the view's instant, and the time crossings that nobody recorded yet."""

    account: Account
    unrecorded: tuple[Crossing, ...]


@immutable
class Looked:
    """A book, and of the customers that were looked up those that have an account there, as it is stored."""

    view: View
    accounts: Mapping[str, Account]

    def find(self, customer: str) -> Found:
        """The customer's account at the view's instant; UnknownCustomer if there is none."""
        account = self.accounts.get(customer)
        if account is None:
            raise UnknownCustomer
        return self.view.advanced(account)


class ReadUnderKey(Protocol):
    """What was read of a book."""

    @property
    def wrapped_key(self) -> bytes:
        """The book's own key then."""
        ...


_Read = TypeVar("_Read", bound=ReadUnderKey)


async def under_its_key(
    ledger: Ledger, tx: AsyncConnection, book: str, read: Callable[[Key], Awaitable[_Read]]
) -> tuple[Key, _Read]:
    """What one statement reads that needs the book's own key, and that key. Requires an existing book.

    Customers are found by a hash under it, cursors are signed with it, and only the book itself can tell it. So the key
    that it had when it was last read is tried; what is read is read again, and what is refused looked at again, if it
    has another by now.
    """
    known = ledger.book_keys.get(book) or ledger.keep_book_key(book, await wrapped_key_of(tx, book))
    while True:
        try:
            found = await read(known.key)
        except InvalidRequest:
            wrapped = await wrapped_key_of(tx, book)
            if wrapped == known.wrapped:
                raise
        else:
            wrapped = found.wrapped_key
            if wrapped == known.wrapped:
                return known.key, found
        known = ledger.keep_book_key(book, wrapped)


async def look_up(
    ledger: Ledger, tx: AsyncConnection, book: str, customers: Collection[str], *, at: Instant | None = None
) -> Looked:
    """Look customers up, at `at` or at the present instant, in one statement. Requires an existing book."""
    names: dict[bytes, str] = {}

    async def read(own: Key) -> LookedUp:
        names.update((own.digest(name.encode()), name) for name in customers)
        return await looked_up(tx, book, names)

    book_key, found = await under_its_key(ledger, tx, book, read)
    head = found.head
    merged_into = {names[hashed]: found.accounts[hashed].account_id for hashed in found.merged}
    survivors = await customers_by_id(tx, book, {*merged_into.values()}, ledger.master_key) if merged_into else {}
    view = View(
        ledger=ledger,
        head=head,
        now=max(ledger.present(head), head.booked_at) if at is None else at,
        policy=await policy_in_force(ledger, tx, book, head.policy_version),
        book_key=book_key,
        merged={name: survivors[account_id] for name, account_id in merged_into.items() if account_id in survivors},
    )
    return Looked(view=view, accounts={names[hashed]: account for hashed, account in found.accounts.items()})


async def reading(ledger: Ledger, tx: AsyncConnection, book: str, *, at: Instant | None = None) -> Reading:
    """Begin to read a book at `at`, or at the present instant. Requires an existing book."""
    return _reading(await look_up(ledger, tx, book, (), at=at), tx)


async def find_customer(ledger: Ledger, tx: AsyncConnection, book: str, customer: str) -> tuple[Reading, Found]:
    """Begin to read a book, with a customer's account as it stands now; UnknownCustomer if there is none."""
    looked = await look_up(ledger, tx, book, [customer])
    return _reading(looked, tx), looked.find(customer)


async def tariff_of(view: View) -> Tariff:
    """The tariff that was in force when the book was read."""
    version = view.head.tariff_version
    known = view.ledger.tariffs.get((view.book, version))
    if known is None:
        async with view.read_on() as tx:
            known = await tariff_in_force(view.ledger, tx, view.book, version)
    return known


async def weighing_most(view: View, account: Account) -> list[Share]:
    """The three entries that weigh most in what the account's customer feels at the view's instant."""
    return (await weighing_most_in_each(view, [account]))[account.account_id]


async def weighing_most_in_each(view: View, accounts: Sequence[Account]) -> dict[UUID, list[Share]]:
    """Of each account the three entries that weigh most in what its customer feels at the view's instant."""
    half_lives = view.policy.half_lives
    return {
        account.account_id: because(known, half_lives, view.now)
        for account, known in zip(accounts, await _heaviest(view, accounts), strict=True)
    }


async def _heaviest(view: View, accounts: Sequence[Account]) -> Sequence[str]:
    """What each account keeps; read from the ledger where only the lines can tell, which nothing changes since."""
    kept = [account.heaviest for account in accounts if account.heaviest is not None]
    if len(kept) == len(accounts):
        return kept
    async with view.read_on() as tx:
        return await heaviest_in_each(tx, view.book, accounts, view.policy.half_lives)


def _reading(looked: Looked, tx: AsyncConnection) -> Reading:
    return Reading(**{each.name: getattr(looked.view, each.name) for each in fields(View)}, tx=tx)
