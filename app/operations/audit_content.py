"""Whether what is sealed opens, and is what its content hash says; for `verify`."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.audit import CORRUPT, Finding
from app.domain.entry import Entry
from app.domain.errors import MasterKeyMismatch
from app.operations.ledger import Ledger
from app.queries.audit import named_accounts, wrapped_keys
from app.sealing.keys import Key, account_place, entry_place


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The keys of some accounts as far as they open, and what is wrong with the others."""

    opened: dict[UUID, Key]
    findings: list[Finding]


async def opened_keys(ledger: Ledger, tx: AsyncConnection, book: str, account_ids: Collection[UUID]) -> Keys:
    """The accounts' keys. Where key and name are both gone the account was erased, which is no finding."""
    wrapped = await wrapped_keys(tx, book, account_ids)
    named = await named_accounts(tx, book, account_ids)
    opened: dict[UUID, Key] = {}
    findings: list[Finding] = []
    for account_id in account_ids:
        where = f"account {account_id}"
        if account_id not in wrapped:
            what = "A customer's name leads to it, but its key is gone."
            findings += [Finding(law=3, where=where, what=what)] if account_id in named else []
            continue
        try:
            opened[account_id] = ledger.master_key.unwrap(wrapped[account_id], account_place(book, account_id))
        except (MasterKeyMismatch, *CORRUPT):
            findings.append(Finding(law=3, where=where, what="The master key does not open its key."))
    return Keys(opened=opened, findings=findings)


def content_findings(book: str, key: Key | None, entry: Entry) -> Iterator[Finding]:
    """What is wrong with an entry's sealed content; nothing can be said without its account's key."""
    if key is None:
        return
    where = f"position {entry.position}"
    try:
        digest = key.digest(key.open(entry.sealed, entry_place(book, entry.entry_id)))
    except (InvalidTag, *CORRUPT):
        yield Finding(law=3, where=where, what="Its sealed content does not open.")
        return
    if digest != entry.content_hash:
        yield Finding(law=3, where=where, what="Its content hash is not that of its sealed content.")
