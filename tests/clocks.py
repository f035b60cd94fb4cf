"""Real clock processes for the tests: `python -m app work`, over a database that the test names."""

import asyncio
import os
import signal
import time

from tests.servers import START_TIMEOUT_SECONDS, GoodwillProcess

READY = "clock runs"


class ClockProcess(GoodwillProcess):
    """One clock. `start` begins anew, in the same log."""

    @property
    def complaints(self) -> str:
        """What it said but that it runs, and behind which wall."""
        lines = self.log.splitlines(keepends=True)
        return "".join(line for line in lines if READY not in line and "the wall between the books stands" not in line)

    async def start(self) -> "ClockProcess":
        """Start, and wait until it says that it runs."""
        starts = self.log.count(READY)
        self._launch("work")
        give_up_at = time.monotonic() + START_TIMEOUT_SECONDS
        while self.log.count(READY) == starts:
            assert time.monotonic() < give_up_at, self.log
            assert self._running.is_alive(), self.log
            await asyncio.sleep(0.01)
        return self

    def pause(self) -> None:
        """Hold it still, wherever it is (SIGSTOP)."""
        os.kill(self._running.pid or 0, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on after a pause (SIGCONT)."""
        os.kill(self._running.pid or 0, signal.SIGCONT)
