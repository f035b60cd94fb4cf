"""Give a customer one more name, by which it is known from then on."""

from app.database import uninterrupted
from app.domain.errors import UnknownCustomer
from app.domain.merge_errors import CustomersDiffer
from app.operations.ledger import Ledger
from app.operations.naming import naming
from app.queries.accounts import accounts_by_alias, keys_of
from app.sealing.keys import book_place
from app.sql import run
from app.store.accounts import keeping_names
from app.store.books import lock_book


@uninterrupted
async def name_customer(ledger: Ledger, book: str, customer: str, name: str) -> bool:
    """Whether the name is new; it leads to the customer's account either way.

    Raises UnknownCustomer, or CustomersDiffer if the name leads to another account.
    """
    async with ledger.database.write(book) as tx:
        locked = await lock_book(tx, book)
        own = ledger.master_key.unwrap(locked.wrapped_key, book_place(book))
        asked, hashed = own.digest(customer.encode()), own.digest(name.encode())
        known = await accounts_by_alias(tx, book, {asked, hashed})
        account_id = known.get(asked)
        if account_id is None:
            raise UnknownCustomer
        if hashed in known:
            if known[hashed] != account_id:
                raise CustomersDiffer
            return False
        key = (await keys_of(tx, book, [account_id], ledger.master_key))[account_id]
        await run(tx, keeping_names(book, [naming(book, account_id, key, hashed, name, entropy=ledger.entropy)]))
    return True
