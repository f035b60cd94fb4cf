"""Erasure beside all that a book does: adoptions, replays, and what verify says of half of it."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select

from app.domain.errors import DatabaseUnavailable, Replaying, UnknownCustomer
from app.domain.interaction import ReversalRequest, reversal_content_of, whole_reversal_content
from app.operations import decide as decide_module
from app.operations import erase_customer as module
from app.operations.carry_adoption import prepare_or_switch
from app.operations.erase_customer import erase_customer
from app.operations.keep_tidy import keep_tidy
from app.operations.outcome import Refused
from app.operations.replay import begin_replay
from app.operations.verify import verify
from app.queries.accounts import keys_of
from app.sealing.keys import entry_place
from app.store.outbox import FLOOD_MESSAGES, FLOOD_WINDOW
from app.tables import account_keys, accounts, aliases, entries, messages
from tests.conftest import Bench
from tests.operations.adopting import SHORT, begin, carry_wholly
from tests.operations.delivering import deliveries_of, on_loopback, opened, subscribed, told
from tests.operations.posting import account_of, came_to, interaction, ledger_of, post, reversal

GONE = (accounts, account_keys, aliases)


async def lived(bench: Bench) -> None:
    for n, customer in enumerate(("ada", "bob", "cid", "ada", "bob")):
        await post(bench, interaction(n, "product.failed", customer=customer))
        bench.clock.pass_days(3)


async def erase(bench: Bench, customer: str = "ada") -> None:
    await erase_customer(bench.ledger, bench.book, customer, api_key_id=bench.key_id)


async def count(bench: Bench, table: object) -> int:
    async with bench.ledger.database.read(bench.book) as tx:
        return len((await tx.execute(select(table))).all())  # type: ignore[call-overload]


@pytest.mark.parametrize("steps", [0, 1, 2])
async def test_who_is_forgotten_while_a_policy_is_adopted_is_forgotten_in_it_too(bench: Bench, steps: int) -> None:
    await lived(bench)
    await begin(bench, SHORT)
    for _ in range(steps):
        await prepare_or_switch(bench.ledger, bench.book)
    await erase(bench)

    await carry_wholly(bench)

    assert [await count(bench, table) for table in GONE] == [2, 2, 2]
    assert (await verify(bench.ledger, bench.book)).is_sound


async def test_who_was_forgotten_before_a_policy_was_adopted_stays_so(bench: Bench) -> None:
    await lived(bench)
    await erase(bench)
    await begin(bench, SHORT)
    await carry_wholly(bench)

    assert [await count(bench, table) for table in GONE] == [2, 2, 2]
    assert (await verify(bench.ledger, bench.book)).is_sound


async def test_nobody_is_forgotten_while_history_is_replayed_nor_who_is_unknown(bench: Bench) -> None:
    with pytest.raises(UnknownCustomer):
        await erase(bench)
    await begin_replay(bench.ledger, bench.book)
    with pytest.raises((Replaying, UnknownCustomer)):
        await erase(bench)
    assert await ledger_of(bench) == []


async def test_half_an_erasure_is_found(bench: Bench) -> None:
    await lived(bench)
    async with bench.ledger.database.read(bench.book) as tx:
        kept = [dict(row) for table in GONE for row in (await tx.execute(select(table))).mappings()]
    assert kept
    before = {}
    async with bench.ledger.database.read(bench.book) as tx:
        for table in GONE:
            before[table.name] = [dict(row) for row in (await tx.execute(select(table))).mappings()]
    await erase(bench)
    (forgotten,) = {each.account_id for each in await ledger_of(bench) if each.kind == "account.erased"}
    for table in GONE:
        (row,) = (each for each in before[table.name] if each["account_id"] == forgotten)
        async with bench.ledger.database.whole() as tx:
            await tx.execute(insert(table).values(row))
        report = await verify(bench.ledger, bench.book)
        assert [finding.what.startswith("Its customer was forgotten") for finding in report.findings] == [True], table
        async with bench.ledger.database.whole() as tx:
            await tx.execute(delete(table).where(table.c.account_id == forgotten))
    assert (await verify(bench.ledger, bench.book)).is_sound


async def test_a_key_that_is_gone_without_an_erasure_is_found(bench: Bench) -> None:
    await lived(bench)
    async with bench.ledger.database.whole() as tx:
        (first,) = (await tx.execute(select(entries.c.account_id).where(entries.c.position == 1))).scalars()
        for table in (account_keys, aliases):
            await tx.execute(delete(table).where(table.c.account_id == first))

    report = await verify(bench.ledger, bench.book)

    assert [each.what for each in report.findings] == [
        "Its key is gone, and no entry says that its customer was forgotten."
    ]


async def test_a_summary_that_names_the_forgotten_is_cleared_and_no_other_is(bench: Bench) -> None:
    """It is about no account, and so sealed with the book's own key."""
    bench = on_loopback(bench)
    await opened(bench, "ada", "bob", "cid")
    await subscribed(bench, "http://127.0.0.1:9/hook", "debit.deep")
    for cause, customer in (("strike", "bob"), ("fire", "cid")):
        await told(bench, *["ada"] * FLOOD_MESSAGES, customer, cause=cause)
    bench.clock.now += FLOOD_WINDOW
    assert await keep_tidy(bench.ledger) == 2

    await erase(bench, "bob")

    async with bench.ledger.database.read(bench.book) as tx:
        rows = (await tx.execute(select(messages).where(messages.c.type == "cause.summary"))).mappings().all()
    assert [row["body"] is None for row in sorted(rows, key=lambda row: row["number"])].count(True) == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_key_that_was_destroyed_is_nowhere_in_the_file(bench: Bench) -> None:
    await lived(bench)
    async with bench.ledger.database.read(bench.book) as tx:
        before = {row.account_id: row for row in await tx.execute(select(account_keys))}
    await erase(bench)
    (forgotten,) = {each.account_id for each in await ledger_of(bench) if each.kind == "account.erased"}

    path = bench.url.removeprefix("sqlite:///")
    files = [Path(f"{path}{end}") for end in ("", "-wal")]
    kept = b"".join([await asyncio.to_thread(each.read_bytes) for each in files if each.exists()])
    assert [before[each].wrapped_key in kept for each in before] == [each != forgotten for each in before]


async def test_a_replacement_of_the_forgotten_is_told_by_its_own_entry_alone(bench: Bench) -> None:
    """What was posted on bob by mistake was ada's: his key opens nothing of hers."""
    await post(bench, interaction(1, "product.failed", customer="bob"))
    instead = interaction(2, "product.failed", customer="ada", note="a secret of ada")
    undo = reversal(1, id="undo", replacement=instead)
    assert came_to(await post(bench, undo)) == ["created"]
    assert came_to(await post(bench, undo)) == ["replayed"]
    other = replace(undo, replacement=replace(instead, note="another"))
    (refused,) = await post(bench, other)
    assert isinstance(refused, Refused)
    assert refused.refusal.extra["fields"] == ["replacement"]

    bob = (await account_of(bench, "bob")).account_id
    async with bench.ledger.database.read(bench.book) as tx:
        key = (await keys_of(tx, bench.book, [bob], bench.ledger.master_key))[bob]
    of_bob = [each for each in await ledger_of(bench) if each.account_id == bob]
    assert [b"secret" in key.open(each.sealed, entry_place(bench.book, each.entry_id)) for each in of_bob] == [
        False
    ] * 2
    await erase(bench)
    assert came_to(await post(bench, undo)) == ["interaction_erased"]
    assert (await verify(bench.ledger, bench.book)).is_sound


async def test_a_reversal_of_releases_before_is_known_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """They kept all of the replacement in it."""
    undo = reversal(1, id="undo", replacement=interaction(2, "apology.first", note="right"))

    def as_before(request: ReversalRequest, reverses: str) -> dict[str, Any]:
        assert request.replacement is not None
        return whole_reversal_content(reversal_content_of(request, reverses), request.replacement)

    await post(bench, interaction(1, "product.failed"))
    with monkeypatch.context() as patched:
        patched.setattr(decide_module, "reversal_content_of", as_before)
        await post(bench, undo)

    assert came_to(await post(bench, undo)) == ["replayed"]
    for changed, fields in (
        (replace(undo, reason="otherwise"), ["reason"]),
        (replace(undo, replacement=interaction(2, "apology.first", note="wrong")), ["replacement"]),
    ):
        (refused,) = await post(bench, changed)
        assert isinstance(refused, Refused)
        assert refused.refusal.extra["fields"] == fields


async def test_what_was_owed_is_given_up_by_whoever_forgets_again_if_that_was_cut_off(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = on_loopback(bench)
    to = await subscribed(bench, "http://127.0.0.1:9/hook", "*")
    await lived(bench)
    ada = (await account_of(bench, "ada")).account_id

    async def cut_off(*_: object) -> None:
        raise DatabaseUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(module, "give_up_account", cut_off)
        await erase(bench)
    owed = [each for each in await deliveries_of(bench, to) if each.account_id == ada]
    assert owed
    assert {(each.state, each.has_body) for each in owed} == {("pending", False)}

    assert not await module.erase_again(bench.ledger, bench.book, ada)
    owed = [each for each in await deliveries_of(bench, to) if each.account_id == ada]
    assert {(each.state, each.reason) for each in owed} == {("given_up", "erased")}


async def test_an_account_whose_key_went_without_an_erasure_is_not_taken_for_a_forgotten_one(bench: Bench) -> None:
    await lived(bench)
    async with bench.ledger.database.whole() as tx:
        await tx.execute(delete(account_keys))
    with pytest.raises(KeyError):
        await post(bench, interaction(0, "product.failed"))
