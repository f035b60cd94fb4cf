"""Make the receipt of a customer's entries: of each the path to the checkpoint that covers it."""

from collections.abc import Sequence
from itertools import groupby
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.chain import genesis
from app.domain.checkpoint import Checkpoint
from app.domain.entry import Entry
from app.domain.merkle import BRANCH_LEAVES, leaf_of, path_of
from app.domain.receipt import Proven, Receipt
from app.queries.audit_since import hashes_at
from app.queries.checkpoints import KeptCheckpoint, checkpoint_over, hashes_between
from app.queries.ledger_lines import entries_of_accounts
from app.queries.merges import members_of


async def read_receipt(tx: AsyncConnection, book: str, account_id: UUID, *, after: int, limit: int) -> Receipt:
    """The receipt of up to `limit` entries after a position, in order, of an account and of those merged into it.

    For each of them the hashes of one branch are read, however many entries its checkpoint covers.
    """
    own = [account_id, *(each.account_id for each in await members_of(tx, book, [account_id]))]
    found = await entries_of_accounts(tx, book, own, after=after, limit=limit + 1)
    page = waiting = found[:limit]
    proven, checkpoints = list[Proven](), list[Checkpoint]()
    while waiting and (kept := await checkpoint_over(tx, book, waiting[0].position)):
        covered = [entry for entry in waiting if entry.position <= kept.checkpoint.position]
        proven += await _proven(tx, book, kept, covered)
        checkpoints.append(kept.checkpoint)
        waiting = waiting[len(covered) :]
    return Receipt(
        book=book,
        account_ids=own,
        entries=proven,
        checkpoints=checkpoints,
        uncovered=[entry.entry_id for entry in waiting],
        next_after=page[-1].position if len(found) > limit else None,
    )


async def _proven(tx: AsyncConnection, book: str, kept: KeptCheckpoint, covered: Sequence[Entry]) -> list[Proven]:
    """Branch by branch."""
    checkpoint, found = kept.checkpoint, list[Proven]()
    before = {0: genesis(book)} | await hashes_at(tx, book, [entry.position - 1 for entry in covered])
    for branch, entries in groupby(covered, lambda entry: (entry.position - checkpoint.since - 1) // BRANCH_LEAVES):
        begun = checkpoint.since + branch * BRANCH_LEAVES
        hashes = await hashes_between(tx, book, begun, min(begun + BRANCH_LEAVES, checkpoint.position))
        leaves, beside = [leaf_of(each) for each in hashes], path_of(kept.branches, branch)
        found += [
            Proven(
                entry=entry,
                previous=before[entry.position - 1],
                checkpoint=checkpoint.number,
                path=[*path_of(leaves, entry.position - begun - 1), *beside],
            )
            for entry in entries
        ]
    return found
