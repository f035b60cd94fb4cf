"""Adopt a policy: begin, carry on until it is in force, or cancel.

While accounts are prepared for it, batch by batch and without the head's lock, the book goes on under the policy in
force. What was prepared is kept, so that any process may carry on after another. The last step, under the lock,
switches the few accounts that were touched since one by one, and all others in one statement.
"""

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.adoption import Adoption
from app.domain.entry import Head
from app.domain.errors import AdoptionUnderWay, NoAdoption, PolicyChanged, Replaying
from app.domain.instant import Instant
from app.domain.policy import Policy
from app.domain.policy_document import parse_policy
from app.operations.ledger import Ledger, policy_in_force
from app.operations.record import live_instant
from app.operations.switching import BATCH_ACCOUNTS, switched_accounts
from app.queries.adoptions import accounts_after, adoption_of, stale_accounts, unready_accounts
from app.queries.audit import count_rows
from app.queries.books import head as read_head
from app.store.accounts import Recorded, insert_crossings, save_accounts
from app.store.adoptions import (
    delete_adoption,
    delete_next,
    insert_adoption,
    lock_adoption,
    save_next,
    save_progress,
    switch_prepared,
)
from app.store.books import insert_policy_version, lock_head, save_head
from app.tables import accounts

if TYPE_CHECKING:
    from app.domain.account import Account

CHASES_MAX = 20  # batches of accounts touched meanwhile; under so many postings the last step takes the rest


async def adopt_policy(
    ledger: Ledger, book: str, document: Any, *, expected_version: int | None, api_key_id: str
) -> Adoption:
    """Begin to adopt the document as the next version; `carry_adoption` does the rest.

    Raises InvalidPolicy, AdoptionUnderWay, Replaying, or PolicyChanged if `expected_version` is not in force (None
    expects any).
    """
    parse_policy(document, 0)
    async with ledger.database.write() as tx:
        head = await lock_head(tx, book)
        if expected_version not in (None, head.policy_version):
            raise PolicyChanged
        if head.replaying:
            raise Replaying
        under_way = await adoption_of(tx, book)
        if under_way is not None:
            raise AdoptionUnderWay(extra={"version": under_way.version})
        adoption = Adoption(
            book=book,
            adoption_id=ledger.new_id(),
            version=head.policy_version + 1,
            document=json.dumps(document, ensure_ascii=False),
            api_key_id=api_key_id,
            started_at=ledger.now(),
            accounts_total=await count_rows(tx, book, accounts),
            accounts_done=0,
            after_account_id=None,
        )
        await insert_adoption(tx, adoption)
    return adoption


async def cancel_adoption(ledger: Ledger, book: str) -> None:
    """Give the adoption up, without a trace; the policy in force stays. Raises NoAdoption if none is under way."""
    async with ledger.database.write() as tx:
        adoption = await adoption_of(tx, book)
        if adoption is None or not await lock_adoption(tx, adoption):
            raise NoAdoption
        await delete_adoption(tx, adoption)
        await delete_next(tx, adoption)


async def carry_adoption(ledger: Ledger, book: str) -> None:
    """Carry the book's adoption on until its policy is in force or it was cancelled; several may try at once.

    Raises Replaying or ClockBehind where the book takes no live writes: then try again later.
    """
    chases = 0
    while chases < CHASES_MAX and (is_first := await _prepare_some(ledger, book)) is not None:
        chases += 0 if is_first else 1
    adopted = await _switch(ledger, book)
    if adopted is not None:
        async with ledger.database.write() as tx:
            await delete_next(tx, adopted)


async def _prepare_some(ledger: Ledger, book: str) -> bool | None:
    """Prepare one batch: True of accounts never looked at, False of those touched since, None if it needs no more."""
    async with ledger.database.read() as tx:
        adoption, head = await adoption_of(tx, book), await read_head(tx, book)
        if adoption is None or head is None:
            return None
        batch = await accounts_after(tx, book, adoption.after_account_id, limit=BATCH_ACCOUNTS)
        is_first = bool(batch)
        if not is_first:
            batch = await stale_accounts(tx, adoption, limit=BATCH_ACCOUNTS)
        before, after = await _policies(ledger, tx, head, adoption)
        at = max(ledger.now(), head.booked_at)
        found = await switched_accounts(tx, book, batch, before=before, after=after, at=at)
    async with ledger.database.write() as tx:
        if not await lock_adoption(tx, adoption):
            return None
        await save_next(tx, adoption, [(each.stored, each.after, at) for each in found])
        if is_first:
            done = min(adoption.accounts_done + len(batch), adoption.accounts_total)
            await save_progress(tx, adoption, after=batch[-1].account_id, done=done)
    return is_first if is_first or len(batch) == BATCH_ACCOUNTS else None


async def _switch(ledger: Ledger, book: str) -> Adoption | None:
    """The last step: what comes before it in the book's order is felt under the policy before, what comes after not.

    None if the adoption was cancelled, or if another process took this step.
    """
    async with ledger.database.write() as tx:
        head = await lock_head(tx, book)
        adoption = await adoption_of(tx, book)
        if adoption is None or not await lock_adoption(tx, adoption):
            return None
        # In an empty book there is nothing that comes before, and history may still be replayed into it.
        at = live_instant(head, ledger.now()) if head.position else ledger.now()
        before, after = await _policies(ledger, tx, head, adoption)
        await _switch_one_by_one(tx, adoption, before, after, at)
        await switch_prepared(tx, adoption, at=at)
        await insert_policy_version(tx, _version_row(adoption, head, at))
        booked_at = at if head.position else head.booked_at
        await save_head(tx, replace(head, policy_version=adoption.version, booked_at=booked_at))
        await delete_adoption(tx, adoption)
    return adoption


async def _switch_one_by_one(
    tx: AsyncConnection, adoption: Adoption, before: Policy, after: Policy, at: Instant
) -> None:
    """The accounts that were touched since they were prepared, or that time moves just now."""
    batch: list[Account] = []
    while True:
        last = batch[-1].account_id if batch else None
        batch = await unready_accounts(tx, adoption, at=at, after=last, limit=BATCH_ACCOUNTS)
        if not batch:
            return
        found = await switched_accounts(tx, adoption.book, batch, before=before, after=after, at=at)
        await save_accounts(tx, adoption.book, [each.after for each in found])
        numbered = [
            Recorded(account_id=each.stored.account_id, ordinal=ordinal, crossing=crossing)
            for each in found
            for ordinal, crossing in enumerate(each.crossings, start=each.stored.crossings + 1)
        ]
        await insert_crossings(tx, adoption.book, numbered)


async def _policies(ledger: Ledger, tx: AsyncConnection, head: Head, adoption: Adoption) -> tuple[Policy, Policy]:
    before = await policy_in_force(ledger, tx, head.book, head.policy_version)
    return before, parse_policy(json.loads(adoption.document), adoption.version)


def _version_row(adoption: Adoption, head: Head, at: Instant) -> dict[str, Any]:
    return {
        "book": adoption.book,
        "version": adoption.version,
        "document": adoption.document,
        "from_position": head.position,
        "adopted_at": at,
        "api_key_id": adoption.api_key_id,
    }
