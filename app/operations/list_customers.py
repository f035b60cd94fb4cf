"""List customers: a page of the worklist, as everything stood at the instant at which the list began."""

from collections.abc import Callable, Mapping
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.account import Account
from app.domain.immutable import immutable
from app.domain.policy import PolicyHistory
from app.domain.worklist import Asked, Moment, Rank
from app.operations.ledger import Ledger, policy_history, policy_in_force
from app.operations.read_customer import Reading, under_its_key
from app.queries.accounts import customers_by_id, customers_of_records
from app.queries.worklist import worklist
from app.queries.worklist_page import PageRows, page_rows
from app.sealing.keys import Key
from app.sql import uuid_of


@immutable
class Listing:
    """A page of the list of a moment, the names of its customers, and the book as it is read at that moment."""

    view: Reading
    moment: Moment
    page: list[tuple[Rank, Account]]
    names: Mapping[UUID, str]


async def list_customers(
    ledger: Ledger, tx: AsyncConnection, book: str, asked_under: Callable[[Key], Asked]
) -> Listing:
    """The page that is asked for; what its cursor says is read under the book's own key. Requires an existing book.

    It is one statement. There are more for an order that no index has, for more unsettled accounts than go into one,
    and for an account that was touched since the list was begun, so that it is folded again.
    """

    async def read(own: Key) -> PageRows:
        return await page_rows(tx, book, asked_under(own), now=now)

    async def history() -> PolicyHistory:
        return await policy_history(ledger, tx, book, up_to=moment.policy_version)

    now = ledger.now()
    own, rows = await under_its_key(ledger, tx, book, read)
    moment = rows.moment
    policy = await policy_in_force(ledger, tx, book, moment.policy_version)
    page = await worklist(tx, rows, policy, history)
    return Listing(
        view=Reading(ledger=ledger, head=rows.head, now=moment.at, policy=policy, book_key=own, tx=tx),
        moment=moment,
        page=page,
        names=await _names(ledger, tx, rows, {account.account_id for _, account in page}),
    )


async def _names(ledger: Ledger, tx: AsyncConnection, rows: PageRows, account_ids: set[UUID]) -> dict[UUID, str]:
    """The customers' names, of which the page's rows have most."""
    book, sealed = rows.head.book, [record for record in rows.names if uuid_of(record[0]) in account_ids]
    names = customers_of_records(book, sealed, ledger.master_key)
    others = account_ids - names.keys()
    return names | await customers_by_id(tx, book, others, ledger.master_key) if others else names
