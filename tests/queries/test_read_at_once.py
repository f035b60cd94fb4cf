"""Several reads in one round trip give what each gives by itself."""

from typing import Any

import pytest

from app import sql
from app.operations.read_customer import look_up
from app.queries.accounts import finding_opened
from app.queries.entries import finding_named
from app.queries.subscriptions import finding_live
from app.queries.told import finding_last_lines, finding_told
from app.sql import Sql, Step, rows_of, run
from app.store.books import lock_head
from tests.conftest import Bench
from tests.operations.delivering import on_loopback, subscribed
from tests.operations.posting import interaction, post

EVERYTHING = {"entries": "position", "accounts": "account_id", "aliases": "alias_hash", "messages": "number"}


@pytest.mark.parametrize("few", [0, 1, 100])
async def test_reads_that_go_together_give_what_each_gives_alone(
    bench: Bench, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "FEW_VALUES", few)
    await _many_rows(bench)
    async with bench.ledger.database.write(bench.book) as tx:
        steps = await _steps(bench, tx)

        together = await run(tx, *steps)
        alone = [(await run(tx, step))[0] for step in steps]

    assert [[tuple(row) for row in rows] for rows in together] == [[tuple(row) for row in rows] for rows in alone]
    assert all(together[:-1])
    assert together[-1] == []


async def _many_rows(bench: Bench) -> None:
    """With and without attributes, crossings and messages."""
    await subscribed(on_loopback(bench), "http://127.0.0.1:1/", "debit.deep")
    await post(bench, *[interaction(n, customer=f"c{n % 5}", kind="agent.insult_or_threat") for n in range(20)])
    await post(bench, *[interaction(f"é{n}", customer="c\u2028ö", context={"channel": "phone"}) for n in range(9)])


async def _steps(bench: Bench, tx: Any) -> list[Step]:
    head = await lock_head(tx, bench.book)
    names = {f"c{n}" for n in range(5)}
    looked = await look_up(bench.ledger, tx, bench.book, names)
    ids = [account.account_id for account in looked.accounts.values()]
    hashes = [looked.view.book_key.digest(name.encode()) for name in names]
    whole: list[Step] = [
        (Sql(f"SELECT * FROM {table} WHERE book = :book ORDER BY {order}"), {"book": bench.book})
        for table, order in EVERYTHING.items()
    ]
    asked: list[Step] = [
        *finding_named(bench.book, [("crm", "1"), ("crm", "2"), ("crm", "nothing")]),
        finding_opened(head, hashes, by=head.booked_at),
        finding_told(head, ids, since=0),
        finding_last_lines(head, ids, since=0, limit=3),
        finding_live(bench.book),
        finding_live("no such book"),
    ]
    return [*whole, *asked]


async def test_a_statement_without_values_is_no_less_a_statement(bench: Bench) -> None:
    async with bench.ledger.database.read(bench.book) as tx:
        one, two = await run(tx, (Sql("SELECT 1"), {}), (Sql("SELECT 2"), {}))
        assert [tuple(one[0]), tuple(two[0]), tuple((await rows_of(tx, Sql("SELECT 3")))[0])] == [(1,), (2,), (3,)]
