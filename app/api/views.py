"""How accounts and entries are put together for the wire, wherever they are shown."""

import json
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from app.api.wire_pages import HindsightOut
from app.api.wire_promise import PromiseOut
from app.domain.account import Account
from app.domain.errors import InteractionErased
from app.domain.promise import Promise
from app.domain.shown import Shown, account_shown, entry_shown, share_shown
from app.operations.look_back import Seen
from app.operations.read_customer import Reading, View, tariff_of, weighing_most_in_each
from app.queries.accounts import customers_by_id, keys_of, names_of
from app.queries.entries import entries_by_id
from app.queries.ledger_lines import Line, lines_of_account
from app.queries.promises import open_promises_of
from app.sealing.keys import Key, entry_place

RECENT = 10
PROMISES_MAX = 50  # of an account; GET /v1/promises pages through more


async def account_view(view: View, account: Account, customer: str) -> Shown:
    """The account at the view's instant, with what it rests on, as `AccountOut` has it."""
    (shown_account,) = await account_views(view, [(account, customer)])
    return shown_account


async def account_views(view: View, named: Sequence[tuple[Account, str]]) -> list[Shown]:
    """Accounts with their customers' names, in the order given; one query for what they all rest on."""
    rules = (await tariff_of(view)).kinds
    weighing = await weighing_most_in_each(view, [account for account, _ in named])
    return [
        account_shown(
            account,
            customer,
            view.policy,
            view.now,
            [share_shown(share, rules.get(share.entry.kind)) for share in weighing[account.account_id]],
            merged_into=view.merged.get(customer),
        )
        for account, customer in named
    ]


async def recent_views(view: Reading, account: Account, customer: str) -> list[Shown]:
    """The account's last entries, the latest first."""
    lines = await lines_of_account(view.tx, view.book, account.account_id, after=max(0, account.sequence - RECENT))
    return [entry_shown(line.entry, customer, line.reversed_by) for line in reversed(lines)]


async def open_promise_views(view: Reading, account: Account) -> list[PromiseOut]:
    """The account's promises that are not settled, the first due first."""
    promises = await open_promises_of(view.tx, view.book, account.account_id, limit=PROMISES_MAX)
    return await promise_views(view, promises)


async def entry_views(view: Reading, lines: Sequence[Line]) -> list[Shown]:
    """The lines as `LineOut` has them, each with its customer's name, if that is not forgotten."""
    names = await customers_of(view, {line.entry.account_id for line in lines})
    named = [(line, names.get(line.entry.account_id)) for line in lines]
    return [{**entry_shown(line.entry, name, line.reversed_by), "erased": name is None} for line, name in named]


async def promise_views(view: Reading, promises: Sequence[Promise]) -> list[PromiseOut]:
    """The promises at the reading's instant, each with its customer's name and its attributes."""
    keys = await keys_of(view.tx, view.book, {promise.account_id for promise in promises}, view.ledger.master_key)
    names = await names_of(view.tx, view.book, keys)
    if not names.keys() >= {promise.account_id for promise in promises}:
        raise InteractionErased  # since it was posted
    made = await entries_by_id(view.tx, view.book, [promise.made_by for promise in promises])
    elsewhere = {entry.account_id for entry in made.values()} - keys.keys()  # on accounts that were merged since
    keys |= await keys_of(view.tx, view.book, elsewhere, view.ledger.master_key)
    return [
        PromiseOut.of(
            promise,
            names[promise.account_id],
            view.now,
            attributes=_attributes(view, keys[made[promise.made_by].account_id], promise),
        )
        for promise in promises
    ]


def _attributes(view: Reading, key: Key, promise: Promise) -> dict[str, Any]:
    content = json.loads(key.open(promise.sealed, entry_place(view.book, promise.made_by)))
    attributes: dict[str, Any] = content.get("attributes", {})
    return attributes


async def hindsight_views(view: Reading, seen: Sequence[Seen]) -> list[HindsightOut]:
    """Accounts in hindsight, as the wire shows them."""
    tariff = await tariff_of(view)
    names = await customers_of(view, [each.hindsight.account_id for each in seen])
    return [HindsightOut.of(each, names[each.hindsight.account_id], tariff) for each in seen]


async def customers_of(view: Reading, account_ids: Collection[UUID]) -> dict[UUID, str]:
    """The customers' names of these accounts."""
    return await customers_by_id(view.tx, view.book, account_ids, view.ledger.master_key)
