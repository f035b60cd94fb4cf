"""Real clock processes for the tests: `python -m app work`, over a database that the test names."""

import asyncio
import atexit
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from tests.servers import ROOT, START_TIMEOUT_SECONDS, STOP_TIMEOUT_SECONDS, environment

READY = "clock runs"


class ClockProcess:
    """One clock. `stop` ends it in order, `kill` at once; `start` begins anew, in the same log."""

    def __init__(self, settings: Mapping[str, str], log: Path) -> None:
        self._settings = dict(settings)
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.kill)

    @property
    def log(self) -> str:
        """All that the process wrote, over all its starts."""
        return self._log.read_text() if self._log.exists() else ""

    async def start(self) -> "ClockProcess":
        """Start, and wait until it says that it runs."""
        starts = self.log.count(READY)
        process = self._launch()
        give_up_at = time.monotonic() + START_TIMEOUT_SECONDS
        while self.log.count(READY) == starts:
            assert time.monotonic() < give_up_at, self.log
            assert process.poll() is None, self.log
            await asyncio.sleep(0.01)
        return self

    async def stop(self) -> int:
        """End it as an operator does (SIGTERM), and return its exit code."""
        return await asyncio.to_thread(self._end, signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut does (SIGKILL)."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Hold it still, wherever it is (SIGSTOP)."""
        self._running.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on after a pause (SIGCONT)."""
        self._running.send_signal(signal.SIGCONT)

    @property
    def _running(self) -> "subprocess.Popen[bytes]":
        assert self._process is not None
        return self._process

    def _launch(self) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "app", "work"],
                cwd=ROOT,
                env=environment(self._settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self._process

    def _end(self, how: signal.Signals) -> int:
        if self._process is None:
            return 0
        process, self._process = self._process, None
        process.send_signal(how)
        try:
            return process.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()
