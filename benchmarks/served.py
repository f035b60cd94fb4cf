"""A server process under measurement: ours or the floor. What it costs in processor time and memory is read of it."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tests.postgres import free_port
from tests.servers import ROOT, environment

START_SECONDS = 60.0
STOP_SECONDS = 30.0
MEGABYTE = 10**6
_TICK, _PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")


class Served:
    """`python -m …`, listening on a free port of loopback. `settings` are its environment's, `log` is its output."""

    def __init__(self, command: list[str], settings: Mapping[str, str], log: Path) -> None:
        self.port = free_port()
        arguments = [each.format(port=self.port) for each in command]
        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603  our own program
                [sys.executable, "-m", *arguments],
                cwd=ROOT,
                env=environment({**settings, "GOODWILL_PORT": str(self.port)} if settings else {}),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._wait()

    @property
    def cpu_seconds(self) -> float:
        """The processor time that it used so far, all threads."""
        return cpu_seconds(self._process.pid)

    @property
    def megabytes(self) -> int:
        """Its resident memory, in 10^6 bytes."""
        return int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]) * _PAGE // MEGABYTE

    def close(self) -> None:
        """End it in order."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _wait(self) -> None:
        give_up_at = time.monotonic() + START_SECONDS
        while time.monotonic() < give_up_at and self._process.poll() is None:
            with (
                suppress(OSError, urllib.error.URLError),
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=10),
            ):
                return
            time.sleep(0.05)
        self.close()
        raise RuntimeError(f"the server does not start:\n{self._log.read_text()}")


def cpu_seconds(pid: int) -> float:
    """The processor time of a process, its threads and those of its children that ended included, in seconds."""
    fields = _fields(pid)
    return sum(map(int, fields[11:15])) / _TICK


def cpu_seconds_with_children(pid: int) -> float:
    """The same of a process and its children: of a PostgreSQL and its sessions."""
    total = cpu_seconds(pid)
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):  # it may have ended meanwhile
            total += cpu_seconds(int(path.name)) if _fields(int(path.name))[1] == str(pid) else 0
    return total


def _fields(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
