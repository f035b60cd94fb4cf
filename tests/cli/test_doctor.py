"""`goodwill doctor`: it names what is wrong, says what to do, changes nothing, and never falls over."""

import asyncio
import json
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from app.cli.commands import app
from app.database import Database
from app.domain.instant import DAY, HOUR
from app.main import Opened
from app.operations.open_book import open_book
from app.operations.replay import begin_replay
from app.settings import Settings
from app.store.books import lock_head, save_head

MASTER_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

Found = dict[str, list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A data folder of the test's own, and a port that is free."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        monkeypatch.setenv("GOODWILL_PORT", str(listener.getsockname()[1]))
    monkeypatch.setenv("GOODWILL_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture
def on_a_database(monkeypatch: pytest.MonkeyPatch, database_url: str) -> str:
    monkeypatch.setenv("GOODWILL_DATABASE_URL", database_url)
    monkeypatch.setenv("GOODWILL_MASTER_KEY", MASTER_KEY)
    return database_url


def examined(exit_code: int) -> Found:
    """The checks by name."""
    result = CliRunner().invoke(app, ["doctor", "--json"])
    assert result.exit_code == exit_code, result.output
    found: Found = {}
    for check in json.loads(result.stdout)["checks"]:
        found.setdefault(check["name"], []).append(check)
    return found


def verdicts(found: Found) -> dict[str, set[str]]:
    return {name: {check["verdict"] for check in checks} for name, checks in found.items()}


def keep_a_key(*options: str) -> None:
    assert CliRunner().invoke(app, ["keys", "create", *options]).exit_code == 0


def test_all_is_well(on_a_database: str) -> None:
    keep_a_key()

    found = verdicts(examined(0))

    assert {"settings", "database", "migrations", "master key", "keys", "clock", "disk", "port"} <= found.keys()
    assert set().union(*found.values()) == {"ok"}


def test_the_lines_are_for_people(on_a_database: str) -> None:
    shown = CliRunner().invoke(app, ["doctor"])

    assert shown.exit_code == 0
    assert "warn  keys" in shown.output
    assert "-> goodwill keys create" in shown.output


def test_before_the_first_start_there_is_nothing_and_the_doctor_makes_nothing(tmp_path: Path) -> None:
    found = verdicts(examined(0))

    assert found["database"] == {"warn"}
    assert not (tmp_path / "data").exists()


def test_an_empty_database_is_not_migrated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "empty.sqlite3"
    path.touch()
    monkeypatch.setenv("GOODWILL_DATABASE_URL", f"sqlite:///{path}")

    assert verdicts(examined(0))["migrations"] == {"warn"}
    assert verdicts(examined(0))["migrations"] == {"warn"}


def test_data_of_a_later_release(on_a_database: str) -> None:
    asyncio.run(execute(on_a_database, "UPDATE alembic_version SET version_num = '9999'"))

    [migrations] = examined(1)["migrations"]

    assert migrations["verdict"] == "fail"
    assert "9999" in migrations["says"]


@pytest.mark.parametrize(
    "url",
    ["mysql://h/d", "nonsense", "postgresql://u:secret@127.0.0.1:1/d", "postgresql://u:secret@nowhere.invalid/d"],
)
def test_a_database_that_cannot_be_had(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("GOODWILL_DATABASE_URL", url)

    found = examined(1)

    assert verdicts(found)["database"] == {"fail"}
    assert "secret" not in json.dumps(found)


def test_a_file_that_is_no_database(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "letter.sqlite3"
    path.write_text("Dear Sir or Madam, " * 100)
    monkeypatch.setenv("GOODWILL_DATABASE_URL", f"sqlite:///{path}")

    [database] = examined(1)["database"]

    assert "not a database" in database["says"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "abc"), ("PORT", "70000"), ("TYPO", "1"), ("LOG_LEVEL", "loud"), ("MASTER_KEY", "short")],
)
def test_a_setting_that_cannot_be(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"GOODWILL_{name}", value)

    failed = [check for check in examined(1)["settings"] if check["verdict"] == "fail"]

    assert [f"GOODWILL_{name}" in check["says"] for check in failed] == [True]
    assert all(check["advice"] for check in failed)


def test_another_master_key(on_a_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_a_key()
    monkeypatch.setenv("GOODWILL_MASTER_KEY", MASTER_KEY.lower().replace("=", "") + "=")

    [master_key] = examined(1)["master key"]

    assert master_key["says"] == "does not open main"


def test_a_master_key_that_others_may_read(tmp_path: Path) -> None:
    keep_a_key()
    (tmp_path / "data" / "master.key").chmod(0o644)

    assert verdicts(examined(1))["master key"] == {"ok", "fail"}


def test_a_master_key_that_is_gone(tmp_path: Path) -> None:
    keep_a_key()
    (tmp_path / "data" / "master.key").unlink()

    assert verdicts(examined(1))["master key"] == {"fail"}
    assert not (tmp_path / "data" / "master.key").exists()


def test_a_key_that_expires_soon(on_a_database: str) -> None:
    keep_a_key("--expires-in-days", "3")

    assert verdicts(examined(0))["keys"] == {"ok", "warn"}


def test_a_replay_that_was_cut_off_and_a_clock_that_is_behind(on_a_database: str) -> None:
    asyncio.run(leave_behind())

    found = examined(1)

    assert verdicts(found)["replay"] == {"fail"}
    assert "fail" in verdicts(found)["clock"]


def test_a_port_that_something_else_has(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        monkeypatch.setenv("GOODWILL_PORT", str(listener.getsockname()[1]))

        assert verdicts(examined(1))["port"] == {"fail"}


def test_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.cli.doctor_machine.FREE_BYTES_LEAST", 10**18)

    assert verdicts(examined(0))["disk"] == {"warn"}


def test_other_commands_refuse_an_address_that_is_none_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOODWILL_DATABASE_URL", "mysql://user:secret@host/d")

    refused = CliRunner().invoke(app, ["keys", "list"])

    assert refused.exit_code == 1
    assert refused.stderr.startswith("goodwill: GOODWILL_DATABASE_URL: ")
    assert "secret" not in refused.output


async def leave_behind() -> None:
    service = Opened(Settings())
    ledger = await service.ledger()
    await open_book(ledger, "old")
    await begin_replay(ledger, "old")
    async with ledger.database.whole() as tx:
        head = await lock_head(tx, "old")
        await save_head(tx, replace(head, booked_at=ledger.now() + DAY + HOUR))
    await service.close()


async def execute(url: str, sql: str) -> None:
    database = Database(url)
    async with database.whole() as tx:
        await tx.execute(text(sql))
    await database.close()
