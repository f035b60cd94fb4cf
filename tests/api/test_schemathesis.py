"""schemathesis against the running service, on both databases: every check, positive and negative data."""

import base64
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.api.sentences import WAIT, happening
from tests.soaking import so_many

ROOT = Path(__file__).parents[2]
START_SECONDS = 60  # the neighbours may be busy
EXAMPLES_MAX = so_many(2, soak=25)  # of each operation, beside those that its schema names
RUN_SECONDS = so_many(240, soak=1_800)
CUSTOMERS = ("ada", "bob/o'neill+1@example.com", "50% é")  # as in schemathesis.toml


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> dict[str, str]:
    """The settings of a service on a database of its own."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("GOODWILL_")}
    return {
        **bare,
        "GOODWILL_DATABASE_URL": database_url,
        "GOODWILL_DATA_DIR": str(tmp_path),
        "GOODWILL_MASTER_KEY": base64.b64encode(bytes(range(32))).decode(),
        "GOODWILL_PORT": str(free_port()),
        "NO_COLOR": "1",
    }


def test_schemathesis_finds_no_failure(environment: dict[str, str], tmp_path: Path) -> None:
    token = goodwill(environment, "keys", "create", "--source", "crm")

    with running_service(environment, tmp_path) as url:
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as api:
            for number, customer in enumerate(CUSTOMERS):
                assert api.post("/v1/interactions", json=happening(f"s{number}", customer, WAIT)).status_code == 201
        run = schemathesis(url, token)
        with httpx.Client(base_url=url) as api:
            assert api.get("/readyz").status_code == 200

    report = run.stdout + run.stderr
    assert run.returncode == 0, report
    assert re.search(r"Test cases:\s+\d{3,} generated, \d+ passed", report), report
    assert "Traceback" not in (tmp_path / "service.log").read_text()


def schemathesis(url: str, token: str) -> subprocess.CompletedProcess[str]:
    """One run by the committed configuration; the document is the service's own."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(ROOT / "schemathesis.toml"), "run"),
        *(f"{url}/openapi.json", "--checks", "all", "--no-color", "--max-examples", str(EXAMPLES_MAX)),
    ]
    environment = {**os.environ, "SCHEMATHESIS_API_KEY": token}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=RUN_SECONDS
    )


@contextmanager
def running_service(environment: dict[str, str], folder: Path) -> Generator[str]:
    """`goodwill serve` in a process of its own; its address."""
    url = f"http://127.0.0.1:{environment['GOODWILL_PORT']}"
    with (folder / "service.log").open("w") as log:
        command = [sys.executable, "-m", "app", "serve"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        wait_until_ready(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=30)


def wait_until_ready(url: str, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(START_SECONDS * 10):
        assert process.poll() is None
        try:
            if httpx.get(f"{url}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"{urlsplit(url).netloc} is not ready after {START_SECONDS} s")


def goodwill(environment: dict[str, str], *arguments: str) -> str:
    """What a command prints."""
    command = [sys.executable, "-m", "app", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port
