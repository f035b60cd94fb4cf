"""`goodwill verify`, `rebuild` and `export`, as one types them."""

import asyncio
import base64
import json
from pathlib import Path

import pytest
from sqlalchemy import delete, update
from typer.testing import CliRunner, Result

from app.cli.commands import app
from app.domain.audit import LAWS
from app.domain.policy import Policy, Thresholds
from app.domain.policy_document import policy_document
from app.operations.open_book import open_book
from app.tables import accounts, crossings, entries
from tests.conftest import Bench
from tests.operations.signing import sign_all
from tests.operations.stories import TOLD, drop_triggers, projected, tell


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, bench: Bench, tmp_path: Path) -> None:
    monkeypatch.setenv("GOODWILL_DATABASE_URL", bench.url)
    monkeypatch.setenv("GOODWILL_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("GOODWILL_MASTER_KEY", base64.b64encode(bench.ledger.master_key.secret).decode())


async def goodwill(*words: str) -> Result:
    """The command, in a thread: it has an event loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, app, list(words))


async def test_a_book_that_breaks_and_is_rebuilt(bench: Bench) -> None:
    ada = (await tell(bench, bench.book, TOLD))["ada"]
    sound = await goodwill("verify")
    async with bench.ledger.database.whole() as tx:
        await tx.execute(update(accounts).where(accounts.c.account_id == ada).values(balance=1))
        await tx.execute(delete(crossings).where(crossings.c.account_id == ada))

    broken, rebuilt = await goodwill("verify", "--book", "acme"), await goodwill("rebuild")
    mended = await goodwill("verify")

    assert (sound.exit_code, broken.exit_code, rebuilt.exit_code, mended.exit_code) == (0, 1, 0, 0)
    assert "book acme: 10 entries, 3 accounts" in sound.stdout
    assert f"law 2, account {ada}: Its balance is stored as 1" in broken.stdout
    assert f"law 5, account {ada} crossing 1: It is not recorded" in broken.stdout
    assert "10 entries folded" in rebuilt.stdout


async def test_checkpoints_are_exported_and_their_keys_listed_and_replaced(bench: Bench, tmp_path: Path) -> None:
    await tell(bench, bench.book, TOLD)
    assert (await goodwill("keys", "signing")).stdout == ""
    await sign_all(bench)
    file, entries_file = tmp_path / "checkpoints", tmp_path / "entries"

    written = await goodwill("export", "--checkpoints", "--output", str(file))
    await goodwill("export", "--output", str(entries_file))
    listed, replaced = await goodwill("keys", "signing"), await goodwill("keys", "signing", "--replace")
    (key,) = [line.split("\t")[0] for line in listed.stdout.splitlines()]
    files = ("--export", str(entries_file), "--checkpoints", str(file), f"--key={key}")
    sound = await goodwill("verify", *files)

    assert "1 checkpoints exported" in written.stderr
    assert (sound.exit_code, f"signed by {key}, as was asked for" in sound.stdout) == (0, True)
    assert [line.split("\t")[0] for line in replaced.stdout.splitlines()][:1] == [key]
    assert len(replaced.stdout.splitlines()) == 2


async def test_for_machines_each_book_is_a_json_object_on_a_line(bench: Bench) -> None:
    await tell(bench, bench.book, TOLD)
    await open_book(bench.ledger, "other")
    await drop_triggers(bench)
    async with bench.ledger.database.whole() as tx:
        await tx.execute(update(entries).where(entries.c.position == 4).values(context="{}"))

    shown = await goodwill("verify", "--all", "--json")

    acme, other = [json.loads(line) for line in shown.stdout.splitlines()]
    assert shown.exit_code == 1
    assert (acme["book"], acme["ok"], acme["entries"], acme["position"]) == ("acme", False, 10, 10)
    assert acme["laws"] == {str(law): int(law == 3) for law in LAWS}
    assert [(found["law"], found["where"]) for found in acme["findings"]] == [(3, "position 4")]
    assert (other["book"], other["ok"], other["findings"]) == ("other", True, [])


async def test_what_cannot_be_rebuilt_is_said_in_one_line(bench: Bench) -> None:
    await tell(bench, bench.book, TOLD)
    await drop_triggers(bench)
    async with bench.ledger.database.whole() as tx:
        await tx.execute(delete(entries).where(entries.c.position == 1))

    shown = await goodwill("rebuild")

    assert shown.exit_code == 1
    assert shown.stderr.startswith("goodwill: The entries of account ")


async def test_an_export_goes_to_a_file_or_to_standard_output(bench: Bench, tmp_path: Path) -> None:
    await tell(bench, bench.book, TOLD)

    printed = await goodwill("export")
    written = await goodwill("export", "--output", str(tmp_path / "acme.ndjson"))
    refused = await goodwill("export", "--output", str(tmp_path / "no such folder" / "acme.ndjson"))

    assert (printed.exit_code, written.exit_code, refused.exit_code) == (0, 0, 1)
    assert len(printed.stdout.splitlines()) == 11
    assert (tmp_path / "acme.ndjson").read_text() == printed.stdout
    assert "10 entries exported" in printed.stderr
    assert "No such file or directory" in refused.stderr


async def test_what_a_policy_would_change_is_said_and_nothing_is_changed(bench: Bench, tmp_path: Path) -> None:
    await tell(bench, bench.book, TOLD)
    before = await projected(bench, bench.book)
    path = tmp_path / "policy.json"
    path.write_text(policy_document(Policy(thresholds=Thresholds(evidence=500.0))))

    tried = await goodwill("rebuild", "--policy", str(path), "--dry-run")
    path.write_text("{}")
    refused = await goodwill("rebuild", "--policy", str(path), "--dry-run")
    alone = await goodwill("rebuild", "--policy", str(path))

    assert tried.exit_code == 0, tried.output
    assert "standings would change, of 3 accounts" in tried.output
    assert "-> no_evidence" in tried.output
    assert (refused.exit_code, alone.exit_code) == (1, 1)
    assert "/half_lives: this field is needed." in refused.output
    assert "go together" in alone.output
    assert await projected(bench, bench.book) == before
