"""Verify the checkpoints of a book: that it signed them, that they follow one another, and what they cover."""

from collections import deque
from collections.abc import Iterator

from app.domain.audit import CORRUPT, Finding
from app.domain.audit_checkpoints import Covering, row_findings
from app.domain.checkpoint import Checkpoint, policy_hash_of
from app.domain.errors import MasterKeyMismatch
from app.domain.merkle import BRANCH_LEAVES, root_of
from app.operations.audit import Audit
from app.queries.audit_since import last_position
from app.queries.books import policy_document
from app.queries.checkpoints import (
    KeptCheckpoint,
    checkpoints_after,
    kept_after,
    lines_between,
    number_at,
    signing_keys_of,
)
from app.sealing.signing import is_signed, unwrapped_signing_key

BATCH = 100  # checkpoints that are held at once


async def check_checkpoints(audit: Audit, *, since: int) -> None:
    """Law 3 for the checkpoints that cover anything after the position `since`."""
    try:
        trusted = await _own_keys(audit)
        number = await number_at(audit.tx, audit.book, since)
        before = (await checkpoints_after(audit.tx, audit.book, number - 1, limit=1))[0] if number else None
        last = await last_position(audit.tx, audit.book)
        while kept := await kept_after(audit.tx, audit.book, number, limit=BATCH):
            signed = [each.checkpoint for each in kept]
            audit.found.add(
                row_findings(signed, audit.book, is_signed=is_signed, trusted=trusted or (b"",), before=before)
            )
            audit.found.add(_branch_findings(kept))
            await _check_policies(audit, signed)
            await _check_lines(audit, signed, last)
            before, number = signed[-1], signed[-1].number
    except CORRUPT as error:
        audit.found.add_unreadable(3, "the checkpoints", error)


async def _own_keys(audit: Audit) -> list[bytes]:
    """The public halves of the book's signing keys that the master key opens."""
    found: list[bytes] = []
    for kept in await signing_keys_of(audit.tx, audit.book):
        try:
            key = unwrapped_signing_key(audit.ledger.master_key, kept.wrapped, audit.book, kept.public_key)
            assert key.public_key == kept.public_key
        except (MasterKeyMismatch, *CORRUPT):
            what = "The master key does not open a signing key."
            audit.found.add([Finding(law=3, where="head", what=what)])
        else:
            found.append(kept.public_key)
    return found


def _branch_findings(kept: list[KeptCheckpoint]) -> Iterator[Finding]:
    for each in kept:
        expected = -(-each.checkpoint.size // BRANCH_LEAVES)
        if not each.branches or len(each.branches) != expected or root_of(each.branches) != each.checkpoint.root:
            what = "Its branches are not those below its root."
            yield Finding(law=3, where=f"checkpoint {each.checkpoint.number}", what=what)


async def _check_policies(audit: Audit, signed: list[Checkpoint]) -> None:
    known: dict[int, bytes] = {}
    for each in signed:
        if each.policy_version not in known:
            document = await policy_document(audit.tx, audit.book, each.policy_version)
            known[each.policy_version] = b"" if document is None else policy_hash_of(document)
        if known[each.policy_version] != each.policy_hash:
            what = f"Version {each.policy_version} of the policy is not the one that it names."
            audit.found.add([Finding(law=3, where=f"checkpoint {each.number}", what=what)])


async def _check_lines(audit: Audit, signed: list[Checkpoint], last: int) -> None:
    covering = Covering(deque(signed))
    async for position, own in lines_between(audit.tx, audit.book, signed[0].since, signed[-1].position):
        audit.found.add(covering.line(position, own))
    audit.found.add(covering.ended(last))
