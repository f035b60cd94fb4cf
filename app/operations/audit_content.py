"""Whether what is sealed opens, and is what its content hash says; for `verify`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.alias import EXTRA
from app.domain.audit import CORRUPT, Finding
from app.domain.entry import Entry
from app.domain.errors import MasterKeyMismatch
from app.operations.ledger import Ledger
from app.queries.audit import Alias, aliases_of, wrapped_keys
from app.queries.books import book_key
from app.sealing.keys import Key, account_place, entry_place, name_place


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The keys of some accounts as far as they open, and what is wrong with the others."""

    opened: dict[UUID, Key]
    findings: list[Finding]


async def opened_book_key(ledger: Ledger, tx: AsyncConnection, book: str) -> Key | None:
    """The key that names customers; None if the master key does not open it."""
    try:
        return await book_key(tx, book, ledger.master_key)
    except (MasterKeyMismatch, *CORRUPT):
        return None


async def opened_keys(
    ledger: Ledger, tx: AsyncConnection, book: str, own: Key | None, is_erased: Mapping[UUID, bool]
) -> Keys:
    """The accounts' keys; `own` is the book's. Of accounts that were erased neither key nor name may be left."""
    account_ids = is_erased.keys()
    wrapped = await wrapped_keys(tx, book, account_ids)
    named = await aliases_of(tx, book, account_ids)
    opened: dict[UUID, Key] = {}
    findings: list[Finding] = []
    for account_id in account_ids:
        where, names = f"account {account_id}", named.get(account_id, [])
        if is_erased[account_id] or account_id not in wrapped:
            said = _left_said(is_erased[account_id], has_key=account_id in wrapped, has_name=bool(names))
            findings += [Finding(law=3, where=where, what=what) for what in said]
            continue
        try:
            opened[account_id] = ledger.master_key.unwrap(wrapped[account_id], account_place(book, account_id))
        except (MasterKeyMismatch, *CORRUPT):
            findings.append(Finding(law=3, where=where, what="The master key does not open its key."))
        else:
            said = _names_said(book, own, opened[account_id], account_id, names)
            findings += [Finding(law=3, where=where, what=what) for what in said]
    return Keys(opened=opened, findings=findings)


def _left_said(is_erased: bool, *, has_key: bool, has_name: bool) -> Iterator[str]:
    """What is wrong with an account that was erased, or has no key."""
    if is_erased and (has_key or has_name):
        yield f"Its customer was forgotten, but its {'key' if has_key else 'name'} is still there."
    elif not is_erased:
        yield "Its key is gone, and no entry says that its customer was forgotten."


def _names_said(book: str, own: Key | None, key: Key, account_id: UUID, names: Sequence[Alias]) -> Iterator[str]:
    """What is wrong with the names that lead to an account."""
    if not names:
        yield "Its key is kept, but no customer's name leads to it."
    for alias in names:
        try:
            name = key.open(alias.sealed_name, name_place(book, account_id))
        except (InvalidTag, *CORRUPT):
            yield "A name leads to it that was not sealed for it."
            continue
        if own is not None and own.digest(name.removeprefix(EXTRA.encode())) != alias.alias_hash:
            yield "Another customer's name leads to it than the one that is sealed for it."


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
