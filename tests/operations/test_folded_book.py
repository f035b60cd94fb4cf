"""A whole book folded in chunks of lines that end anywhere: what each account's lines give by themselves."""

import pytest

from app.domain.audit import LedgerBroken
from app.domain.entry import Entry
from app.domain.fold import fold
from app.domain.policy import Policy, PolicyHistory
from app.operations import rebuild as module
from app.operations.describe_customer import describe_customer
from app.operations.rebuild import folded_book
from app.queries import chunks
from app.queries.customer_changes import customer_changes_of
from app.queries.ledger_lines import count_entries, entries_by_account
from tests.conftest import Bench
from tests.operations.posting import account_of, interaction, post

ALWAYS = PolicyHistory.always(Policy())
KINDS = ("product.failed", "moment.unexpected_gift", "apology.first")


async def lived(bench: Bench, *, customers: int) -> None:
    for n in range(9):
        bench.clock.pass_days(20)
        await post(bench, interaction(n, KINDS[n % 3], f"customer-{n % customers}"))
    account_id = (await account_of(bench, "customer-0")).account_id
    await describe_customer(bench.ledger, bench.book, account_id, {"value": 7.5})


@pytest.mark.parametrize("customers", [1, 2, 4, 9])
async def test_a_book_is_folded_account_by_account_wherever_a_chunk_ends(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, customers: int
) -> None:
    await lived(bench, customers=customers)
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 3)
    async with bench.ledger.database.read(bench.book) as tx:
        usual = [own async for own in entries_by_account(tx, bench.book)]
        changes = await customer_changes_of(tx, bench.book, [own[0].account_id for own in usual])
        batches = [batch async for batch in folded_book(tx, bench.book, ALWAYS)]
    assert [each.entries for batch in batches for each in batch] == usual
    assert all(batches)
    assert [each.folded for batch in batches for each in batch] == [
        fold(own[0].account_id, own, changes.get(own[0].account_id, []), Policy()) for own in usual
    ]


async def test_of_a_book_without_entries_there_is_nothing_to_fold(bench: Bench) -> None:
    async with bench.ledger.database.read(bench.book) as tx:
        assert [batch async for batch in folded_book(tx, bench.book, ALWAYS)] == []


async def test_entries_that_do_not_fold_are_told_of_while_the_next_are_on_their_way(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lived(bench, customers=4)
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 3)

    def corrupt(*_: object) -> Entry:
        raise ArithmeticError

    monkeypatch.setattr(module, "fold", corrupt)
    async with bench.ledger.database.read(bench.book) as tx:
        with pytest.raises(LedgerBroken):
            await anext(folded_book(tx, bench.book, ALWAYS))
        assert await count_entries(tx, bench.book) == 9
