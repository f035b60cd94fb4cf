"""Sandboxes in the terminal: a key opens one, and every command takes its name."""

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli.commands import app
from app.domain.instant import DAY
from app.main import Opened
from app.operations.record import record
from app.operations.sandbox import advance_clock
from app.settings import Settings
from tests.operations.posting import interaction

COMMANDS = (("verify",), ("export",), ("rebuild",))


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, sqlite_template: Path, tmp_path: Path) -> None:
    (tmp_path / "goodwill.sqlite3").write_bytes(sqlite_template.read_bytes())
    monkeypatch.setenv("GOODWILL_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("GOODWILL_PORT", "0")


def goodwill(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


@pytest.mark.parametrize(
    "named", [["--sandbox", "--book", "acme"], ["--book", "test_acme"], ["--sandbox", "--book", "test_acme"]]
)
def test_a_key_opens_a_sandbox(environment: None, named: list[str]) -> None:
    created = goodwill("keys", "create", *named)

    assert created.exit_code == 0
    assert created.stdout.startswith("gw_test_acme_")
    assert "of book test_acme" in created.stderr
    assert "test_acme" in goodwill("keys", "list").stdout


def test_without_a_name_it_is_the_sandbox_of_the_first_book(environment: None) -> None:
    goodwill("keys", "create", "--book", "acme")

    assert goodwill("keys", "create", "--sandbox").stdout.startswith("gw_test_acme_")


def test_a_name_that_cannot_be_is_refused(environment: None) -> None:
    for named in (
        ["--book", "test"],
        ["--sandbox", "--book", "test"],
        ["--sandbox", "--book", "a" * 36],
        ["--book", "a_b"],
    ):
        refused = goodwill("keys", "create", *named)
        assert refused.exit_code == 1
        assert "a sandbox's is test_" in refused.stderr


def test_every_command_takes_a_sandbox_whose_clock_is_ahead(environment: None) -> None:
    goodwill("keys", "create", "--sandbox", "--book", "acme", "--source", "crm")
    asyncio.run(live_ahead())

    for command in COMMANDS:
        assert goodwill(*command, "--book", "test_acme").exit_code == 0, command
    examined = goodwill("doctor")
    assert "ok    clock        not behind the last entry of any book" in examined.output


async def live_ahead() -> None:
    service = Opened(Settings())
    ledger = await service.ledger()
    await advance_clock(ledger, "test_acme", by=90 * DAY)
    await record(ledger, "test_acme", [interaction(1)], api_key_id="tests")
    await service.close()
