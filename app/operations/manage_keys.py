"""Create and revoke API keys; the first key of a book opens the book."""

from collections.abc import Sequence

from app.database import uninterrupted
from app.domain.api_key import BOOK_NAMES, SECRET_BYTES, ApiKey, Scope, Token, is_book_name
from app.domain.errors import InvalidRequest
from app.domain.instant import Instant
from app.domain.interaction import IDENTIFIER_CHARACTERS_MAX, SYSTEM_SOURCE
from app.operations.ledger import Ledger
from app.operations.open_book import open_book
from app.store.keys import insert_key, revoke


@uninterrupted
async def create_key(
    ledger: Ledger,
    book: str,
    *,
    name: str,
    scopes: Sequence[Scope],
    source: str | None = None,
    expires_at: Instant | None = None,
) -> tuple[ApiKey, Token]:
    """A new key and, this once, its token. InvalidRequest for a name or a source that cannot be."""
    _check_names(book, name, source)
    await open_book(ledger, book)
    token = Token(book=book, secret=ledger.entropy(SECRET_BYTES).hex())
    key = ApiKey(
        book=book,
        key_id=token.key_id,
        name=name,
        secret_hash=token.secret_hash(),
        scopes=tuple(scopes),
        source=source,
        created_at=ledger.now(),
        expires_at=expires_at,
        revoked_at=None,
    )
    async with ledger.database.write(book) as tx:
        await insert_key(tx, key)
    return key, token


def _check_names(book: str, name: str, source: str | None) -> None:
    if not is_book_name(book):
        raise InvalidRequest(BOOK_NAMES)
    if not 1 <= len(name) <= IDENTIFIER_CHARACTERS_MAX:
        raise InvalidRequest(f"A key's name has 1 to {IDENTIFIER_CHARACTERS_MAX} characters.")
    if source is not None and (source == SYSTEM_SOURCE or not 1 <= len(source) <= IDENTIFIER_CHARACTERS_MAX):
        raise InvalidRequest(f"A source has 1 to {IDENTIFIER_CHARACTERS_MAX} characters and is not {SYSTEM_SOURCE}.")


@uninterrupted
async def revoke_key(ledger: Ledger, book: str, key_id: str) -> bool:
    """Revoke a key from now on; False if there is none to revoke."""
    async with ledger.database.write(book) as tx:
        is_revoked = await revoke(tx, book, key_id, at=ledger.now())
    ledger.open_keys.clear()
    return is_revoked
