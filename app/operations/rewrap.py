"""Wrap every key of a book anew with the master key in force, while the service goes on."""

from dataclasses import dataclass
from uuid import UUID

from app.database import uninterrupted
from app.domain.errors import MasterKeyMismatch
from app.operations.ledger import Ledger
from app.queries.accounts import wrapped_after
from app.queries.checkpoints import signing_keys_of
from app.sealing.keys import account_place, book_place
from app.sealing.signing import signing_place
from app.store.books import lock_book
from app.store.checkpoints import save_signing_key
from app.store.wrapped_keys import save_account_keys, save_book_key

BATCH = 500
_FIRST = UUID(int=0)  # no account has it


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """How many keys a book has, how many of them another master key had wrapped, and whose no master key opens."""

    keys: int
    anew: int
    closed: tuple[UUID, ...]


async def rewrap(ledger: Ledger, book: str) -> Rewrapped:
    """Wrap the book's key, those that sign and its accounts' keys with the master key, those that another one wrapped.

    In short transactions: postings go on, and who opens an account meanwhile may use either master key. What is done
    stays done, so that whoever is stopped begins again. MasterKeyMismatch if no master key opens the book's own.
    """
    (keys, anew), after, closed = await _rewrap_own(ledger, book), _FIRST, list[UUID]()
    while True:
        seen, some, after = await _rewrap_some(ledger, book, after, closed)
        keys, anew = keys + seen, anew + some
        if seen < BATCH:
            return Rewrapped(keys, anew, tuple(closed))


@uninterrupted
async def _rewrap_own(ledger: Ledger, book: str) -> tuple[int, int]:
    """How many keys the book has of its own, and how many of them were wrapped anew."""
    async with ledger.database.write(book) as tx:
        locked = await lock_book(tx, book)
        wrapped = ledger.master_key.rewrapped(locked.wrapped_key, book_place(book), entropy=ledger.entropy)
        if wrapped is not None:
            await save_book_key(tx, book, wrapped)
        signing = await signing_keys_of(tx, book)
        anew = int(wrapped is not None)
        for kept in signing:
            place = signing_place(book, kept.public_key)
            wrapped = ledger.master_key.rewrapped(kept.wrapped, place, entropy=ledger.entropy)
            if wrapped is not None:
                await save_signing_key(tx, book, kept.public_key, wrapped)
                anew += 1
    return 1 + len(signing), anew


@uninterrupted
async def _rewrap_some(ledger: Ledger, book: str, after: UUID, closed: list[UUID]) -> tuple[int, int, UUID]:
    """How many keys were looked at, and wrapped anew; and whose was the last."""
    anew: dict[UUID, bytes] = {}
    async with ledger.database.write(book) as tx:
        found = await wrapped_after(tx, book, after, limit=BATCH)
        for account_id, kept in found.items():
            place = account_place(book, account_id)
            try:
                wrapped = ledger.master_key.rewrapped(kept, place, entropy=ledger.entropy)
            except MasterKeyMismatch:
                closed.append(account_id)
                continue
            if wrapped is not None:
                anew[account_id] = wrapped
        await save_account_keys(tx, book, anew)
    return len(found), len(anew), max(found, default=after)
