"""One master key replaces another while the service goes on."""

import asyncio
import os
from dataclasses import replace

import pytest
from sqlalchemy import update

from app.domain.errors import MasterKeyMismatch
from app.operations import rewrap as module
from app.operations.erase_customer import erase_customer
from app.operations.rewrap import rewrap
from app.operations.verify import verify
from app.queries.books import check_master_key
from app.sealing.keys import MasterKey
from app.tables import account_keys
from tests.conftest import Bench
from tests.operations.posting import account_of, interaction, post


def under(bench: Bench, *secrets: bytes) -> Bench:
    """The same book, opened by a process with these master keys, the first of which wraps."""
    own, *others = secrets
    return replace(bench, ledger=replace(bench.ledger, master_key=MasterKey(own, tuple(others)), book_keys={}))


async def test_a_master_key_is_replaced_step_by_step_while_both_wrap_what_comes(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 4)
    old, new = bench.ledger.master_key.secret, os.urandom(32)
    before, after = under(bench, old, new), under(bench, new, old)
    await post(bench, *[interaction(n, customer=f"customer-{n}") for n in range(9)])
    await post(before, interaction("old", customer="old"))
    await post(after, interaction("new", customer="new"))

    async def go_on() -> None:
        for n in range(20):
            await post(before if n % 2 else after, interaction(f"meanwhile-{n}", customer=f"other-{n}"))
        await erase_customer(after.ledger, bench.book, "customer-3", api_key_id="tests")

    done, _ = await asyncio.gather(rewrap(after.ledger, bench.book), go_on())
    assert done.anew >= 10
    await rewrap(after.ledger, bench.book)
    again = await rewrap(after.ledger, bench.book)

    assert (again.keys, again.anew) == (1 + 9 + 2 + 20 - 1, 0)
    alone = under(bench, new)
    assert (await verify(alone.ledger, bench.book)).is_sound
    assert (await account_of(alone, "customer-1")).sequence == 1
    async with bench.ledger.database.oversee() as tx:
        with pytest.raises(MasterKeyMismatch):
            await check_master_key(tx, MasterKey(old))


async def test_an_account_whose_key_no_master_key_opens_is_named_and_keeps_no_other_back(bench: Bench) -> None:
    await post(bench, *[interaction(n, customer=f"customer-{n}") for n in range(5)])
    broken = (await account_of(bench, "customer-2")).account_id
    async with bench.ledger.database.whole() as tx:
        await tx.execute(update(account_keys).where(account_keys.c.account_id == broken).values(wrapped_key=bytes(92)))

    done = await rewrap(under(bench, os.urandom(32), bench.ledger.master_key.secret).ledger, bench.book)

    assert (done.keys, done.anew, done.closed) == (6, 5, (broken,))


async def test_what_no_master_key_opens_is_told_and_stays(bench: Bench) -> None:
    await post(bench, interaction(1))
    stranger = under(bench, os.urandom(32), os.urandom(32))
    with pytest.raises(MasterKeyMismatch):
        await rewrap(stranger.ledger, bench.book)
    assert (await verify(bench.ledger, bench.book)).is_sound
