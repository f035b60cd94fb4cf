"""Checkpoints are signed in order, once, over what no other covers; and nobody changes one."""

import asyncio
import json
import os
from dataclasses import replace

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from app.domain.chain import genesis
from app.domain.checkpoint import Rhythm, checkpoint_shown
from app.domain.instant import MINUTE
from app.domain.merkle import branches_of, root_of
from app.operations.erase_customer import erase_customer
from app.operations.rewrap import rewrap
from app.operations.sandbox import empty_sandbox
from app.operations.sign_checkpoint import replace_signing_key, sign_checkpoint
from app.operations.verify import verify
from app.queries.checkpoints import books_to_sign
from app.sealing.keys import MasterKey
from app.sealing.signing import is_signed
from app.tables import books, checkpoints, signing_keys
from tests.conftest import NOON, Bench
from tests.operations.adopting import STRICT, adopt_wholly
from tests.operations.delivering import delivering, on_loopback, subscribed, until_states
from tests.operations.posting import interaction, ledger_of, new_book, post
from tests.operations.sandboxes import new_sandbox
from tests.operations.signing import sign_all, signing
from tests.operations.stories import TOLD, tell
from tests.operations.telling import bodies
from tests.webhooks.receivers import answering, receiving


async def is_sound(bench: Bench, book: str | None = None) -> bool:
    return (await verify(bench.ledger, book or bench.book)).findings == ()


async def test_they_follow_one_another_and_cover_every_entry_once(bench: Bench) -> None:
    bench = signing(bench, entries=4)
    await tell(bench, bench.book, TOLD)
    first, second, third = await sign_all(bench)

    entries = [entry.hash for entry in await ledger_of(bench)]
    assert [(each.number, each.since, each.position) for each in (first, second, third)] == [
        (1, 0, 4),
        (2, 4, 8),
        (3, 8, 10),
    ]
    assert (first.previous, second.previous, third.previous) == (
        genesis(bench.book),
        first.own_hash,
        second.own_hash,
    )
    for each in (first, second, third):
        assert each.hash == entries[each.position - 1]
        assert each.root == root_of(branches_of(entries[each.since : each.position]))
        assert is_signed(each.public_key, each.signature, each.signed_bytes)
    assert await sign_checkpoint(bench.ledger, bench.book) is None
    told = [body for body in await bodies(bench) if body["type"] == "checkpoint.signed"]
    assert [body["data"] for body in told] == [checkpoint_shown(each) for each in (first, second, third)]
    assert await is_sound(bench)


async def test_several_processes_sign_each_once(bench: Bench) -> None:
    bench = signing(bench, entries=4)
    await post(bench, *[interaction(n) for n in range(10)])

    signed = await asyncio.gather(*(sign_checkpoint(bench.ledger, bench.book) for _ in range(5)))

    assert len([each for each in signed if each]) >= 1
    assert [each.position for each in await sign_all(bench)] == [4, 8, 10]
    assert await is_sound(bench)


async def test_one_is_due_after_so_many_entries_or_when_one_has_waited_so_long(bench: Bench) -> None:
    rhythm, other = Rhythm(entries=3, minutes=10), await new_book(bench)

    async def due() -> list[str]:
        async with bench.ledger.database.oversee() as tx:
            return await books_to_sign(tx, rhythm, bench.clock.now)

    assert await due() == []
    await post(bench, interaction(1), interaction(2), book=other)
    assert await due() == []
    await post(bench, interaction(3), book=other)
    assert await due() == [other]
    await post(bench, interaction(1))
    bench.clock.now += 10 * MINUTE - 1
    assert await due() == [other]
    bench.clock.now += 1
    assert await due() == [bench.book, other]
    await sign_all(bench)
    await sign_all(bench, other)
    bench.clock.pass_days(7)
    assert await due() == []
    async with bench.ledger.database.whole() as tx:
        await tx.execute(update(books).values(replaying=True))
    await_replay = await sign_checkpoint(bench.ledger, bench.book)
    assert (await_replay, await due()) == (None, [])


async def test_a_sandbox_is_due_by_its_own_clock_and_forgets_its_checkpoints_and_keys(bench: Bench) -> None:
    sandbox = await new_sandbox(bench)
    await post(bench, interaction(1), book=sandbox)
    (before,) = await sign_all(bench, sandbox)

    await empty_sandbox(bench.ledger, sandbox)

    assert await sign_all(bench, sandbox) == []
    await post(bench, interaction(1), book=sandbox)
    (after,) = await sign_all(bench, sandbox)
    assert (before.number, after.number, after.previous) == (1, 1, genesis(sandbox))
    assert before.public_key != after.public_key
    assert await is_sound(bench, sandbox)


async def test_it_names_the_policy_in_force(bench: Bench) -> None:
    await post(bench, interaction(1))
    (first,) = await sign_all(bench)
    await adopt_wholly(bench, STRICT)
    await post(bench, interaction(2))
    _, second = await sign_all(bench)

    assert (first.policy_version, second.policy_version) == (1, 2)
    assert first.policy_hash != second.policy_hash
    assert second.signed_at >= NOON
    assert await is_sound(bench)


async def test_forgetting_a_customer_leaves_them_valid(bench: Bench) -> None:
    await post(bench, *[interaction(n, customer=f"customer-{n}") for n in range(5)])
    before = await sign_all(bench)

    await erase_customer(bench.ledger, bench.book, "customer-2", api_key_id=bench.key_id)

    assert (await sign_all(bench))[:1] == before
    assert await is_sound(bench)


async def test_a_signing_key_may_be_replaced_and_is_wrapped_anew_with_the_others(bench: Bench) -> None:
    await post(bench, interaction(1))
    (first,) = await sign_all(bench)
    drawn = await replace_signing_key(bench.ledger, bench.book)
    new = os.urandom(32)
    both = replace(bench.ledger, master_key=MasterKey(new, (bench.ledger.master_key.secret,)), book_keys={})

    done, again = await rewrap(both, bench.book), await rewrap(both, bench.book)

    assert ((done.keys, done.anew), (again.keys, again.anew)) == ((4, 4), (4, 0))
    alone = replace(bench, ledger=replace(both, master_key=MasterKey(new)))
    await post(alone, interaction(2))
    _, second = await sign_all(alone)
    assert (second.public_key, second.previous) == (drawn, first.own_hash)
    assert drawn != first.public_key
    assert await is_sound(alone)


async def test_who_names_the_type_is_sent_it_and_whoever_asks_for_everything_is_not(bench: Bench) -> None:
    bench = on_loopback(bench)
    async with receiving(answering("204 No Content")) as keeper, receiving(answering("204 No Content")) as everything:
        to = await subscribed(bench, keeper.url, "checkpoint.signed")
        await subscribed(bench, everything.url, "*")
        await post(bench, interaction(1, "contact.neutral"))
        (signed,) = await sign_all(bench)
        async with delivering(bench.ledger):
            await until_states(bench, to, "delivered")
    (request,) = keeper.requests
    assert json.loads(request.body)["data"] == checkpoint_shown(signed)
    assert everything.requests == []


@pytest.mark.parametrize("statement", ["UPDATE checkpoints SET number = number", "DELETE FROM checkpoints"])
async def test_nobody_changes_or_deletes_one(bench: Bench, statement: str) -> None:
    await post(bench, interaction(1))
    await sign_all(bench)

    with pytest.raises(DBAPIError, match="append-only"):
        async with bench.ledger.database.whole() as tx:
            await tx.execute(text(statement))
    if bench.ledger.database.is_sqlite:
        for key in ("number", "position"):
            other = {"number": "position", "position": "number"}[key]
            columns = ", ".join(f"{c.name} + 9" if c.name == other else c.name for c in checkpoints.c)
            with pytest.raises(DBAPIError, match="append-only"):
                async with bench.ledger.database.whole() as tx:
                    await tx.execute(text(f"INSERT OR REPLACE INTO checkpoints SELECT {columns} FROM checkpoints"))
    assert await is_sound(bench)


async def test_no_private_key_is_in_the_database_as_it_is(bench: Bench) -> None:
    await post(bench, interaction(1))
    await sign_all(bench)
    async with bench.ledger.database.read(bench.book) as tx:
        (row,) = (await tx.execute(select(signing_keys))).mappings()
    assert len(row["wrapped_key"]) == 12 + 32 + 16
