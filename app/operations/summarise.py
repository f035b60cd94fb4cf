"""Write the one message that stands for a flood of one cause."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote
from uuid import UUID

from app.database import uninterrupted
from app.domain.instant import wire_time
from app.domain.message import Message, MessageType
from app.domain.subscription import Subscription, matches
from app.operations.book_message import tell_of_book, wire_id
from app.operations.ledger import Ledger, announce_messages
from app.queries.held_back import HeldBack, HeldBackKind, HeldBackMessage, held_back_kinds, worst_held_back
from app.store.books import lock_head, save_head
from app.store.outbox import lock_summary, save_summary

WORST = 10
SOME_ACCOUNT = UUID(int=0)


@uninterrupted
async def summarise(ledger: Ledger, flood: HeldBack) -> int:
    """Write the summary, for whoever wanted any of what it stands for; 0 if another worker was quicker, else 1."""
    async with ledger.database.write(flood.book) as tx:
        head = await lock_head(tx, flood.book)
        if not await lock_summary(tx, flood.book, flood.cause, flood.from_number):
            return 0
        kinds = await held_back_kinds(tx, flood)
        worst = await worst_held_back(tx, ledger.master_key, flood, limit=WORST)
        told = await tell_of_book(
            ledger,
            tx,
            head,
            MessageType.CAUSE_SUMMARY,
            _data(flood, kinds, worst),
            at=ledger.now(),
            wanted=lambda each, summary: _is_wanted(each, summary, kinds),
        )
        await save_summary(tx, flood.book, flood.cause, flood.from_number, written_by=told.messages)
        await save_head(tx, told)
    announce_messages(ledger, head, told)
    return 1


def _is_wanted(subscription: Subscription, summary: Message, kinds: Sequence[HeldBackKind]) -> bool:
    """By whoever wanted any of what it stands for."""
    return matches(subscription, summary) or any(matches(subscription, _probe(summary, kind)) for kind in kinds)


def _probe(summary: Message, kind: HeldBackKind) -> Message:
    """A message such as those that were held back, for the subscriptions' filters; all of them are of accounts."""
    return replace(
        summary,
        types=kind.types,
        account_id=SOME_ACCOUNT,
        position=None if kind.by_time else 0,
        segment=kind.segment,
        magnitude=kind.magnitude,
    )


def _data(flood: HeldBack, kinds: Sequence[HeldBackKind], worst: Sequence[HeldBackMessage]) -> dict[str, Any]:
    return {
        "cause": flood.cause,
        "since": wire_time(flood.begun_at),
        "count": sum(kind.count for kind in kinds),
        "worst": [_shown(each) for each in worst],
        "look": f"/v1/messages?cause={quote(flood.cause, safe='')}",
    }


def _shown(message: HeldBackMessage) -> dict[str, Any]:
    """A message without its entries."""
    body = json.loads(message.body)
    told = {name: body["data"][name] for name in ("customer", "position", "to", "felt", "balance")}
    head = {name: body[name] for name in ("type", "types", "timestamp")}
    return {"message": wire_id(message.message_id), **head, **told}
