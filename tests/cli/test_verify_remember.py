"""`goodwill verify --remember`, as one types it."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import delete
from typer.testing import CliRunner, Result

from app.cli.commands import app
from app.domain.instant import wire_time
from app.operations.open_book import open_book
from app.tables import entries
from tests.conftest import Bench
from tests.operations.posting import interaction, post
from tests.operations.stories import TOLD, drop_triggers, tell
from tests.servers import ROOT, environment, settings_of

Verify = Callable[..., Awaitable[Result]]


@pytest.fixture
def heads(tmp_path: Path) -> Path:
    return tmp_path / "heads.json"


@pytest.fixture
def verify(bench: Bench, heads: Path, monkeypatch: pytest.MonkeyPatch) -> Verify:
    """The command with the file, in a thread: it has an event loop of its own."""
    for name, value in settings_of(database_url=bench.url, master_key=bench.ledger.master_key.secret).items():
        monkeypatch.setenv(name, value)

    async def command(*words: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, ["verify", "--remember", str(heads), *words])

    return command


async def test_the_first_run_looks_at_all_and_the_next_at_what_is_new(
    bench: Bench, heads: Path, verify: Verify
) -> None:
    await tell(bench, bench.book, TOLD)
    first, idle = await verify(), await verify()
    await post(bench, interaction("new"))
    next_one, whole = await verify(), await verify("--full")

    assert [each.exit_code for each in (first, idle, next_one, whole)] == [0, 0, 0, 0]
    assert "looked at" not in first.stdout + whole.stdout
    assert "looked at: the 0 entries after it, and all of 0 accounts" in idle.stdout
    assert "since position 10, found sound at 20" in next_one.stdout
    assert "looked at: the 1 entries after it, and all of 1 accounts" in next_one.stdout
    assert "not looked at again: 10 entries and 2 accounts (--full looks at all)" in next_one.stdout
    kept = json.loads(text_of(heads))["books"]["acme"]
    assert (kept["head"]["position"], "halfway" in kept) == (11, False)
    assert sorted(path.name for path in heads.parent.glob("*heads*")) == ["heads.json"]


async def test_a_cut_tail_is_named_and_the_head_stays_remembered(bench: Bench, heads: Path, verify: Verify) -> None:
    await tell(bench, bench.book, TOLD)
    await verify()
    before = text_of(heads)
    await drop_triggers(bench)
    async with bench.ledger.database.whole() as tx:
        await tx.execute(delete(entries).where(entries.c.position == 10))

    cut = await verify()

    assert cut.exit_code == 1
    assert "law 3, position 10: It is remembered, and is gone; the last line is at position 9" in cut.stdout
    assert text_of(heads) == before


async def test_a_file_of_something_else_is_refused_in_a_clear_line(bench: Bench, heads: Path, verify: Verify) -> None:
    await open_book(bench.ledger, "other")
    assert (await verify("--book", "other")).exit_code == 0
    another = await verify()
    added, whole = await verify("--full"), await verify("--all")
    say(heads, text_of(heads).replace('"other"', '"lost"'))
    gone = await verify("--all")
    say(heads, '{"remembered": 1, "books": {"acme": {"head": 7}}}')
    wrong = await verify()
    say(heads, "{")
    broken = await verify()

    assert [each.exit_code for each in (another, added, whole, gone, wrong, broken)] == [1, 0, 0, 1, 1, 1]
    assert "the file remembers other, not acme: use another file, or --full to add the book" in another.stderr
    assert "the database has no book lost, which the file remembers" in gone.stderr
    assert "is no file of `goodwill verify --remember`: books/acme/head: " in wrong.stderr
    assert "is no file of `goodwill verify --remember`: " in broken.stderr


async def test_a_run_that_was_killed_goes_on_where_it_was(bench: Bench, heads: Path, verify: Verify) -> None:
    await tell(bench, bench.book, TOLD)

    killed = await asyncio.to_thread(killed_after, 4, bench, heads)
    kept = json.loads(text_of(heads))["books"]["acme"]
    on = await verify("--json")

    assert killed == -signal.SIGKILL
    assert (kept["halfway"]["lines"], "head" in kept) == (8, False)
    assert (on.exit_code, json.loads(on.stdout)["entries_seen"]) == (0, 2)
    kept = json.loads(text_of(heads))["books"]["acme"]
    assert (kept["head"]["position"], "halfway" in kept, kept["verified_at"] > wire_time(0)) == (10, False, True)


def killed_after(parts: int, bench: Bench, heads: Path) -> int:
    settings = settings_of(database_url=bench.url, master_key=bench.ledger.master_key.secret)
    command = [sys.executable, "-m", "tests.cli.verifying_process", str(heads), str(parts)]
    return subprocess.run(command, cwd=ROOT, env=environment(settings), check=False, capture_output=True).returncode


def text_of(heads: Path) -> str:
    return heads.read_text()


def say(heads: Path, text: str) -> None:
    heads.write_text(text)
