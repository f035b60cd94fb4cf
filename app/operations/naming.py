"""Further names of an account, beside the one that it was opened with."""

from collections.abc import Callable, Sequence
from uuid import UUID

from app.domain.account import Account
from app.domain.alias import EXTRA
from app.domain.instant import Instant
from app.operations.append import Append
from app.sealing.keys import Key, name_place
from app.store.accounts import Naming


def account_named(append: Append, names: Sequence[str], booked_at: Instant) -> Account:
    """The account of a customer with these names; opened if there is none. All of them lead there from then on."""
    known = append.account_id_of_all(names)
    account = append.open_account(names[0], booked_at) if known is None else append.accounts[known]
    own = account.account_id
    append.customers.setdefault(own, names[0])
    for name in names:
        if append.account_id_of(name) is None:
            hashed = append.alias_hash(name)
            append.namings.append(
                naming(append.book, own, append.keys[own], hashed, name, entropy=append.ledger.entropy)
            )
            append.account_ids[hashed] = own
    return account


def naming(
    book: str, account_id: UUID, key: Key, alias_hash: bytes, name: str, *, entropy: Callable[[int], bytes]
) -> Naming:
    """One more name of an account, under whose key it is sealed; `alias_hash` is how the database knows it."""
    sealed = key.seal(f"{EXTRA}{name}".encode(), name_place(book, account_id), entropy=entropy)
    return Naming(account_id=account_id, alias_hash=alias_hash, sealed_name=sealed)
