"""Forget a customer: what the ledger says of the account stays, and nobody can say any more whose it was."""

import logging
from uuid import UUID

from app.domain.entry import Entry
from app.domain.erasure import Erasure
from app.domain.errors import DatabaseUnavailable
from app.domain.interaction import SYSTEM_SOURCE
from app.operations.ledger import Ledger
from app.operations.merge_customers import unmerge_customer
from app.operations.outcome import Refused
from app.operations.purge import give_up_account
from app.operations.record import record
from app.queries.accounts import customers_by_id
from app.queries.merges import members_of, merge_of

logger = logging.getLogger("goodwill.erasure")


async def erase_customer(ledger: Ledger, book: str, customer: str, *, api_key_id: str) -> Entry:
    """The entry that ends the account. Key, name and what was told of the customer go with it, in one commit.

    What was still owed is given up after it; where that is cut off, whoever comes upon it finds nothing to send.
    Raises UnknownCustomer, ClockBehind or Replaying.
    """
    (outcome,) = await record(ledger, book, [Erasure(customer=customer)], api_key_id=api_key_id)
    if isinstance(outcome, Refused):
        raise outcome.refusal
    try:
        for account_id in await _with_members(ledger, book, outcome.entry.account_id):
            await give_up_account(ledger, book, account_id)
        await ledger.database.empty_log()
    except DatabaseUnavailable:
        about = {"book": book, "position": outcome.entry.position}
        logger.warning(
            "a customer of book %s is forgotten; what was owed is given up when it comes up", book, extra=about
        )
    return outcome.entry


async def _part(ledger: Ledger, book: str, account_id: UUID) -> None:
    """Undo what merged the account, from the last merge on."""
    while True:
        async with ledger.database.read(book) as tx:
            merged = await merge_of(tx, book, account_id)
            while merged is not None and merged.into_id != merged.survivor_id:
                merged = await merge_of(tx, book, merged.into_id)
            own = merged.account_id if merged else account_id
            names = await customers_by_id(tx, book, [own], ledger.master_key)
        if merged is None or own not in names:
            return
        await unmerge_customer(ledger, book, names[own], api_key_id=SYSTEM_SOURCE)


async def _with_members(ledger: Ledger, book: str, account_id: UUID) -> list[UUID]:
    async with ledger.database.read(book) as tx:
        return [account_id, *(each.account_id for each in await members_of(tx, book, [account_id]))]


async def erase_again(ledger: Ledger, book: str, account_id: UUID) -> bool:
    """Forget an account's customer whom an older backup brought back; False if nobody knows of any.

    Whom that merged is on their own first: nobody who was not forgotten is. Raises as `erase_customer` and
    `unmerge_customer` do, and MasterKeyMismatch if the account's key does not open.
    """
    await _part(ledger, book, account_id)
    async with ledger.database.read(book) as tx:
        customer = (await customers_by_id(tx, book, [account_id], ledger.master_key)).get(account_id)
    if customer is None:
        await give_up_account(ledger, book, account_id)
        return False
    await erase_customer(ledger, book, customer, api_key_id=SYSTEM_SOURCE)
    return True
