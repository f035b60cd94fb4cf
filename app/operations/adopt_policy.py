"""Adopt a policy: begin, or cancel; `carry_adoption` does what lies between."""

import json
from typing import Any

from app.database import uninterrupted
from app.domain.adoption import Adoption
from app.domain.errors import AdoptionUnderWay, NoAdoption, PolicyChanged, Replaying
from app.domain.policy_document import parse_policy
from app.operations.ledger import Ledger, new_generation
from app.queries.adoptions import adoption_of
from app.queries.audit import count_rows
from app.store.adoptions import delete_adoption, insert_adoption, lock_adoption
from app.store.books import lock_head
from app.tables import accounts


@uninterrupted
async def adopt_policy(
    ledger: Ledger, book: str, document: Any, *, expected_version: int | None, api_key_id: str
) -> Adoption:
    """Begin to adopt the document as the next version; `carry_adoption` does the rest.

    Raises InvalidPolicy, AdoptionUnderWay, Replaying, or PolicyChanged if `expected_version` is not in force (None
    expects any).
    """
    parse_policy(document, 0)
    async with ledger.database.read(book) as tx:
        accounts_total = await count_rows(tx, book, accounts)
    async with ledger.database.write(book) as tx:
        head = await lock_head(tx, book)
        if expected_version not in (None, head.policy_version):
            raise PolicyChanged
        if head.replaying:
            raise Replaying
        under_way = await adoption_of(tx, book)
        if under_way is not None:
            raise AdoptionUnderWay(extra={"version": under_way.version})
        adoption = Adoption(
            book=book,
            generation=new_generation(ledger),
            version=head.policy_version + 1,
            document=json.dumps(document, ensure_ascii=False),
            api_key_id=api_key_id,
            started_at=ledger.present(head),
            accounts_total=accounts_total,
            accounts_done=0,
            after_account_id=None,
            touched_from=head.booked_at,
            prepared_at=head.booked_at,
        )
        await insert_adoption(tx, adoption)
    return adoption


@uninterrupted
async def cancel_adoption(ledger: Ledger, book: str) -> None:
    """Give the adoption up; the policy in force stays. Raises NoAdoption if none is under way."""
    async with ledger.database.write(book) as tx:
        if await lock_adoption(tx, book) is None:
            raise NoAdoption
        await delete_adoption(tx, book)
