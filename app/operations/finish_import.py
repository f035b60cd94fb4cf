"""Tell that an import is done: the one message that every import is worth."""

from collections.abc import Mapping

from app.database import uninterrupted
from app.domain.message import MessageType
from app.operations.book_message import tell_of_book
from app.operations.ledger import Ledger, announce_messages
from app.store.books import lock_head, save_head


@uninterrupted
async def tell_of_import(
    ledger: Ledger, book: str, *, source: str | None, is_announced: bool, rows: Mapping[str, int]
) -> None:
    """Write `import.finished`: `rows` by what became of them, and whether messages were written of what was posted."""
    data = {"source": source, "announced": is_announced, "rows": dict(rows)}
    async with ledger.database.write(book) as tx:
        head = await lock_head(tx, book)
        told = await tell_of_book(ledger, tx, head, MessageType.IMPORT_FINISHED, data, at=ledger.present(head))
        await save_head(tx, told)
    announce_messages(ledger, head, told)
