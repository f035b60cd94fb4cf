"""A backup is taken while a real server posts, restored into a new place, verified there, and served on."""

import asyncio
import os
import shutil
import stat
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from app.cli import backup as command
from app.cli.commands import app
from app.operations.erase_customer import erase_customer
from tests.conftest import Bench
from tests.operations.posting import interaction, post
from tests.postgres import Server, find_programs
from tests.servers import ServerProcess, running_servers, settings_of

WRITERS = 4
ENOUGH = 100
PATIENCE_SECONDS = 60  # a copy that every posting made begin anew would never be done


@pytest.fixture
def file(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the backup is to lie; the command works on the bench's database, and finds the programs of its server."""
    use(bench.url, bench, monkeypatch)
    monkeypatch.setenv("PATH", f"{find_programs()}:{os.environ['PATH']}")
    return tmp_path / "backup"


def use(url: str, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in settings_of(database_url=url, master_key=bench.ledger.master_key.secret).items():
        monkeypatch.setenv(name, value)


async def goodwill(*words: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, list(words))


async def test_what_was_acknowledged_before_a_backup_is_there_after_it_is_restored(
    bench: Bench, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    key = bench.ledger.master_key.secret
    monkeypatch.setattr(command, "PAGES_AT_ONCE", 1)  # so that postings come between two steps of a small file too
    monkeypatch.setattr(command, "PAUSE_SECONDS", 0.01)
    async with (
        running_servers(1, tmp_path, database_url=bench.url, master_key=key) as (server,),
        posting(server, bench.token) as acknowledged,
    ):
        before = list(acknowledged)
        taken = await asyncio.wait_for(goodwill("backup", str(file)), PATIENCE_SECONDS)
        after = len(acknowledged)

    assert taken.exit_code == 0, taken.output
    assert "book acme: position " in taken.stdout
    assert "The master key is not in it" in taken.stderr
    assert after > len(before), "postings stood still meanwhile"
    assert written(tmp_path, "backup") == {"backup": 0o600, "backup.heads.json": 0o644, "backup.erasures.json": 0o644}

    use(url := restored(file, bench, tmp_path, request), bench, monkeypatch)
    verified = await goodwill("verify", "--all", "--remember", f"{file}.heads.json")
    assert (verified.exit_code, "looked at" in verified.stdout) == (0, False), verified.output
    folder = tmp_path / "restored"
    async with (
        running_servers(1, folder, database_url=url, master_key=key) as (server,),
        server.client(bench.token) as client,
    ):
        assert set(before) <= await interactions(client)
        posted = await client.post("/v1/interactions", json={"id": "on", "customer": "ada", "kind": "apology.first"})
        assert posted.status_code == httpx.codes.CREATED
    assert (await goodwill("verify", "--all", "--remember", f"{file}.heads.json")).exit_code == 0


async def test_an_older_backup_is_told_from_the_newest_by_its_heads(
    bench: Bench, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    await post(bench, interaction(1))
    await goodwill("backup", str(file))
    await post(bench, interaction(2))
    newer = tmp_path / "newer"
    assert (await goodwill("backup", str(newer))).exit_code == 0

    use(restored(file, bench, tmp_path, request), bench, monkeypatch)
    verified = await goodwill("verify", "--remember", f"{newer}.heads.json")

    assert verified.exit_code == 1
    assert "law 3, position 2: It is remembered, and is gone; the last line is at position 1" in verified.stdout


async def test_who_was_forgotten_after_a_backup_is_forgotten_again_when_it_is_restored(
    bench: Bench, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    for n, customer in enumerate(("ada", "bob", "cid")):
        await post(bench, interaction(n, "product.failed", customer))
    await erase_customer(bench.ledger, bench.book, "cid", api_key_id=bench.key_id)
    assert (await goodwill("backup", str(file))).exit_code == 0
    await post(bench, interaction("later", customer="dan"))
    for customer in ("ada", "dan"):
        await erase_customer(bench.ledger, bench.book, customer, api_key_id=bench.key_id)
    newer = tmp_path / "newer"
    assert (await goodwill("backup", str(newer))).exit_code == 0

    use(url := restored(file, bench, tmp_path, request), bench, monkeypatch)
    erased = await goodwill("erase", f"{newer}.erasures.json")
    again = await goodwill("erase", f"{newer}.erasures.json")

    assert (erased.exit_code, erased.stdout) == (0, "book acme: 3 listed, 1 forgotten again\n"), erased.output
    assert (again.exit_code, again.stdout) == (0, "book acme: 3 listed, 0 forgotten again\n"), again.output
    assert (await goodwill("verify", "--all", "--remember", f"{file}.heads.json")).exit_code == 0
    async with (
        running_servers(1, tmp_path / "restored", database_url=url, master_key=bench.ledger.master_key.secret) as (
            server,
        ),
        server.client(bench.token) as client,
    ):
        found = [(await client.get(f"/v1/customers/{name}")).status_code for name in ("ada", "bob", "cid")]
    assert found == [404, 200, 404]


async def test_a_list_of_erasures_that_is_none_is_refused(file: Path) -> None:
    await asyncio.to_thread(file.write_text, '{"erasures": 2}')
    refused, missing = await goodwill("erase", str(file)), await goodwill("erase", f"{file}.none")
    assert (refused.exit_code, missing.exit_code) == (1, 1)
    assert "is no list of erasures: erasures" in refused.stderr
    assert "No such file or directory" in missing.stderr


async def test_no_file_is_replaced_unasked_and_what_fails_leaves_none(
    bench: Bench, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.to_thread(file.write_text, "precious")
    refused, nowhere = await goodwill("backup", str(file)), await goodwill("backup", str(tmp_path / "no" / "where"))
    kept = await asyncio.to_thread(file.read_text)
    forced = await goodwill("backup", str(file), "--force")

    assert [each.exit_code for each in (refused, nowhere, forced)] == [1, 1, 0]
    assert f"{file} is there already" in refused.stderr
    assert "No such file or directory" in nowhere.stderr
    assert kept == "precious"
    if not bench.ledger.database.is_sqlite:
        monkeypatch.setenv("PATH", str(tmp_path))
        without = await goodwill("backup", str(tmp_path / "another"))
        assert "there is no pg_dump on the PATH" in without.stderr
        monkeypatch.setenv("PATH", str(broken_pg_dump(tmp_path)))
        broken = await goodwill("backup", str(tmp_path / "another"))
        assert "pg_dump failed: it is too old" in broken.stderr
    assert written(tmp_path, "another") == {}


def written(folder: Path, name: str) -> dict[str, int]:
    """The files that the command left, each with its mode."""
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.glob(f"*{name}*")}


def broken_pg_dump(folder: Path) -> Path:
    """A folder with a pg_dump that fails."""
    program = folder / "programs" / "pg_dump"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho it is too old >&2\nexit 1\n")
    program.chmod(0o755)
    return program.parent


@asynccontextmanager
async def posting(server: ServerProcess, token: str) -> AsyncGenerator[list[str]]:
    """Writers that post one interaction after the other; what was acknowledged so far, ENOUGH to begin with."""
    acknowledged: list[str] = []
    begun = asyncio.Event()

    async def write(writer: int) -> None:
        async with server.client(token) as client:
            for n in range(1_000_000):
                body = {"id": f"{writer}-{n}", "customer": f"customer-{n % 20}", "kind": "apology.first"}
                answer = await client.post("/v1/interactions", json=body)
                assert answer.status_code == httpx.codes.CREATED
                acknowledged.append(body["id"])
                if len(acknowledged) == ENOUGH:
                    begun.set()

    writers = [asyncio.create_task(write(writer)) for writer in range(WRITERS)]
    await begun.wait()
    yield acknowledged
    for writer in writers:
        writer.cancel()
    assert all(
        isinstance(ended, asyncio.CancelledError) for ended in await asyncio.gather(*writers, return_exceptions=True)
    )


async def interactions(client: httpx.AsyncClient) -> set[str]:
    """The ids of all interactions on the feed."""
    found: set[str] = set()
    after: int | None = 0
    while after is not None:
        page = (await client.get("/v1/entries", params={"after": after, "limit": 500})).json()
        found |= {entry["interaction"]["id"] for entry in page["entries"]}
        after = page["next_after"] if page["entries"] else None
    return found


def restored(file: Path, bench: Bench, folder: Path, request: pytest.FixtureRequest) -> str:
    """The URL of a new database with what is in the backup, as docs/backups.md says."""
    place = folder / "restored"
    place.mkdir()
    if bench.ledger.database.is_sqlite:
        shutil.copy(file, place / "goodwill.sqlite3")
        return f"sqlite:///{place / 'goodwill.sqlite3'}"
    server: Server = request.getfixturevalue("postgres")
    name = f"restored_{bench.url.rpartition('_')[2]}"
    url = server.create_database(name)
    request.addfinalizer(lambda: server.drop_database(name))
    options = ["--exit-on-error", "--no-owner", f"--dbname={url}"]
    subprocess.run([find_programs() / "pg_restore", *options, file], check=True)
    return url
