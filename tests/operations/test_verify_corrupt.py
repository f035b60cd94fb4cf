"""A row spoiled by hand: verify names the law and the place, and where it is a projection rebuild mends it."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, insert, text, update
from sqlalchemy.exc import DBAPIError

from app.domain.audit import LedgerBroken
from app.operations import audit
from app.operations.rebuild import rebuild
from app.operations.verify import verify
from app.tables import account_keys, accounts, aliases, books, crossings, customer_changes, entries, metadata
from tests.conftest import Bench
from tests.operations.corruptions import PROJECTIONS, Corruption
from tests.operations.forgeries import LEDGER
from tests.operations.stories import TOLD, drop_triggers, projected, stored, tell
from tests.tamper_table import Tampered

SOURCES = (entries, books, account_keys, aliases, customer_changes)


async def test_verify_names_what_is_wrong_with_the_ledger(
    bench: Bench, subtests: pytest.Subtests, tampered: Tampered
) -> None:
    ada = (await tell(bench, bench.book, TOLD))["ada"]
    await drop_triggers(bench)
    sound = await stored(bench, *SOURCES)

    for corruption in LEDGER:
        with subtests.test(corruption.name):
            await spoil(bench, corruption, ada)
            report = await verify(bench.ledger, bench.book)
            tampered(corruption.name, report, corruption.law, corruption.where.format(ada=ada))
        await restore(bench, sound)
        assert (await verify(bench.ledger, bench.book)).is_sound


async def test_verify_names_what_is_wrong_with_a_projection_and_rebuild_mends_it(
    bench: Bench, subtests: pytest.Subtests, tampered: Tampered
) -> None:
    ada = (await tell(bench, bench.book, TOLD))["ada"]
    await rebuild(bench.ledger, bench.book)
    sound = folded(await projected(bench, bench.book))

    for corruption in PROJECTIONS:
        with subtests.test(corruption.name):
            await spoil(bench, corruption, ada)
            report = await verify(bench.ledger, bench.book)
            tampered(corruption.name, report, corruption.law, corruption.where.format(ada=ada))
        await rebuild(bench.ledger, bench.book)
        assert (await verify(bench.ledger, bench.book)).findings == ()
        assert folded(await projected(bench, bench.book)) == sound


def folded(rows: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Without what only the row itself knew of a crossing: when it was recorded, and whether it was told of."""
    beside = {"recorded_at": None, "announced": None}
    return {name: [{**row, **beside} for row in each] for name, each in rows.items()}


async def test_an_account_that_is_gone_comes_back_whole(bench: Bench) -> None:
    ada = (await tell(bench, bench.book, TOLD))["ada"]
    await rebuild(bench.ledger, bench.book)
    [before] = [row for row in (await projected(bench, bench.book))["accounts"] if row["account_id"] == ada]
    async with bench.ledger.database.whole() as tx:
        await tx.execute(delete(accounts).where(accounts.c.account_id == ada))

    report = await verify(bench.ledger, bench.book)
    assert [(found.law, found.where) for found in report.findings] == [(2, f"account {ada}")]

    await rebuild(bench.ledger, bench.book)
    assert (await verify(bench.ledger, bench.book)).is_sound
    [after] = [row for row in (await projected(bench, bench.book))["accounts"] if row["account_id"] == ada]
    assert after == before


async def test_a_ledger_that_does_not_fold_is_not_rebuilt(bench: Bench) -> None:
    await tell(bench, bench.book, TOLD)
    await drop_triggers(bench)
    async with bench.ledger.database.whole() as tx:
        await tx.execute(delete(entries).where(entries.c.position == 2))
    before = await projected(bench, bench.book)

    with pytest.raises(LedgerBroken):
        await rebuild(bench.ledger, bench.book)

    assert await projected(bench, bench.book) == before


async def test_however_much_is_wrong_all_is_counted_and_some_is_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "FINDINGS_KEPT_MAX", 4)
    await tell(bench, bench.book, TOLD)
    await drop_triggers(bench)
    async with bench.ledger.database.whole() as tx:
        await tx.execute(update(entries).values(hash=b"x" * 32))

    report = await verify(bench.ledger, bench.book)

    assert (len(report.findings), report.counts[3]) == (4, 11)


GARBAGE = [
    "UPDATE entries SET points = 'many' WHERE position = 2",
    "UPDATE entries SET booked_at = 'soon' WHERE position = 2",
    "UPDATE entries SET entry_id = 'none' WHERE position = 2",
    "UPDATE entries SET account_id = 'none' WHERE position = 2",
    "UPDATE entries SET sealed = 'text' WHERE position = 2",
    "UPDATE entries SET hash = 7 WHERE position = 2",
    "UPDATE entries SET value_at = 9007199254740993 WHERE position = 2",
    "UPDATE entries SET value_at = -9000000000000000000 WHERE position = 2",
    "UPDATE accounts SET credits_lasting = 'much'",
    "UPDATE accounts SET look_again_at = 'soon'",
    "UPDATE accounts SET look_again_at = 9223372036854775807",
    "UPDATE accounts SET account_id = 'none' WHERE value IS NOT NULL",
    "UPDATE crossings SET at = 'soon'",
    "UPDATE accounts SET value = 'much'",
    "UPDATE accounts SET value = -1",
    "UPDATE customer_changes SET changed_at = 'soon'",
    "UPDATE customer_changes SET value = 'much'",
    "UPDATE customer_changes SET value = -1",
    "UPDATE account_keys SET wrapped_key = 'text'",
    "UPDATE books SET hash = 'text'",
    "UPDATE books SET position = 'last'",
    "UPDATE books SET policy_version = 9",
]


async def test_whatever_lies_there_verify_never_raises(bench: Bench, subtests: pytest.Subtests) -> None:
    """SQLite keeps a text where a number belongs; PostgreSQL refuses most of these."""
    await tell(bench, bench.book, TOLD)
    await drop_triggers(bench)
    sound = await stored(bench, *SOURCES)
    before = await stored(bench, accounts, crossings)

    for statement in GARBAGE:
        with subtests.test(statement):
            if await is_taken(bench, statement):
                report = await verify(bench.ledger, bench.book)
                assert not report.is_sound
        await restore(bench, {**sound, **before})
        assert (await verify(bench.ledger, bench.book)).is_sound


async def is_taken(bench: Bench, statement: str) -> bool:
    try:
        async with bench.ledger.database.whole() as tx:
            await tx.execute(text(statement))
    except DBAPIError:
        assert not bench.ledger.database.is_sqlite
        return False
    return True


async def spoil(bench: Bench, corruption: Corruption, ada: UUID) -> None:
    async with bench.ledger.database.whole() as tx:
        for statement in corruption.spoil(ada):
            assert (await tx.execute(statement)).rowcount > 0


async def restore(bench: Bench, rows: dict[str, list[dict[str, Any]]]) -> None:
    async with bench.ledger.database.whole() as tx:
        for name, own in rows.items():
            await tx.execute(delete(metadata.tables[name]))
            await tx.execute(insert(metadata.tables[name]), own)
