"""`goodwill serve` as its first user meets it: a real process, an empty folder, lines to paste."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

START_SECONDS = 30
STARTS_MAX = 5


def environment(folder: Path, port: int, **more: str) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("GOODWILL_")}
    return {**own, "GOODWILL_DATA_DIR": str(folder), "GOODWILL_PORT": str(port), **more}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def serving(folder: Path, **more: str) -> Iterator[tuple[str, str, float]]:
    """The address, what was printed until ready, and the seconds that took."""
    port, output = free_port(), folder / "output"
    folder.mkdir(exist_ok=True)
    begun = time.monotonic()
    with output.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "serve"], env=environment(folder, port, **more), stdout=out, stderr=out
        )
    try:
        wait_until_it_answers(f"http://127.0.0.1:{port}/healthz", process)
        yield f"http://127.0.0.1:{port}", output.read_text(), time.monotonic() - begun
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) in (0, -signal.SIGTERM)  # uvicorn drains, then ends by the signal it got


def wait_until_it_answers(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(url, timeout=1)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"no answer at {url}; exit code {process.poll()}")


def run_curl(line: str) -> httpx.Response:
    """What curl would do with the line, on machines that have none."""
    words = shlex.split(line)
    headers = dict(words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H")
    body = words[words.index("-d") + 1] if "-d" in words else None
    return httpx.request("POST" if body else "GET", words[2], headers=headers, content=body, timeout=10)


def test_the_first_story_ends_delighted_because_of_its_three_interactions(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as (_, printed, _):
        lines = [line for line in printed.splitlines() if line.strip().startswith("curl ")]
        answers = [run_curl(line) for line in lines]

    assert [answer.status_code for answer in answers] == [201, 201, 201, 200]
    account = answers[-1].json()
    assert account["standing"] == "delighted"
    assert {each["kind"] for each in account["because"]} == {
        "product.failed",
        "wait.excessive",
        "moment.unexpected_gift",
    }


def test_a_key_is_printed_once_and_a_later_start_is_hardly_slower_than_its_libraries(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as (_, first, _):
        pass
    measured = [(restarted(tmp_path / "data"), seconds_of_a_bare_start())]
    while is_slow(measured) and len(measured) < STARTS_MAX:
        measured.append((restarted(tmp_path / "data"), seconds_of_a_bare_start()))

    assert len(set(re.findall(r"gw_main_[0-9a-f]{52}", first))) == 1
    assert not any("gw_main_" in printed for (printed, _), _ in measured)
    assert not is_slow(measured)


def is_slow(measured: list[tuple[tuple[str, float], float]]) -> bool:
    """Measured 1.5 times, under two seconds. The best of a few: the machine has other work to do."""
    return min(seconds for (_, seconds), _ in measured) >= 2.5 * min(floor for _, floor in measured)


def restarted(folder: Path) -> tuple[str, float]:
    with serving(folder) as (_, printed, seconds):
        return printed, seconds


def seconds_of_a_bare_start() -> float:
    """The floor of a start: the libraries that serving needs, and nothing of our own."""
    libraries = "fastapi, uvicorn, httpx, sqlalchemy.ext.asyncio, sqlalchemy.dialects.postgresql, aiosqlite, cel"
    begun = time.monotonic()
    subprocess.run([sys.executable, "-c", f"import {libraries}"], check=True, timeout=START_SECONDS)
    return time.monotonic() - begun


def test_nothing_but_loopback_is_served_while_no_key_exists(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app", "serve"],
        env=environment(tmp_path / "data", free_port(), GOODWILL_HOST="0.0.0.0"),  # noqa: S104 - it must be refused
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )

    assert done.returncode == 1
    assert "goodwill keys create" in done.stderr


def test_a_lost_master_key_is_said_clearly_and_never_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with serving(folder) as (_, printed, _):
        key = re.findall(r"gw_main_[0-9a-f]{52}", printed)[0]
    (folder / "master.key").unlink()

    with serving(folder) as (url, _, _):
        readiness = httpx.get(f"{url}/readyz")
        reading = httpx.get(f"{url}/v1/customers", headers={"Authorization": f"Bearer {key}"})

    assert readiness.status_code == reading.status_code == 503
    assert readiness.json()["code"] == "master_key_mismatch"
    assert "master.key is not beside it" in readiness.json()["detail"]
    assert not (folder / "master.key").exists()


def test_an_unknown_setting_is_refused_by_name(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app", "serve"],
        env=environment(tmp_path, free_port(), GOODWILL_PROT="8001"),
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )

    assert done.returncode == 1
    assert "GOODWILL_PROT" in done.stderr


def test_keys_can_be_created_listed_and_revoked_from_the_terminal(tmp_path: Path) -> None:
    def goodwill(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "app", *words],
            env={**environment(tmp_path, 0), "COLUMNS": "160"},
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=True,
        )
        return done.stdout

    token = goodwill("keys", "create", "--book", "acme", "--name", "desk", "--scope", "accounts:read").strip()
    key_id = token.removeprefix("gw_acme_")[:12]
    listed = goodwill("keys", "list")
    goodwill("keys", "revoke", key_id)

    assert key_id in listed
    assert token.removeprefix("gw_acme_") not in listed
    assert "revoked" in goodwill("keys", "list")
