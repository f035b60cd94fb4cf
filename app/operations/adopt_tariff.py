"""Adopt a tariff, whole; the old versions stay readable for ever."""

import asyncio
import json
from dataclasses import replace
from typing import Any

from app.database import uninterrupted
from app.domain.errors import TariffChanged
from app.domain.tariff_document import parse_tariff
from app.operations.ledger import Ledger
from app.store.books import insert_tariff_version, lock_head, save_head


@uninterrupted
async def adopt_tariff(
    ledger: Ledger, book: str, document: Any, *, expected_version: int | None, api_key_id: str
) -> int:
    """Adopt the document as the next version and return that; the version in force stays if it is refused.

    Raises InvalidTariff, or TariffChanged if `expected_version` is not the one in force (None expects any).
    """
    # Compiling takes up to seconds: the event loop has better things to do meanwhile.
    await asyncio.to_thread(parse_tariff, document)

    async with ledger.database.write(book) as tx:
        head = await lock_head(tx, book)
        if expected_version not in (None, head.tariff_version):
            raise TariffChanged
        adopted = replace(head, tariff_version=head.tariff_version + 1)
        await insert_tariff_version(
            tx,
            {
                "book": book,
                "version": adopted.tariff_version,
                "document": json.dumps(document, ensure_ascii=False),
                "from_position": head.position,
                "adopted_at": ledger.present(head),
                "api_key_id": api_key_id,
            },
        )
        await save_head(tx, adopted)
    return adopted.tariff_version
