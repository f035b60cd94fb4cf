"""Posting in the tests of the operations: an interaction in few words, and what came of it."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import func, select

from app.domain.account import Account
from app.domain.api_key import Scope
from app.domain.entry import Entry
from app.domain.errors import Refusal
from app.domain.interaction import Interaction, ReversalRequest
from app.operations import record as record_module
from app.operations.append import Append, Item
from app.operations.load import load
from app.operations.manage_keys import create_key
from app.operations.outcome import Outcome, Posted, Refused
from app.operations.record import record
from app.queries.accounts import accounts_by_alias, accounts_by_id
from app.queries.books import book_key
from app.queries.ledger_lines import entries_in_order
from app.store.books import lock_book
from app.tables import metadata
from tests.conftest import Bench

_numbers = itertools.count(1)


def interaction(number: object, kind: str = "apology.first", customer: str = "ada", **fields: Any) -> Interaction:
    """What the source `crm` reports, unless it says otherwise."""
    return Interaction(**{"source": "crm", "id": str(number), "customer": customer, "kind": kind, **fields})


def reversal(of: object, **fields: Any) -> ReversalRequest:
    """The request to reverse the interaction of `crm` with that id."""
    return ReversalRequest(**{"source": "crm", "interaction": ("crm", str(of)), "reason": "typo", **fields})


async def post(bench: Bench, *items: Item, book: str | None = None) -> list[Outcome]:
    """Record the items in one append."""
    return await record(bench.ledger, book or bench.book, items, api_key_id=bench.key_id)


async def posted(bench: Bench, item: Item, book: str | None = None) -> Posted:
    """Record one item that must not be refused."""
    (outcome,) = await post(bench, item, book=book)
    assert isinstance(outcome, Posted), outcome
    return outcome


async def refused(bench: Bench, item: Item, book: str | None = None) -> Refusal:
    """Record one item that must be refused."""
    (outcome,) = await post(bench, item, book=book)
    assert isinstance(outcome, Refused), outcome
    return outcome.refusal


def came_to(outcomes: Sequence[Outcome]) -> list[str]:
    """Each outcome in a word: created, replayed, or the refusal's code."""
    return [_word(outcome) for outcome in outcomes]


def _word(outcome: Outcome) -> str:
    if isinstance(outcome, Refused):
        return outcome.refusal.code
    return "replayed" if outcome.replayed else "created"


async def new_book(bench: Bench) -> str:
    """One more book on the same database: examples do not meet."""
    book = f"book-{next(_numbers)}"
    await create_key(bench.ledger, book, name="tests", scopes=[Scope.ADMIN])
    return book


async def ledger_of(bench: Bench, book: str | None = None) -> list[Entry]:
    """Every entry, in order."""
    async with bench.ledger.database.read(book or bench.book) as tx:
        return [entry async for entry in entries_in_order(tx, book or bench.book)]


async def account_of(bench: Bench, customer: str = "ada", book: str | None = None) -> Account:
    """A customer's account, as it is stored."""
    async with bench.ledger.database.read(book or bench.book) as tx:
        key = await book_key(tx, book or bench.book, bench.ledger.master_key)
        (account_id,) = (await accounts_by_alias(tx, book or bench.book, [key.digest(customer.encode())])).values()
        return (await accounts_by_id(tx, book or bench.book, [account_id]))[account_id]


async def row_counts(bench: Bench) -> dict[str, int]:
    """How many rows each table holds."""
    async with bench.ledger.database.whole() as tx:
        return {
            name: int((await tx.execute(select(func.count()).select_from(table))).scalar_one())
            for name, table in metadata.tables.items()
        }


@asynccontextmanager
async def held_up(bench: Bench) -> AsyncGenerator[None]:
    """Somebody else has the book locked."""
    async with bench.ledger.database.write(bench.book) as tx:
        await lock_book(tx, bench.book)
        yield


def holding_loads(monkeypatch: pytest.MonkeyPatch) -> tuple[asyncio.Event, asyncio.Event]:
    """From now on an append stops when it has locked the book: the first is set then, the second lets it go on."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def held(*args: Any, **how: Any) -> Append:
        begun.set()
        await go_on.wait()
        return await load(*args, **how)

    monkeypatch.setattr(record_module, "load", held)
    return begun, go_on
