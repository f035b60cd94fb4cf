"""`goodwill listen` as a process of the tests' own, and posts to it."""

import http.client
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from app.domain.instant import SECOND
from app.main import clock
from app.webhooks.sign import headers
from tests.servers import ROOT, environment
from tests.webhooks.receivers import SECRET

PATIENCE_SECONDS = 30.0


class Listening:
    """One that runs: what it says on both streams, and where it listens."""

    def __init__(self, folder: Path, *words: str, settings: Mapping[str, str], **io: Any) -> None:
        self._printed, self._said = folder / "printed", folder / "said"
        with self._printed.open("w") as printed, self._said.open("w") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app", "listen", *words],
                cwd=ROOT,
                env=environment(settings),
                stdin=subprocess.DEVNULL,
                **{"stdout": printed, "stderr": said, **io},
            )
        self.until(lambda: "Listening on " in self.said)
        self.client = httpx.Client()
        self.port = int(self.said.partition("http://127.0.0.1:")[2].partition("/")[0])

    @property
    def said(self) -> str:
        """What it told on standard error."""
        return self._said.read_text()

    @property
    def lines(self) -> list[str]:
        """What it printed."""
        return self._printed.read_text().splitlines()

    def until(self, holds: Callable[[], bool]) -> None:
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            assert time.monotonic() < give_up_at, self.said
            assert self.process.poll() is None, self.said
            time.sleep(0.01)

    def post(self, body: bytes, sent: Mapping[str, str]) -> int:
        return self.client.post(f"http://127.0.0.1:{self.port}/", content=body, headers=sent).status_code

    def post_signed(self, message: object, message_id: str = "msg_1", *, secret: str = SECRET, age: int = 0) -> int:
        """Post a message signed so many seconds ago."""
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        return self.post(body, headers([secret], message_id, clock() // SECOND - age, body))

    def announce(self, length: int) -> int:
        """Announce a body, and hear the answer."""
        connection = self.begin(length)
        status = connection.getresponse().status
        connection.close()
        return status

    def break_off(self, length: int) -> None:
        """Announce a body, and hang up."""
        self.begin(length).close()

    def begin(self, length: int) -> http.client.HTTPConnection:
        """Announce a body of so many bytes, and send none of it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        connection.putrequest("POST", "/")
        connection.putheader("content-length", str(length))
        connection.endheaders()
        return connection

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it as a person or a supervisor does; its exit code."""
        self.process.send_signal(how)
        return self.process.wait(PATIENCE_SECONDS)


@contextmanager
def listening(folder: Path, *words: str, settings: Mapping[str, str] | None = None, **io: Any) -> Iterator[Listening]:
    """`goodwill listen` with these words."""
    running = Listening(folder, *words, settings=settings or {}, **io)
    try:
        yield running
    finally:
        running.client.close()
        running.process.kill()
        running.process.wait()
