"""A merge that was tampered with shows: its lines, what they carry, where it leads, and what is left of the account."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete, insert, update

from app.domain.chain import genesis, linked
from app.domain.entry import Entry
from app.operations.merge_customers import merge_customers, unmerge_customer
from app.operations.rebuild import rebuild
from app.operations.verify import verify
from app.tables import accounts, aliases, books, entries, merges
from tests.conftest import Bench
from tests.operations.posting import interaction, ledger_of, post
from tests.operations.stories import drop_triggers, stored
from tests.tamper_table import Tampered


@pytest.fixture
async def merged(bench: Bench) -> Bench:
    """ada is merged into bob, carl into bob and out again."""
    kinds = {"ada": "product.failed", "bob": "moment.unexpected_gift", "carl": "apology.first"}
    await post(bench, *[interaction(name, kind, customer=name) for name, kind in kinds.items()])
    bench.clock.pass_days(30)
    await merge_customers(bench.ledger, bench.book, "carl", "bob", api_key_id="tests")
    await merge_customers(bench.ledger, bench.book, "ada", "bob", api_key_id="tests")
    await unmerge_customer(bench.ledger, bench.book, "carl", api_key_id="tests")
    assert (await verify(bench.ledger, bench.book)).is_sound
    return bench


async def test_what_was_done_to_a_merge_shows(merged: Bench, subtests: pytest.Subtests, tampered: Tampered) -> None:
    await drop_triggers(merged)
    tables = (accounts, aliases, books, entries, merges)
    sound = await stored(merged, *tables)
    ada = (await ledger_of(merged))[0].account_id
    for done, (tamper, law, place) in TAMPERINGS.items():
        with subtests.test(done):
            await tamper(merged)
            where = place.format(ada=ada)
            tampered(done, await verify(merged.ledger, merged.book), law, where)
        for table in tables:
            await execute(merged, delete(table))
            await execute(merged, insert(table), sound[table.name])
    assert (await verify(merged.ledger, merged.book)).is_sound


async def test_a_rebuild_finds_out_again_where_a_merge_leads(merged: Bench) -> None:
    before = await stored(merged, merges, accounts)
    await execute(merged, delete(merges))
    await rebuild(merged.ledger, merged.book)
    assert await stored(merged, merges, accounts) == before


async def carried_changed(bench: Bench) -> None:
    line = (await ledger_of(bench))[5]
    await execute(bench, update(entries).where(entries.c.position == 6).values(carried=changed(line, fresh=99.0)))


async def carried_changed_with_right_hashes(bench: Bench) -> None:
    await rewrite(bench, {6: {"fresh": 99.0}})


async def both_lines_changed_with_right_hashes(bench: Bench) -> None:
    await rewrite(bench, {6: {"fresh": 99.0}, 7: {"fresh": 99.0}})


async def leads_elsewhere(bench: Bench) -> None:
    carl = (await ledger_of(bench))[2].account_id
    await execute(bench, update(merges).values(into_id=carl, survivor_id=carl))


async def leads_nowhere(bench: Bench) -> None:
    await execute(bench, delete(merges))


async def still_an_account(bench: Bench) -> None:
    lines = await ledger_of(bench)
    (row,) = [row for row in (await stored(bench, accounts))["accounts"] if row["account_id"] == lines[1].account_id]
    await execute(bench, insert(accounts), [{**row, "account_id": lines[0].account_id}])


async def name_gone(bench: Bench) -> None:
    ada = (await ledger_of(bench))[0].account_id
    await execute(bench, delete(aliases).where(aliases.c.account_id == ada))


TAMPERINGS: dict[str, tuple[Callable[[Bench], Awaitable[None]], int, str]] = {
    "merge: what a line carries": (carried_changed, 3, "position 6"),
    "merge: the same, with right hashes": (carried_changed_with_right_hashes, 2, "position 6"),
    "merge: of both its lines, with right hashes": (both_lines_changed_with_right_hashes, 4, "position 6"),
    "merge: leads elsewhere": (leads_elsewhere, 5, "account {ada}"),
    "merge: leads nowhere": (leads_nowhere, 5, "account {ada}"),
    "merge: the account is still there": (still_an_account, 2, "account {ada}"),
    "merge: the name is gone": (name_gone, 3, "account {ada}"),
}


def changed(line: Entry, **facts: Any) -> str:
    """What the line carries, otherwise."""
    return json.dumps({**json.loads(line.carried or ""), **facts}, separators=(",", ":"))


async def rewrite(bench: Bench, changes: dict[int, dict[str, Any]]) -> None:
    """These lines carry something else, and every hash after them is right."""
    previous = genesis(bench.book)
    for stands in await ledger_of(bench):
        facts = changes.get(stands.position)
        line = stands if facts is None else replace(stands, carried=changed(stands, **facts))
        previous = linked(previous, line)
        own = entries.c.position == line.position
        await execute(bench, update(entries).where(own).values(carried=line.carried, hash=previous))
    await execute(bench, update(books).values(hash=previous))


async def execute(bench: Bench, statement: Any, rows: list[dict[str, Any]] | None = None) -> None:
    async with bench.ledger.database.whole() as tx:
        await (tx.execute(statement, rows) if rows else tx.execute(statement))
