"""Set what is known of a customer beside the ledger: the segment and the value that ranks the worklist."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from app.database import uninterrupted
from app.domain.account import Account
from app.domain.crossing import advance
from app.domain.errors import UnknownCustomer
from app.domain.fold import CustomerChange, described
from app.operations.announce import announce
from app.operations.causes import Causes
from app.operations.ledger import Ledger, announce_due, announce_messages, policy_in_force
from app.operations.record import live_instant
from app.queries.accounts import accounts_by_id
from app.queries.merges import merge_of
from app.store.accounts import insert_crossings, insert_customer_change, save_accounts
from app.store.books import lock_head, save_head


@uninterrupted
async def describe_customer(ledger: Ledger, book: str, account_id: UUID, known: Mapping[str, Any]) -> Account:
    """The account with what is newly known of it (`segment`, `value`); as stored where that is nothing new.

    A segment with other thresholds may place it elsewhere.

    Writes the change, the crossings up to now, what messages they are worth, and the head's booked_at; nothing where
    nothing changes.
    """
    async with ledger.database.write(book) as tx:
        head = await lock_head(tx, book)
        now = live_instant(head, ledger.present(head))
        policy = await policy_in_force(ledger, tx, book, head.policy_version)
        merged = await merge_of(tx, book, account_id)  # since it was looked up
        account_id = merged.survivor_id if merged else account_id
        stored = (await accounts_by_id(tx, book, [account_id])).get(account_id)
        if stored is None:
            raise UnknownCustomer
        change = CustomerChange(
            changed_at=now, segment=known.get("segment", stored.segment), value=known.get("value", stored.value)
        )
        if (change.segment, change.value) == (stored.segment, stored.value):
            return stored
        causes = Causes()
        advanced, passed = advance(stored, policy, now)
        causes.passed(stored, passed, head, now)
        account, crossing = described(advanced, policy, change)
        if crossing is not None:
            causes.resegmented(advanced, account, crossing)

        await insert_customer_change(tx, book, account_id, change)
        await save_accounts(tx, head, [account])
        told = await announce(ledger, tx, head, causes.listed)
        await insert_crossings(tx, book, causes.recorded())
        await save_head(tx, replace(told, booked_at=now))
    announce_due(ledger, head, [account])
    announce_messages(ledger, head, told)
    return account
