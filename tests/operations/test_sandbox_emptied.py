"""An emptied sandbox is as new, but for its keys and the rules in force; a live book cannot be emptied."""

import asyncio
import json
from dataclasses import replace

import pytest
from sqlalchemy import delete, select
from sqlalchemy.exc import DBAPIError

from app.domain.chain import genesis
from app.domain.instant import DAY
from app.domain.interaction import EARLIEST
from app.domain.tariff_document import default_tariff
from app.operations.adopt_tariff import adopt_tariff
from app.operations.carry_adoption import carry_adoption
from app.operations.describe_customer import describe_customer
from app.operations.merge_customers import merge_customers
from app.operations.sandbox import empty_sandbox
from app.tables import entries, metadata, policy_versions, tariff_versions
from app.webhooks.sign import is_authentic
from tests.conftest import NOON, Bench
from tests.operations.adopting import SHORT, STRICT, adopt_wholly, begin, policies_of
from tests.operations.delivering import delivering, on_loopback, secret_of, subscribed, until_states
from tests.operations.posting import account_of, interaction, ledger_of, post, posted, reversal
from tests.operations.promising import assert_sound, making
from tests.operations.sandboxes import days_pass, head_of, new_sandbox
from tests.operations.signing import sign_all
from tests.operations.stories import stored
from tests.webhooks.receivers import answering, receiving

KEPT = {"books", "api_keys", "tariff_versions", "policy_versions"}


async def test_what_was_in_it_is_gone_and_it_can_be_filled_again(bench: Bench) -> None:
    sandbox = await filled_sandbox(bench)
    full = await stored(bench, *metadata.tables.values(), book=sandbox)
    assert {name for name, rows in full.items() if not rows} <= {
        "policy_adoptions",
        "attempts",
        "summaries",
        "subscriptions",
        "deliveries",
    }

    await empty_sandbox(bench.ledger, sandbox)

    empty = await stored(bench, *metadata.tables.values(), book=sandbox)
    assert {name for name, rows in empty.items() if rows} == KEPT
    assert empty["api_keys"] == full["api_keys"]
    head = await head_of(bench, sandbox)
    assert (head.position, head.hash, head.booked_at, head.clock_ahead) == (0, genesis(sandbox), EARLIEST, 0)
    await assert_sound(bench, sandbox)
    await post(bench, making(), interaction(1, "product.failed"), book=sandbox)
    await days_pass(bench, sandbox, 30)
    assert [entry.position for entry in await ledger_of(bench, sandbox)] == [1, 2, 3, 4, 5]
    await assert_sound(bench, sandbox)


async def test_who_subscribed_stays_subscribed_and_what_was_owed_is_gone(bench: Bench) -> None:
    bench = on_loopback(replace(bench, book=await new_sandbox(bench)))
    async with receiving(answering("204 No Content")) as receiver:
        to = await subscribed(bench, receiver.url)
        await subscribed(bench, "http://127.0.0.1:9/", "debit.deep")
        await posted(bench, interaction("before", "agent.insult_or_threat"))

        await empty_sandbox(bench.ledger, bench.book)

        await posted(bench, interaction("after", "agent.insult_or_threat"))
        async with delivering(bench.ledger):
            await until_states(bench, to, "delivered")
    (request,) = receiver.requests
    assert json.loads(request.body)["data"]["position"] == 1
    assert is_authentic(await secret_of(bench, to), request.headers, request.body, now=bench.ledger.now())


async def test_the_rules_in_force_stay_under_their_versions(bench: Bench) -> None:
    sandbox = await filled_sandbox(bench)

    await empty_sandbox(bench.ledger, sandbox)

    head = await head_of(bench, sandbox)
    assert (head.tariff_version, head.policy_version) == (2, 2)
    for table in (tariff_versions, policy_versions):
        (row,) = (await stored(bench, table, book=sandbox))[table.name]
        assert (row["version"], row["from_position"], row["adopted_at"]) == (2, 0, NOON)
    assert (await policies_of(bench, sandbox)).in_force.half_lives == SHORT.half_lives
    assert (await posted(bench, interaction(1), book=sandbox)).entry.tariff_version == 2
    await adopt_wholly(bench, STRICT, sandbox)
    assert (await head_of(bench, sandbox)).policy_version == 3
    await assert_sound(bench, sandbox)


async def test_a_policy_on_its_way_is_given_up(bench: Bench) -> None:
    sandbox = await new_sandbox(bench)
    await post(bench, *[interaction(n, customer=f"c{n}") for n in range(20)], book=sandbox)
    await begin(bench, SHORT, sandbox)

    await asyncio.gather(carry_adoption(bench.ledger, sandbox), empty_sandbox(bench.ledger, sandbox))

    rows = await stored(bench, *metadata.tables.values(), book=sandbox)
    assert {name for name, found in rows.items() if found} == KEPT
    await assert_sound(bench, sandbox)


async def test_emptied_while_its_clock_is_moved_it_stays_sound(bench: Bench) -> None:
    sandbox = await new_sandbox(bench)
    await post(bench, *[making(f"p{n}", customer=f"c{n}") for n in range(10)], book=sandbox)

    await asyncio.gather(days_pass(bench, sandbox, 40, limit=1), empty_sandbox(bench.ledger, sandbox))

    await post(bench, interaction(1), book=sandbox)
    await assert_sound(bench, sandbox)


async def test_a_live_books_entries_cannot_be_deleted_though_a_sandboxs_can(bench: Bench) -> None:
    sandbox = await filled_sandbox(bench)
    await post(bench, interaction(1))

    for table in (entries, tariff_versions, policy_versions):
        for book in (table.c.book == bench.book, table.c.book == table.c.book):
            with pytest.raises(DBAPIError, match="append-only"):
                async with bench.ledger.database.whole() as tx:
                    await tx.execute(delete(table).where(book))
        async with bench.ledger.database.whole() as tx:
            await tx.execute(delete(table).where(table.c.book == sandbox))
            left = (await tx.execute(select(table.c.book).distinct())).scalars().all()
        assert left == [bench.book]
    await assert_sound(bench)


async def filled_sandbox(bench: Bench) -> str:
    """Something of everything, under second versions of the rules, ahead of the real clock."""
    sandbox = await new_sandbox(bench)
    await post(bench, interaction("before", "product.failed"), book=sandbox)
    await adopt_tariff(
        bench.ledger, sandbox, json.loads(json.dumps(default_tariff().document)), expected_version=1, api_key_id="tests"
    )
    await adopt_wholly(bench, SHORT, sandbox)
    await post(bench, making(), interaction(1, customer="bob"), interaction(2), reversal(2), book=sandbox)
    await describe_customer(bench.ledger, sandbox, (await account_of(bench, "bob", sandbox)).account_id, SEGMENT)
    await post(bench, interaction("carl's", customer="carl"), book=sandbox)
    await merge_customers(bench.ledger, sandbox, "carl", "bob", api_key_id="tests")
    await days_pass(bench, sandbox, 30)
    await sign_all(bench, sandbox)
    assert (await head_of(bench, sandbox)).clock_ahead == 30 * DAY
    return sandbox


SEGMENT = {"segment": "vip"}
