"""What the law asks of whoever keeps personal data: to hand it all over to whom it is about, and to forget them."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field
from pydantic_core import to_json

from app.api.body import StrictRoute
from app.api.json_answer import JsonAnswer
from app.api.message_views import MessageBodyOut, message_body_views
from app.api.openapi import ANSWERS, refusals
from app.api.state import Admin, LedgerDep
from app.api.views import account_view, promise_views
from app.api.wire import AccountOut, CrossingOut, EntryOut, WireOut
from app.api.wire_fields import CustomerPath
from app.api.wire_promise import PromiseOut
from app.domain.entry import Entry
from app.domain.instant import moment_of, wire_time
from app.domain.shown import entry_shown
from app.operations.erase_customer import erase_customer
from app.operations.read_customer import find_customer
from app.queries.accounts import all_names_of, customers_by_id, keys_of
from app.queries.crossings import recorded_crossings
from app.queries.customer_changes import customer_changes_of
from app.queries.ledger_lines import lines_of_account
from app.queries.merges import members_of
from app.queries.messages import messages_of
from app.queries.promises import promises_of
from app.sealing.keys import Key, entry_place

router = APIRouter(prefix="/v1/customers", route_class=StrictRoute, tags=["customers"], responses=ANSWERS)


class ReportedOut(EntryOut):
    """One line of the ledger, with what was reported: `attributes`, `note` and all else; spans in microseconds."""

    reported: dict[str, Any]


class KnownOut(WireOut):
    """What was known of the customer beside the ledger, from an instant on."""

    since: datetime
    segment: str | None
    value: float | None


class PersonalDataOut(WireOut):
    """Everything that is held about a customer."""

    exported_at: datetime
    names: list[str] = Field(description="all that lead to the account")
    account: AccountOut
    known: list[KnownOut]
    entries: list[ReportedOut]
    crossings: list[CrossingOut]
    promises: list[PromiseOut]
    messages: list[MessageBodyOut] = Field(description="what others were told, and may still be")


class ErasedOut(WireOut):
    """That a customer was forgotten, and which line of the ledger says so."""

    erased_at: datetime
    entry: UUID = Field(description="the id of the entry that ends the account")
    position: int


@router.get("/{customer}/export", response_model=PersonalDataOut, responses=refusals(404))
async def export_customer(customer: CustomerPath, ledger: LedgerDep, key: Admin) -> Response:
    """Everything that is held about the customer, all that was merged included, opened: to be handed over."""
    async with ledger.database.read(key.book) as tx:
        view, found = await find_customer(ledger, tx, key.book, customer)
        account_id = found.account.account_id
        own = [account_id, *(each.account_id for each in await members_of(tx, key.book, [account_id]))]
        lines = [line for each in own for line in await lines_of_account(tx, key.book, each)]
        keys = await keys_of(tx, key.book, own, ledger.master_key)
        names = await customers_by_id(tx, key.book, own, ledger.master_key)
        changes = [change for known in (await customer_changes_of(tx, key.book, own)).values() for change in known]
        crossings = [crossing for each in own for crossing in await recorded_crossings(tx, key.book, each)]
        told_of = [message for each in own for message in await messages_of(tx, key.book, each)]
        told = {
            "exported_at": wire_time(view.now),
            "names": await all_names_of(tx, key.book, keys),
            "account": await account_view(view, found.account, customer),
            "known": [
                {"since": wire_time(each.changed_at), "segment": each.segment, "value": each.value} for each in changes
            ],
            "entries": [
                {
                    **entry_shown(line.entry, names.get(line.entry.account_id, customer), line.reversed_by),
                    "reported": _reported(key.book, keys[line.entry.account_id], line.entry),
                }
                for line in sorted(lines, key=lambda line: line.entry.position)
            ],
            "crossings": [
                CrossingOut.of(each.ordinal, each.crossing, announced=each.announced).model_dump(by_alias=True)
                for each in crossings
            ],
            "promises": await promise_views(view, await promises_of(tx, key.book, account_id)),
            "messages": await message_body_views(view, told_of),
        }
    return JsonAnswer(to_json(told))


@router.delete("/{customer}", responses=refusals(404))
async def delete_customer(customer: CustomerPath, ledger: LedgerDep, key: Admin) -> ErasedOut:
    """Forget the customer: the key that opens all that is personal is destroyed, and the name that led to it.

    The entries stay, and nobody can say whose they are; what was posted of the customer is not posted again (410). A
    new interaction opens a new account. It cannot be undone.
    """
    entry = await erase_customer(ledger, key.book, customer, api_key_id=key.key_id)
    return ErasedOut(erased_at=moment_of(entry.booked_at), entry=entry.entry_id, position=entry.position)


def _reported(book: str, key: Key, entry: Entry) -> Mapping[str, Any]:
    """The content as it was sent; its times as the wire has them."""
    content: dict[str, Any] = json.loads(key.open(entry.sealed, entry_place(book, entry.entry_id)))
    if "replacement" in content:  # it may be another customer's, and its own entry says it all
        content["replacement"] = {name: content["replacement"][name] for name in ("source", "id")}
    times: dict[str, Any] = {name: wire_time(content[name]) for name in ("value_at", "due_at") if name in content}
    return {**content, **times}
