"""Carry the adoption of a policy on until it is in force, and sweep away what it leaves, a short step at a time.

While accounts are prepared, batch by batch and without the head's lock, as another generation of them, the book goes
on under the policy in force. The last step, under the lock, prepares anew what was touched since and records the
crossings of the accounts that move; then the book takes the whole generation up at once.

Any process may carry on what another began, and several may at once: a batch is kept only if nobody else got further
meanwhile.
"""

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import uninterrupted
from app.domain.account import Account
from app.domain.adoption import Adoption
from app.domain.entry import Head
from app.domain.errors import Refusal
from app.domain.instant import Instant
from app.domain.message import MessageType
from app.domain.policy import Policy
from app.domain.policy_document import parse_policy
from app.domain.standing import Place
from app.operations.announce import announce
from app.operations.book_message import tell_of_book
from app.operations.causes import Causes
from app.operations.ledger import Ledger, announce_messages, policy_in_force
from app.operations.record import live_instant
from app.operations.switching import BATCH_ACCOUNTS, Switched, switched_accounts
from app.operations.tick import ACCOUNTS_MAX, advance_due
from app.queries.adoptions import accounts_after, adoption_of, left_generation, unready_accounts
from app.queries.books import head as read_head
from app.store.accounts import NewCrossing, insert_crossings, save_accounts
from app.store.adoptions import (
    delete_adoption,
    delete_generation,
    lock_adoption,
    move_prepared,
    save_prepared,
    save_progress,
)
from app.store.books import insert_policy_version, lock_head, save_head

SWEPT_AT_ONCE = 500  # accounts; on SQLite postings wait meanwhile


async def carry_for(ledger: Ledger, book: str, seconds: float) -> None:
    """Carry the adoption on for so long; what is left then, and what is to be swept, a clock carries on."""
    with suppress(TimeoutError, Refusal):
        await asyncio.wait_for(carry_adoption(ledger, book), seconds)
    ledger.soon_due.set()


async def carry_adoption(ledger: Ledger, book: str) -> None:
    """Carry the book's adoption on until its policy is in force or it was cancelled.

    Raises Replaying or ClockBehind where the book takes no live writes: then try again later.
    """
    while await prepare_or_switch(ledger, book):
        pass


async def carry_on(ledger: Ledger, book: str) -> None:
    """Take one step of what is left to do: of an adoption, or, where none is under way, of sweeping."""
    if not await prepare_or_switch(ledger, book):
        await sweep(ledger, book)


@uninterrupted
async def prepare_or_switch(ledger: Ledger, book: str) -> bool:
    """Take one step of an adoption; False if none is under way."""
    async with ledger.database.read(book) as tx:
        if await adoption_of(tx, book) is None:
            return False
    # What time brought under the policy in force is recorded before, or the last step would have to.
    if (await advance_due(ledger, book)).advanced == ACCOUNTS_MAX:
        return True
    batch = await _next_batch(ledger, book)
    if batch is not None and await _is_kept(ledger, batch) and batch.is_last:
        await _switch(ledger, batch.reached)
    return True


@uninterrupted
async def sweep(ledger: Ledger, book: str) -> bool:
    """Sweep some of the accounts away that adoptions left; False if there are none, or one is under way."""
    async with ledger.database.write(book) as tx:
        generation = await left_generation(tx, book)
        if generation is None:
            return False
        await delete_generation(tx, book, generation, limit=SWEPT_AT_ONCE)
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """Accounts as they would be, found for an adoption that was `begun` so far and has `reached` that far by them.

    `is_last` says whether all accounts are prepared then as they were just now.
    """

    begun: Adoption
    reached: Adoption
    found: Sequence[Switched]
    is_last: bool


async def _next_batch(ledger: Ledger, book: str) -> _Batch | None:
    """Of accounts never looked at, else of those touched since; None if no adoption is under way."""
    async with ledger.database.read(book) as tx:
        adoption, head = await adoption_of(tx, book), await read_head(tx, book)
        if adoption is None or head is None:
            return None
        at = max(ledger.present(head), head.booked_at)
        reached, is_last = replace(adoption, prepared_at=max(adoption.prepared_at, at)), False
        if batch := await accounts_after(tx, book, adoption.after_account_id, limit=BATCH_ACCOUNTS):
            done = min(adoption.accounts_done + len(batch), adoption.accounts_total)
            reached = replace(reached, after_account_id=batch[-1].account_id, accounts_done=done)
        else:
            batch = await unready_accounts(tx, adoption, at=at, limit=BATCH_ACCOUNTS)
            is_last = len(batch) < BATCH_ACCOUNTS
            reached = replace(reached, touched_from=head.booked_at) if is_last else reached
        before, after = await _policies(ledger, tx, head, adoption)
        found = await switched_accounts(tx, book, batch, before=before, after=after, at=at)
    return _Batch(begun=adoption, reached=reached, found=found, is_last=is_last)


async def _is_kept(ledger: Ledger, batch: _Batch) -> bool:
    """Keep the batch, unless somebody else got further with the adoption, began it anew, or ended it."""
    async with ledger.database.write(batch.begun.book) as tx:
        if await lock_adoption(tx, batch.begun.book) != batch.begun:
            return False
        await save_prepared(tx, batch.begun, [_prepared(each) for each in batch.found])
        await save_progress(tx, batch.reached)
    return True


def _prepared(each: Switched) -> tuple[Account, Place | None]:
    """The account as the switch makes it, but for the crossing and its instant; and where it is now, if it moves.

    It is to be looked at when it is to be looked at now, if that comes first: so what the clock records meanwhile makes
    it unready.
    """
    look_again_at = min(each.stored.look_again_at, each.after.look_again_at)
    after = each.after
    account = replace(
        each.stored, masses=after.masses, heaviest=after.heaviest, place=after.place, look_again_at=look_again_at
    )
    return account, each.stored.place if each.stored.place != account.place else None


async def _switch(ledger: Ledger, adoption: Adoption) -> None:
    """The last step: what comes before it in the book's order is felt under the policy before, what comes after not.

    Nothing happens if the adoption began anew meanwhile, or ended.
    """
    async with ledger.database.write(adoption.book) as tx:
        head = await lock_head(tx, adoption.book)
        locked = await lock_adoption(tx, adoption.book)
        # Others may have got further while this one waited; who begins anew takes another generation.
        if locked is None or locked.generation != adoption.generation:
            return
        adoption = locked
        at = _instant(head, adoption, ledger.present(head))
        told = await _switch_unready(ledger, tx, adoption, head, at)
        data = {"version": adoption.version, "api_key": adoption.api_key_id}
        told = await tell_of_book(ledger, tx, told, MessageType.POLICY_ADOPTED, data, at=at)
        await move_prepared(tx, adoption, at=at)
        await insert_policy_version(tx, _version_row(adoption, head, at))
        await save_head(tx, _under(adoption, replace(told, booked_at=at if head.position else head.booked_at)))
        await delete_adoption(tx, adoption.book)
    announce_messages(ledger, head, told)


def _instant(head: Head, adoption: Adoption, now: Instant) -> Instant:
    """An instant after all that is booked and all that accounts were prepared for. Raises Replaying or ClockBehind.

    In an empty book there is nothing that comes before, and history may still be replayed into it.
    """
    if head.position == 0:
        return now
    return live_instant(replace(head, booked_at=max(head.booked_at, adoption.prepared_at)), now)


def _under(adoption: Adoption, head: Head) -> Head:
    return replace(head, policy_version=adoption.version, generation=adoption.generation)


async def _switch_unready(ledger: Ledger, tx: AsyncConnection, adoption: Adoption, head: Head, at: Instant) -> Head:
    """The accounts that were touched since they were prepared, or that time moves just now: one by one.

    What time did comes before the switch, and is told of under the policy before; the head after its messages.
    """
    policies = await _policies(ledger, tx, head, adoption)
    while batch := await unready_accounts(tx, adoption, at=at, limit=BATCH_ACCOUNTS):
        found = await switched_accounts(tx, adoption.book, batch, before=policies[0], after=policies[1], at=at)
        causes = Causes()
        for each in found:
            causes.passed(each.stored, each.passed, head, at)
        moved = [
            NewCrossing(account_id=each.after.account_id, ordinal=each.after.crossings, crossing=each.crossing)
            for each in found
            if each.crossing is not None
        ]
        await save_accounts(tx, _under(adoption, head), [each.after for each in found])
        head = await announce(ledger, tx, head, causes.listed)
        await insert_crossings(tx, adoption.book, [*causes.recorded(), *moved])
    return head


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
        "announced": True,
    }
