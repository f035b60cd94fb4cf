"""Open a book: its key, the default tariff and policy as version 1, an empty ledger."""

import json

from sqlalchemy.exc import IntegrityError

from app.database import uninterrupted
from app.domain.chain import genesis
from app.domain.interaction import EARLIEST
from app.domain.policy import Policy
from app.domain.policy_document import policy_document
from app.domain.tariff_document import default_tariff
from app.operations.ledger import Ledger
from app.queries.books import check_master_key, head
from app.sealing.keys import book_place, new_key
from app.store.books import insert_book, insert_policy_version, insert_tariff_version

OPENED_BY = "goodwill"


@uninterrupted
async def open_book(ledger: Ledger, book: str) -> bool:
    """Open the book unless it is open already; says whether it was opened now.

    Raises MasterKeyMismatch rather than seal a second book with another master key than the first.
    """
    try:
        return await _open(ledger, book)
    except IntegrityError:
        return False  # another process was quicker


async def _open(ledger: Ledger, book: str) -> bool:
    async with ledger.database.write(book) as tx:
        if await head(tx, book) is not None:
            return False
        async with ledger.database.oversee() as others:
            await check_master_key(others, ledger.master_key)
        now = ledger.now()
        version = {"book": book, "version": 1, "from_position": 0, "adopted_at": now, "api_key_id": OPENED_BY}
        wrapped = ledger.master_key.wrap(new_key(ledger.entropy), book_place(book), entropy=ledger.entropy)
        await insert_book(
            tx,
            {
                "book": book,
                "created_at": now,
                "position": 0,
                "hash": genesis(book),
                "booked_at": EARLIEST,
                "tariff_version": 1,
                "policy_version": 1,
                "replaying": False,
                "replayed_to": 0,
                "messages": 0,
                "wrapped_key": wrapped,
            },
        )
        await insert_tariff_version(tx, {**version, "document": json.dumps(default_tariff().document)})
        await insert_policy_version(tx, {**version, "document": policy_document(Policy())})
    return True
