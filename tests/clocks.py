"""Real clock processes for the tests: `python -m app work`, over a database that the test names."""

import asyncio
import signal
import time

from tests.servers import START_TIMEOUT_SECONDS, GoodwillProcess

READY = "clock runs"


class ClockProcess(GoodwillProcess):
    """One clock. `start` begins anew, in the same log."""

    async def start(self) -> "ClockProcess":
        """Start, and wait until it says that it runs."""
        starts = self.log.count(READY)
        self._launch("work")
        give_up_at = time.monotonic() + START_TIMEOUT_SECONDS
        while self.log.count(READY) == starts:
            assert time.monotonic() < give_up_at, self.log
            assert self._running.poll() is None, self.log
            await asyncio.sleep(0.01)
        return self

    def pause(self) -> None:
        """Hold it still, wherever it is (SIGSTOP)."""
        self._running.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on after a pause (SIGCONT)."""
        self._running.send_signal(signal.SIGCONT)
