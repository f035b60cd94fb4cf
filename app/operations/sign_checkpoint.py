"""Sign a checkpoint of a book: of the entries that no other one covers yet, as many as one may cover."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import uninterrupted
from app.domain.checkpoint import Checkpoint, Statement, checkpoint_shown, first_previous, policy_hash_of
from app.domain.entry import Head
from app.domain.instant import Instant
from app.domain.merkle import branches_of, root_of
from app.domain.message import MessageType
from app.operations.book_message import tell_of_book
from app.operations.ledger import Ledger, announce_messages
from app.queries.audit_since import hashes_at
from app.queries.books import policy_document
from app.queries.checkpoints import KeptKey, hashes_between, last_checkpoint, signing_keys_of
from app.sealing.signing import SigningKey, new_signing_key, unwrapped_signing_key
from app.store.books import lock_head, save_head
from app.store.checkpoints import insert_checkpoint, insert_signing_key


@dataclass(frozen=True, slots=True, kw_only=True)
class _Covered:
    """The last entry that a checkpoint is to cover, and the root above all that it covers."""

    position: int
    hash: bytes
    root: bytes


@uninterrupted
async def sign_checkpoint(ledger: Ledger, book: str) -> Checkpoint | None:
    """Sign the next checkpoint and tell of it; None if no entry is uncovered, or history is replayed.

    What it covers is read without the head's lock, since entries never change. None, too, if another process signed it
    meanwhile, or the sandbox was emptied.
    """
    async with ledger.database.read(book) as tx:
        before = await last_checkpoint(tx, book)
        since = before.position if before else 0
        hashes = await hashes_between(tx, book, since, since + ledger.rhythm.entries)
    if not hashes:
        return None
    branches = await asyncio.to_thread(branches_of, hashes)
    covered = _Covered(position=since + len(hashes), hash=hashes[-1], root=root_of(branches))

    async with ledger.database.write(book) as tx:
        head = await lock_head(tx, book)
        stored = await hashes_at(tx, book, [covered.position])
        is_as_read = await last_checkpoint(tx, book) == before and stored == {covered.position: covered.hash}
        if head.replaying or not is_as_read:
            return None
        checkpoint = await _signed_now(ledger, tx, head, before, covered)
        await insert_checkpoint(tx, checkpoint, branches)
        data = checkpoint_shown(checkpoint)
        told = await tell_of_book(ledger, tx, head, MessageType.CHECKPOINT_SIGNED, data, at=checkpoint.signed_at)
        await save_head(tx, told)
    announce_messages(ledger, head, told)
    return checkpoint


@uninterrupted
async def replace_signing_key(ledger: Ledger, book: str) -> bytes:
    """Draw a new signing key, which signs from now on; its public half. The others stay readable."""
    async with ledger.database.write(book) as tx:
        head = await lock_head(tx, book)
        return (await _drawn(ledger, tx, head, await signing_keys_of(tx, book))).public_key


def signed(statement: Statement, key: SigningKey) -> Checkpoint:
    """The statement with its signature."""
    fields = {name: getattr(statement, name) for name in Statement.__dataclass_fields__}
    return Checkpoint(**fields, signature=key.sign(statement.signed_bytes))


async def _signed_now(
    ledger: Ledger, tx: AsyncConnection, head: Head, before: Checkpoint | None, covered: _Covered
) -> Checkpoint:
    key, policy = await _signing_key(ledger, tx, head), await policy_document(tx, head.book, head.policy_version)
    assert policy is not None
    statement = Statement(
        book=head.book,
        number=before.number + 1 if before else 1,
        since=before.position if before else 0,
        previous=before.own_hash if before else first_previous(head.book),
        position=covered.position,
        hash=covered.hash,
        root=covered.root,
        policy_version=head.policy_version,
        policy_hash=policy_hash_of(policy),
        signed_at=max(_instant(ledger, head), before.signed_at if before else 0),
        public_key=key.public_key,
    )
    return signed(statement, key)


async def _signing_key(ledger: Ledger, tx: AsyncConnection, head: Head) -> SigningKey:
    """The key that signs now; the book's first one, if there is none yet."""
    kept = await signing_keys_of(tx, head.book)
    if not kept:
        return await _drawn(ledger, tx, head, ())
    return unwrapped_signing_key(ledger.master_key, kept[-1].wrapped, head.book, kept[-1].public_key)


async def _drawn(ledger: Ledger, tx: AsyncConnection, head: Head, kept: Sequence[KeptKey]) -> SigningKey:
    key = new_signing_key(ledger.entropy)
    created_at = max([_instant(ledger, head), *(each.created_at + 1 for each in kept)])
    wrapped = key.wrapped(ledger.master_key, head.book, entropy=ledger.entropy)
    await insert_signing_key(tx, head.book, key.public_key, wrapped, created_at=created_at)
    return key


def _instant(ledger: Ledger, head: Head) -> Instant:
    """Now, and never before the last entry."""
    return max(ledger.present(head), head.booked_at)
