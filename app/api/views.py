"""How accounts and entries are put together for the wire, wherever they are shown."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from app.api.wire import AccountOut, BecauseOut, EntryOut
from app.api.wire_pages import HindsightOut
from app.api.wire_promise import PromiseOut
from app.domain.account import Account
from app.domain.promise import Promise
from app.operations.look_back import Seen
from app.operations.read_customer import Reading, View, tariff_of, weighing_most_in_each
from app.queries.accounts import keys_of, names_of
from app.queries.ledger_lines import Line, lines_of_account
from app.queries.promises import open_promises_of
from app.sealing.keys import Key, entry_place

RECENT = 10
PROMISES_MAX = 50  # of an account; GET /v1/promises pages through more


async def account_view(view: View, account: Account, customer: str) -> AccountOut:
    """The account at the view's instant, with what it rests on."""
    (shown_account,) = await account_views(view, [(account, customer)])
    return shown_account


async def account_view_with(
    view: Reading, account: Account, customer: str, *, with_recent: bool, with_promises: bool
) -> AccountOut:
    """The same with its last entries, and its promises."""
    shown_account = await account_view(view, account, customer)
    if with_recent:
        lines = await lines_of_account(view.tx, view.book, account.account_id, after=max(0, account.sequence - RECENT))
        recent = [EntryOut.of(line.entry, customer, line.reversed_by) for line in reversed(lines)]
        shown_account = shown_account.model_copy(update={"recent": recent})
    if with_promises:
        promises = await open_promises_of(view.tx, view.book, account.account_id, limit=PROMISES_MAX)
        shown_account = shown_account.model_copy(update={"promises": await promise_views(view, promises)})
    return shown_account


async def account_views(view: View, named: Sequence[tuple[Account, str]]) -> list[AccountOut]:
    """Accounts with their customers' names, in the order given; one query for what they all rest on."""
    tariff = await tariff_of(view)
    weighing = await weighing_most_in_each(view, [account for account, _ in named])
    return [
        AccountOut.of(
            account,
            customer,
            view.policy,
            view.now,
            because=[BecauseOut.of(share, tariff) for share in weighing[account.account_id]],
        )
        for account, customer in named
    ]


async def entry_views(view: Reading, lines: Sequence[Line]) -> list[EntryOut]:
    """The lines as the wire shows them, each with its customer's name."""
    names = await customers_of(view, {line.entry.account_id for line in lines})
    return [EntryOut.of(line.entry, names[line.entry.account_id], line.reversed_by) for line in lines]


async def promise_views(view: Reading, promises: Sequence[Promise]) -> list[PromiseOut]:
    """The promises at the reading's instant, each with its customer's name and its attributes."""
    keys = await keys_of(view.tx, view.book, {promise.account_id for promise in promises}, view.ledger.master_key)
    names = await names_of(view.tx, view.book, keys)
    return [
        PromiseOut.of(promise, names[promise.account_id], view.now, attributes=_attributes(view, keys, promise))
        for promise in promises
    ]


def _attributes(view: Reading, keys: Mapping[UUID, Key], promise: Promise) -> dict[str, Any]:
    content = json.loads(keys[promise.account_id].open(promise.sealed, entry_place(view.book, promise.made_by)))
    attributes: dict[str, Any] = content.get("attributes", {})
    return attributes


async def hindsight_views(view: Reading, seen: Sequence[Seen]) -> list[HindsightOut]:
    """Accounts in hindsight, as the wire shows them."""
    tariff = await tariff_of(view)
    names = await customers_of(view, [each.hindsight.account_id for each in seen])
    return [HindsightOut.of(each, names[each.hindsight.account_id], tariff) for each in seen]


async def customers_of(view: Reading, account_ids: Collection[UUID]) -> dict[UUID, str]:
    """The customers' names of these accounts."""
    keys = await keys_of(view.tx, view.book, account_ids, view.ledger.master_key)
    return await names_of(view.tx, view.book, keys)
