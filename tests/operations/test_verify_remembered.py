"""A remembered head: what only it shows, what a verification since looks at, and how one that was cut off goes on."""

from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

import pytest
from sqlalchemy import delete, insert, update

from app.domain.chain import linked
from app.domain.policy import Policy, Thresholds
from app.domain.remembered import Halfway, Mark, Remembered
from app.operations import audit_plan
from app.operations.describe_customer import describe_customer
from app.operations.rebuild import rebuild
from app.operations.tick import advance_due
from app.operations.verify import Report, verify
from app.rows import entry_row
from app.tables import accounts, books, entries, messages, metadata
from tests.conftest import Bench
from tests.operations.adopting import adopt_wholly
from tests.operations.posting import interaction, ledger_of, post
from tests.operations.stories import TOLD, Post, drop_triggers, stored, tell
from tests.tamper_table import Tampered

MORE = [[Post(customer="ada", kind="product.failed"), Post(customer="dora", kind="refund.fast")]]
TABLES = [table for table in metadata.sorted_tables if not table.name.endswith("_versions")]
Rows = dict[str, list[dict[str, Any]]]


async def test_what_is_consistent_in_itself_only_a_remembered_head_shows(
    bench: Bench, subtests: pytest.Subtests, tampered: Tampered
) -> None:
    await tell(bench, bench.book, TOLD)
    older = await everything(bench)
    await tell(bench, bench.book, MORE, prefix="more-", is_begun=True)
    await drop_triggers(bench)
    sound, mark = await everything(bench), await remembered_mark(bench)

    for done, tamper in TAMPERINGS.items():
        with subtests.test(done):
            await tamper(bench, older)
            alone = await verify(bench.ledger, bench.book)
            assert alone.findings == ()
            report = await verify(bench.ledger, bench.book, remembered=Remembered(sound=mark))
            tampered(f"{done} (remembered head alone)", report, 3, f"position {mark.position}")
            assert (report.since, report.mark) == (None, None)
        await put_back(bench, sound)
    assert (await verify(bench.ledger, bench.book, remembered=Remembered(sound=mark))).is_sound


async def test_a_tail_that_is_merely_cut_shows_twice(bench: Bench, tampered: Tampered) -> None:
    await tell(bench, bench.book, TOLD)
    mark = await remembered_mark(bench)
    await drop_triggers(bench)
    await execute(bench, delete(entries).where(entries.c.position > 8))

    report = await verify(bench.ledger, bench.book, remembered=Remembered(sound=mark))

    tampered("the tail cut, and nothing else", report, 3, "position 10")
    assert (3, "head") in {(found.law, found.where) for found in report.findings}


async def rolled_back(bench: Bench, older: Rows) -> None:
    await put_back(bench, older)


async def rolled_back_and_gone_on(bench: Bench, older: Rows) -> None:
    await put_back(bench, older)
    await tell(bench, bench.book, [*MORE, *MORE], prefix="other-", is_begun=True)


async def tail_cut(bench: Bench, older: Rows) -> None:
    """The head, what is folded, what was told, keys and names: all as if the last lines had never been."""
    last = (await ledger_of(bench))[9]
    (book,) = older["books"]
    for table in (entries, messages, *(metadata.tables[name] for name in ("account_keys", "aliases"))):
        await execute(bench, delete(table))
        await execute(bench, insert(table), older[table.name])
    head_now = {"position": last.position, "hash": last.hash, "messages": book["messages"]}
    await execute(bench, update(books).values(**head_now))
    await rebuild(bench.ledger, bench.book)


async def written_anew(bench: Bench, _older: Rows) -> None:
    """From the third line on another key is said to have posted, and every hash after it is right."""
    lines = await ledger_of(bench)
    previous = lines[1].hash
    await execute(bench, delete(entries).where(entries.c.position > 2))
    for line in lines[2:]:
        row = {**entry_row(bench.book, line), "api_key_id": "another"}
        forged = type(line)(
            **{name: getattr(line, name) for name in line.__dataclass_fields__} | {"api_key_id": "another"}
        )
        previous = row["hash"] = linked(previous, forged)
        await execute(bench, insert(entries).values(row))
    await execute(bench, update(books).values(hash=previous))


TAMPERINGS: dict[str, Callable[[Bench, Rows], Awaitable[None]]] = {
    "rolled back to a backup": rolled_back,
    "rolled back to a backup, then gone on": rolled_back_and_gone_on,
    "the tail cut, and all else made to fit": tail_cut,
    "all written anew from a line on, with right hashes": written_anew,
}


async def test_since_a_remembered_head_only_what_is_new_or_touched_is_looked_at(bench: Bench) -> None:
    ada = (await tell(bench, bench.book, TOLD))["ada"]
    mark = await remembered_mark(bench)
    assert seen(await since(bench, mark)) == (0, 0)

    await post(bench, interaction("new"))
    assert seen(await since(bench, mark)) == (1, 1)
    await execute(bench, update(accounts).where(accounts.c.account_id != ada).values(balance=99))
    assert (await since(bench, mark)).is_sound
    assert {found.where.split()[0] for found in (await since(bench, mark, full=True)).findings} == {"account"}
    await execute(bench, update(accounts).where(accounts.c.account_id == ada).values(balance=99))
    assert [found.where for found in (await since(bench, mark)).findings] == [f"account {ada}"]


async def test_who_was_posted_to_is_looked_at_whatever_the_account_says(bench: Bench) -> None:
    ada = (await tell(bench, bench.book, TOLD))["ada"]
    mark = await remembered_mark(bench)
    await post(bench, interaction("new", "contact.neutral"))
    await execute(bench, update(accounts).where(accounts.c.account_id == ada).values(touched_at=0, crossed_at=0))
    found = {found.where for found in (await since(bench, mark)).findings}
    assert f"account {ada}" in found


async def test_touched_is_also_who_was_described_who_crossed_and_by_a_policy_everyone(bench: Bench) -> None:
    bob = (await tell(bench, bench.book, TOLD))["bob"]
    mark = await remembered_mark(bench)
    await describe_customer(bench.ledger, bench.book, bob, {"value": 5.0})
    assert seen(await since(bench, mark)) == (0, 1)

    mark = await remembered_mark(bench)
    bench.clock.pass_days(3000)
    crossed = {account_id for account_id, _ in (await advance_due(bench.ledger, bench.book)).crossings}
    assert crossed
    assert seen(await since(bench, mark)) == (0, len(crossed))

    await adopt_wholly(bench, Policy(thresholds=Thresholds(evidence=4.0)))
    report = await since(bench, mark)
    assert (report.is_sound, seen(report)) == (True, (0, 3))


async def test_a_verification_that_was_cut_off_goes_on_wherever_that_was(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_plan, "PART_ENTRIES", 4)
    told = await tell(bench, bench.book, TOLD)
    whole = await verify(bench.ledger, bench.book)
    for parts in count(1):
        kept = await cut_off(bench, after=parts)
        if kept is None:
            break
        report = await verify(bench.ledger, bench.book, remembered=Remembered(halfway=kept))
        assert report.is_sound
        assert report.mark == whole.mark
        assert seen(report) == (10 - kept.lines, sum(each >= kept.accounts for each in told.values()))
    assert parts > 5


async def test_what_was_touched_meanwhile_is_looked_at_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_plan, "PART_ENTRIES", 8)
    crowd = [Post(customer=f"one of many {n}", kind="contact.neutral") for n in range(20)]
    told = await tell(bench, bench.book, [*TOLD, crowd])
    kept = await cut_off(bench, after=4 + 3)  # of four parts each of lines and accounts: ids are random
    assert kept is not None
    done = min(told.values())
    assert done < kept.accounts
    (name,) = [name for name, account_id in told.items() if account_id == done]

    await post(bench, interaction("meanwhile", customer=name))
    await execute(bench, update(accounts).where(accounts.c.account_id == done).values(balance=99))

    report = await verify(bench.ledger, bench.book, remembered=Remembered(halfway=kept))
    assert [found.where for found in report.findings] == [f"account {done}"]


async def test_a_full_verification_goes_on_with_none_that_looked_only_at_what_was_new(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_plan, "PART_ENTRIES", 4)
    await tell(bench, bench.book, TOLD)
    mark = await remembered_mark(bench)
    await tell(bench, bench.book, [*MORE, *MORE, *MORE], prefix="more-", is_begun=True)
    kept = await cut_off(bench, after=2, sound=mark)
    assert kept is not None

    on = await verify(bench.ledger, bench.book, remembered=Remembered(sound=mark, halfway=kept))
    full = await verify(bench.ledger, bench.book, remembered=Remembered(sound=mark, halfway=kept), full=True)

    assert (on.is_sound, on.since, on.entries_seen) == (True, mark, 16 - kept.lines)
    assert (full.is_sound, full.since, full.resumed, full.entries_seen) == (True, None, None, 16)


class CutOffError(Exception):
    """What ends a verification in its midst."""


async def cut_off(bench: Bench, *, after: int, sound: Mark | None = None) -> Halfway | None:
    """What is kept of a verification that ends after so many parts; None if it came to its end before."""
    kept: list[Halfway] = []

    def keep(halfway: Halfway) -> None:
        kept.append(halfway)
        if len(kept) == after:
            raise CutOffError

    try:
        await verify(bench.ledger, bench.book, remembered=Remembered(sound=sound), keep=keep)
    except CutOffError:
        return kept[-1]
    return None


async def since(bench: Bench, mark: Mark, *, full: bool = False) -> Report:
    return await verify(bench.ledger, bench.book, remembered=Remembered(sound=mark), full=full)


def seen(report: Report) -> tuple[int, int]:
    return report.entries_seen, report.accounts_seen


async def remembered_mark(bench: Bench) -> Mark:
    report = await verify(bench.ledger, bench.book)
    assert report.mark is not None
    return report.mark


async def everything(bench: Bench) -> Rows:
    return await stored(bench, *TABLES)


async def put_back(bench: Bench, rows: Rows) -> None:
    """Every row of the database as it was."""
    for table in TABLES:
        await execute(bench, delete(table))
        if rows[table.name]:
            await execute(bench, insert(table), rows[table.name])


async def execute(bench: Bench, statement: Any, rows: list[dict[str, Any]] | None = None) -> None:
    async with bench.ledger.database.whole() as tx:
        await (tx.execute(statement, rows) if rows else tx.execute(statement))
