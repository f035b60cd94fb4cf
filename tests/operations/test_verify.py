"""What verify says of sound books; what it says of others stands in test_verify_corrupt.py."""

import asyncio
import itertools
import secrets
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from app.domain.audit import LAWS
from app.operations import audit_accounts, audit_plan, audit_processes
from app.operations.open_book import open_book
from app.operations.rebuild import rebuild
from app.operations.verify import verify
from app.tables import accounts
from tests.conftest import NOON, Bench
from tests.operations.posting import interaction, ledger_of, post
from tests.operations.stories import TOLD, Post, Step, posts, projected, steps, tell


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(told=steps, replayed=st.lists(posts, max_size=5))
@example(told=TOLD, replayed=[])
@example(
    told=[[Post(customer="ada", kind="product.failed")], 0.5, [Post(customer="ada", kind="product.failed")]],
    replayed=[],
)
async def test_whatever_happens_the_book_verifies_and_a_rebuild_changes_nothing(
    bench: Bench, told: Sequence[Step], replayed: Sequence[Post]
) -> None:
    book = f"book-{secrets.token_hex(4)}"
    bench.clock.now = NOON
    await open_book(bench.ledger, book)
    await tell(bench, book, told, replayed=replayed)

    report = await verify(bench.ledger, book)
    assert report.findings == ()
    sound = await projected(bench, book)

    await rebuild(bench.ledger, book)

    assert await projected(bench, book) == sound
    assert await verify(bench.ledger, book) == report


async def test_an_empty_book_is_sound(bench: Bench) -> None:
    report = await verify(bench.ledger, bench.book)

    assert report.is_sound
    assert report.counts == dict.fromkeys(LAWS, 0)
    assert (report.entries, report.accounts) == (0, 0)


async def test_it_tells_how_far_it_is_and_counts_what_it_read(bench: Bench) -> None:
    await tell(bench, bench.book, TOLD)
    told: list[tuple[int, int]] = []

    report = await verify(bench.ledger, bench.book, progress=lambda done, total: told.append((done, total)))

    assert told == [(10, 20), (20, 20)]
    assert (report.entries, report.accounts) == (10, 3)


async def test_many_small_batches_give_the_same_answer(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    await tell(bench, bench.book, TOLD)
    whole = await verify(bench.ledger, bench.book)

    monkeypatch.setattr(audit_accounts, "BATCH_ENTRIES", 1)
    monkeypatch.setattr(audit_plan, "PART_ENTRIES", 3)

    assert await verify(bench.ledger, bench.book) == whole


async def test_several_processes_see_one_snapshot_and_find_the_same(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tell(bench, bench.book, TOLD)
    monkeypatch.setattr(audit_plan, "PART_ENTRIES", 3)
    async with bench.ledger.database.whole() as tx:
        await tx.execute(update(accounts).where(accounts.c.balance != 0).values(balance=99))
    alone = await verify(bench.ledger, bench.book)
    monkeypatch.setattr(audit_processes, "TOGETHER_FROM_ENTRIES", 1)
    ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def post_on() -> int:
        for n in itertools.count():
            await post(bench, interaction(f"meanwhile-{n}", customer="dora"))
            if ended.done():
                return n
        raise AssertionError

    posting = asyncio.create_task(post_on())
    before = await lines(bench)
    together = await verify(bench.ledger, bench.book, processes=2)
    after = await lines(bench)
    ended.set_result(None)

    assert before <= together.entries <= after
    assert await posting > 0
    assert alone.findings == together.findings != ()
    assert {found.law for found in together.findings} == {2}


async def lines(bench: Bench) -> int:
    return len(await ledger_of(bench))


async def test_other_books_are_not_its_business(bench: Bench) -> None:
    await tell(bench, bench.book, TOLD)
    await open_book(bench.ledger, "other")

    report = await verify(bench.ledger, "other")

    assert (report.is_sound, report.entries) == (True, 0)
