"""`goodwill verify` holds a book's checkpoints against its entries, whatever was made consistent again."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from app.domain.merkle import BRANCH_LEAVES
from app.domain.remembered import Remembered
from app.operations.sign_checkpoint import signed
from app.operations.verify import verify
from app.sealing.signing import SigningKey
from app.tables import books, checkpoints, entries, messages, policy_versions, signing_keys
from tests.conftest import Bench
from tests.operations.posting import interaction, post
from tests.operations.rewriting import cut_after, rewrite
from tests.operations.signing import sign_all, signing
from tests.operations.stories import TOLD, drop_triggers, stored, tell
from tests.tamper_table import Tampered

FORGER = SigningKey(b"\7" * 32)
_own = checkpoints.c


def changed(which: int, /, **values: Any) -> Any:
    return update(checkpoints).where(_own.number == which).values(**values)


SPOILED: list[tuple[str, int, str, Any]] = [
    ("its signature", 3, "checkpoint 2", changed(2, signature=b"\1" * 64)),
    ("its root", 3, "checkpoint 2", changed(2, root=b"\1" * 32)),
    ("its branches", 3, "checkpoint 2", changed(2, branches=b"\1" * 32)),
    ("its branches gone", 3, "checkpoint 2", changed(2, branches=b"")),
    ("its policy's hash", 3, "checkpoint 2", changed(2, policy_hash=b"\1" * 32)),
    ("its policy", 3, "checkpoint 2", changed(2, policy_version=7)),
    ("its instant, by a microsecond", 3, "checkpoint 2", changed(2, signed_at=_own.signed_at + 1)),
    ("its instant, seen in what was told", 6, "checkpoint 2", changed(2, signed_at=_own.signed_at + 1)),
    ("the hash that it covers", 3, "checkpoint 2", changed(2, hash=b"\1" * 32)),
    ("where it begins", 3, "checkpoint 2", changed(2, since=5)),
    ("its number", 3, "checkpoint 9", changed(3, number=9)),
    ("its key", 3, "checkpoint 2", changed(2, public_key=FORGER.public_key)),
    ("one left out", 3, "checkpoint 3", delete(checkpoints).where(_own.number == 2)),
    ("the last one gone, seen in what was told", 6, "message 1", delete(checkpoints)),
    ("the message gone", 6, "checkpoint 1", update(messages).where(messages.c.number == 1).values(type="test")),
    ("the signing key gone", 3, "checkpoint 1", delete(signing_keys)),
    ("the signing key damaged", 3, "head", update(signing_keys).values(wrapped_key=b"\1" * 60)),
    ("another policy under its version", 3, "checkpoint 1", update(policy_versions).values(document="{}")),
]


async def test_verify_names_what_is_wrong_with_a_checkpoint(
    bench: Bench, subtests: pytest.Subtests, tampered: Tampered
) -> None:
    bench = signing(bench, entries=1)
    for n in range(3):
        await post(bench, interaction(n, "contact.neutral"))
        await sign_all(bench)
        bench.clock.pass_days(1)
    await drop_triggers(bench)
    tables = (checkpoints, signing_keys, messages, policy_versions)
    sound = await stored(bench, *tables)

    for name, law, where, spoil in SPOILED:
        with subtests.test(name):
            await execute(bench, spoil)
            tampered(f"checkpoint: {name}", await verify(bench.ledger, bench.book), law, where)
        for table in tables:
            await execute(bench, delete(table))
            await execute(bench, insert(table), sound[table.name])
        assert (await verify(bench.ledger, bench.book)).is_sound


async def test_what_is_consistent_in_itself_a_checkpoint_shows(
    bench: Bench, subtests: pytest.Subtests, tampered: Tampered
) -> None:
    bench = signing(bench, entries=4)
    await tell(bench, bench.book, TOLD)
    await sign_all(bench)
    await drop_triggers(bench)
    sound = await stored(bench, entries, books)
    for name, where, spoil in (
        ("tail cut", "checkpoint 3", cut_after(bench, 9)),
        ("all rewritten with right hashes", "checkpoint 1", rewrite(bench, 2)),
        ("the end rewritten with right hashes", "checkpoint 3", rewrite(bench, 10)),
    ):
        with subtests.test(name):
            await spoil
            report = await verify(bench.ledger, bench.book)
            tampered(f"with checkpoints: {name}", report, 3, where)
            said = [found.where for found in report.findings if found.law == 3]
            assert not [each for each in said if each.startswith(("position", "head"))]
        await execute(bench, delete(entries))
        await execute(bench, insert(entries), sound["entries"])
        (head,) = sound["books"]
        await execute(bench, update(books).where(books.c.book == bench.book).values(head))
    assert (await verify(bench.ledger, bench.book)).is_sound


async def test_one_that_a_stranger_signed_is_found_though_its_key_was_put_beside_the_others(bench: Bench) -> None:
    await post(bench, interaction(1))
    (own,) = await sign_all(bench)
    await drop_triggers(bench)
    forged = signed(replace(own, public_key=FORGER.public_key), FORGER)
    await execute(bench, update(checkpoints).values(public_key=forged.public_key, signature=forged.signature))
    async with bench.ledger.database.read(bench.book) as tx:
        wrapped = (await tx.execute(select(signing_keys.c.wrapped_key))).scalar_one()
    row = {"book": bench.book, "public_key": FORGER.public_key, "created_at": 1, "wrapped_key": wrapped}
    await execute(bench, insert(signing_keys), [row])

    said = {(found.where, found.what) for found in (await verify(bench.ledger, bench.book)).findings}

    assert ("head", "The master key does not open a signing key.") in said
    assert any(where == "checkpoint 1" and "which is not trusted" in what for where, what in said)


async def test_of_a_remembered_book_only_what_is_new_is_looked_at(bench: Bench) -> None:
    bench = signing(bench, entries=4)
    await post(bench, *[interaction(n) for n in range(6)])
    await sign_all(bench)
    mark = (await verify(bench.ledger, bench.book)).mark
    await post(bench, *[interaction(n) for n in range(6, 9)])
    await sign_all(bench)
    await drop_triggers(bench)
    for number, is_found in ((1, False), (2, False), (3, True)):
        (before,) = [each for each in (await stored(bench, checkpoints))["checkpoints"] if each["number"] == number]
        await execute(bench, changed(number, signature=b"\1" * 64))
        for remembered, expected in ((Remembered(sound=mark), is_found), (None, True)):
            report = await verify(bench.ledger, bench.book, remembered=remembered)
            assert (f"checkpoint {number}" in {each.where for each in report.findings}) is expected
        await execute(bench, changed(number, signature=before["signature"]))


async def test_one_over_several_branches_holds(bench: Bench) -> None:
    await post(bench, *[interaction(n, customer=f"c{n % 7}") for n in range(2 * BRANCH_LEAVES + 3)])
    found = await sign_all(bench)
    assert [each.size for each in found] == [2 * BRANCH_LEAVES + 3]
    assert (await verify(bench.ledger, bench.book)).is_sound


async def execute(bench: Bench, statement: Any, rows: list[dict[str, Any]] | None = None) -> None:
    async with bench.ledger.database.whole() as tx:
        await (tx.execute(statement, rows) if rows else tx.execute(statement))
