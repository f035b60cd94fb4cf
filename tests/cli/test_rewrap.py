"""The master key is replaced with real servers, one after the other, and the command between them."""

import asyncio
import base64
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli.commands import app
from tests.conftest import Bench
from tests.operations.posting import interaction, post
from tests.operations.signing import sign_all
from tests.servers import ServerProcess, settings_of


def text(secret: bytes) -> str:
    return base64.b64encode(secret).decode()


async def goodwill(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], *words: str) -> Result:
    with monkeypatch.context() as patched:
        for name, value in settings.items():
            patched.setenv(name, value)
        return await asyncio.to_thread(CliRunner().invoke, app, list(words))


async def asked(bench: Bench, settings: dict[str, str], log: Path) -> int:
    """What a server with these settings answers to a question about ada."""
    server = await ServerProcess(settings, log).start()
    async with server.client(bench.token) as client:
        status = (await client.get("/v1/customers/ada")).status_code
    await server.stop()
    return status


async def test_servers_serve_on_while_the_master_key_is_replaced(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await post(bench, interaction(1))
    await sign_all(bench)
    old, new = bench.ledger.master_key.secret, os.urandom(32)
    first = settings_of(database_url=bench.url, master_key=old) | {"GOODWILL_OTHER_MASTER_KEYS": text(new)}
    second = settings_of(database_url=bench.url, master_key=new) | {"GOODWILL_OTHER_MASTER_KEYS": f"{text(old)},"}
    last = settings_of(database_url=bench.url, master_key=new)

    assert [await asked(bench, each, tmp_path / f"{n}.log") for n, each in enumerate((first, second))] == [200, 200]
    assert (await goodwill(monkeypatch, last, "doctor")).exit_code == 1
    done = await goodwill(monkeypatch, second, "keys", "rewrap")
    assert (done.exit_code, done.stdout) == (0, "book acme: 3 keys, 3 wrapped anew\n"), done.output
    assert await asked(bench, last, tmp_path / "last.log") == 200
    assert (await goodwill(monkeypatch, last, "verify", "--all")).exit_code == 0
